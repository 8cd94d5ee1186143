# SPDX-License-Identifier: MIT
# throughput_collectors.gp - operations per second of each collector, relative to the baseline.
load 'style.gp'
DATA  = 'throughput_collectors.tsv'
UP    = '▲ faster'
DOWN  = '▼ slower'
load 'bars.gp'
