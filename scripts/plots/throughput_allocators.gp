# SPDX-License-Identifier: MIT
# throughput_allocators.gp - operations per second of each allocator, relative to the baseline.
load 'style.gp'
DATA  = 'throughput_allocators.tsv'
UP    = '▲ faster'
DOWN  = '▼ slower'
load 'bars.gp'
