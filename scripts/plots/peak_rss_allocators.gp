# SPDX-License-Identifier: MIT
# peak_rss_allocators.gp - peak resident memory of each allocator, relative to the baseline.
load 'style.gp'
DATA  = 'peak_rss_allocators.tsv'
UP    = '▲ more memory'
DOWN  = '▼ less memory'
load 'bars.gp'
