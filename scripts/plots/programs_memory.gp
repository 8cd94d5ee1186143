# SPDX-License-Identifier: MIT
# programs_memory.gp - peak memory of whole programs on each malloc, relative to glibc.
load 'style.gp'
DATA  = 'programs_memory.tsv'
UP    = '▲ more'
DOWN  = '▼ less'
load 'bars.gp'
