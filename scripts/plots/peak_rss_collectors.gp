# SPDX-License-Identifier: MIT
# peak_rss_collectors.gp - peak resident memory of each collector, relative to the baseline.
load 'style.gp'
DATA  = 'peak_rss_collectors.tsv'
UP    = '▲ more memory'
DOWN  = '▼ less memory'
load 'bars.gp'
