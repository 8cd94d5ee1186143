# SPDX-License-Identifier: MIT
# programs_time.gp - speed of whole programs on each malloc, relative to glibc.
load 'style.gp'
DATA  = 'programs_time.tsv'
UP    = '▲ faster'
DOWN  = '▼ slower'
load 'bars.gp'
