# SPDX-License-Identifier: MIT
# spacetime.gp - time against memory, a line a collector, a point a setting; both axes logarithmic.
#
# From outside: TITLE, SUB, BACKENDS (one word a line), LOW, TOP (microseconds), NEAR, FAR (MiB).
load 'style.gp'
@HEAD
set datafile separator tab
DATA = 'spacetime.tsv'
set logscale xy
set yrange [LOW:TOP]
set xrange [NEAR:FAR]
set lmargin at screen 0.1
set rmargin at screen 0.97
set bmargin at screen 0.13
set xlabel 'peak resident memory above the empty process, MiB'
set ylabel 'microseconds an operation'
do for [k=-1:7] { set ytics add (10**k, 2 * 10**k, 5 * 10**k) }
set xtics add (1, 2, 3, 5, 7, 10, 20, 30, 50, 70, 100, 200, 300, 500, 1000)
mine(b) = (column('backend') == b ? column('mib') : NaN)
plot for [b=1:words(BACKENDS)] DATA using (mine(b)):'us':'low':'high' with yerrorlines ls style_of(word(BACKENDS, b)) title word(BACKENDS, b), \
     for [b=1:words(BACKENDS)] DATA using (mine(b)):(column('high') * 1.04):(strcol('text')) with labels left rotate by 40 offset 0.2,0.3 \
         font sprintf(',%g', FS*0.7) textcolor rgb MID notitle
