# SPDX-License-Identifier: MIT
# latency.gp - percentiles of how long requests took: left from when they were taken up, right from when they were due.
#
# From outside: TITLE, SUB, BACKENDS, NAMES, FADED, PLACES (a word a percentile), LOW, HIGH (ns).
load 'style.gp'
set datafile separator tab
set datafile missing NaN
DATA = 'latency.tsv'
set label 101 TITLE at screen 0.05, screen 0.955 left font sprintf(',%g', FT) textcolor rgb INK
set label 102 SUB   at screen 0.05, screen 0.902 left font sprintf(',%g', FS*0.87) textcolor rgb MID
set multiplot
# the key stands over both panels: it belongs to a plot of its own, without data
set lmargin at screen 0.05; set rmargin at screen 0.985; set tmargin at screen 0.85; set bmargin at screen 0.125
KEY_FONT = sprintf(',%g', FS*0.8)
set key at screen 0.05, screen 0.868 left top Left reverse horizontal samplen 1.6 width -2.5 spacing 1.1 font KEY_FONT textcolor rgb INK nobox
unset border; unset tics; unset grid; set yrange [0:1]; set xrange [0:1]
plot for [b=1:words(BACKENDS)] NaN with linespoints ls style_of(word(BACKENDS, b)) title word(NAMES, b)
unset key; unset label 101; unset label 102
set border 3 lc rgb MID lw LW*0.35
set grid ytics ls 90
set tmargin at screen 0.74
set logscale y 10
set xrange [0.7:words(PLACES) + 0.3]
set yrange [LOW:HIGH]
TICS = sprintf(',%g', FS*0.85)
set xtics nomirror out scale 0 textcolor rgb MID font TICS
set xtics ()
do for [p=1:words(PLACES)] { set xtics add (word(PLACES, p) p) }
set ytics nomirror out scale 0.6 textcolor rgb MID
set ytics ('100 ns' 100, '1 µs' 1e3, '10 µs' 1e4, '100 µs' 1e5, '1 ms' 1e6, '10 ms' 1e7, '100 ms' 1e8, '1 s' 1e9, '10 s' 1e10)
here(g, b) = (column('panel') == g && column('backend') == b ? column('place') : NaN)
do for [g=1:2] {
    set lmargin at screen (g == 1 ? 0.085 : 0.56)
    set rmargin at screen (g == 1 ? 0.51 : 0.985)
    set label 103 (g == 1 ? 'simple: since it was taken up' : 'metered: since it was due') at graph 0, graph 1.045 left font sprintf(',%g', FS*0.95) textcolor rgb INK
    if (g == 2) { do for [k=2:10] { set ytics add ('' 10.0**k) } }
    plot for [b=1:words(BACKENDS)] DATA using (here(g, b)):'ns' with lines ls style_of(word(BACKENDS, b)) notitle, \
         for [b=1:words(BACKENDS)] DATA using (here(g, b)):'ns':'low':'high' with yerrorbars ls style_of(word(BACKENDS, b)) lw LW*0.5 notitle
}
unset multiplot
