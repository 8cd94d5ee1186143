# SPDX-License-Identifier: MIT
# heap_floating.gp - garbage not given back yet, against births: a panel a workload, a line a collector.
#
# The axis is the area hyperbolic sine, linear up to about ten and logarithmic beyond, because 0 is a value here.
# From outside: TITLE, SUB, BACKENDS, GROUPS, PANELS, FAR (births, of each panel).
load 'style.gp'
set datafile separator tab
set datafile missing NaN
set label 101 TITLE at screen 0.05, screen 0.955 left font sprintf(',%g', FT) textcolor rgb INK
set label 102 SUB   at screen 0.05, screen 0.902 left font sprintf(',%g', FS*0.87) textcolor rgb MID
LEFT = 0.085; RIGHT = 0.985; GAP = 0.045
WIDE = (RIGHT - LEFT - GAP * (GROUPS - 1)) / GROUPS
set multiplot
# the key stands over all panels: it belongs to a plot of its own, without data
set lmargin at screen 0.05; set rmargin at screen 0.985; set tmargin at screen 0.85; set bmargin at screen 0.135
KEY_FONT = sprintf(',%g', FS*0.9)
set key at screen 0.05, screen 0.868 left top Left reverse horizontal samplen 1.6 width 0 spacing 1.1 font KEY_FONT textcolor rgb INK nobox
unset border; unset tics; unset grid; set yrange [0:1]; set xrange [0:1]
plot for [b=1:words(BACKENDS)] NaN with lines ls style_of(word(BACKENDS, b)) title word(BACKENDS, b)
unset key; unset label 101; unset label 102
set border 3 lc rgb MID lw LW*0.35
set grid ytics ls 90
set tmargin at screen 0.765
set xlabel 'objects born'
TICS = sprintf(',%g', FS*0.8)
set xtics nomirror out scale 0.6 textcolor rgb MID font TICS
set ytics nomirror out scale 0.6 textcolor rgb MID
set format x '%.0s%c'
set yrange [0:asinh(2e5)]
set ytics ('0' 0)
do for [k=1:5] { set ytics add (sprintf('%d', 10**k) asinh(10**k)) }
at(g, b) = (column('panel') == g && column('backend') == b ? column('births') : NaN)
do for [g=1:GROUPS] {
    set lmargin at screen LEFT + (g - 1) * (WIDE + GAP)
    set rmargin at screen LEFT + (g - 1) * (WIDE + GAP) + WIDE
    set label 103 word(PANELS, g) at graph 0, graph 1.045 left font sprintf(',%g', FS*0.8) textcolor rgb INK
    set xrange [0:word(FAR, g) + 0]
    STEP = 10 ** floor(log10(word(FAR, g) / 1.5)); STEP = STEP * (word(FAR, g) / STEP > 4 ? 2 : 1)
    set xtics STEP
    if (g == 1) { set ylabel 'floating objects' } else { unset ylabel; set ytics ('' 0); do for [k=1:5] { set ytics add ('' asinh(10**k)) } }
    plot for [b=1:words(BACKENDS)] 'heap_floating.tsv' using (at(g, b)):(asinh(column('floating'))) with lines ls style_of(word(BACKENDS, b)) lw LW*0.6 notitle
}
unset multiplot
