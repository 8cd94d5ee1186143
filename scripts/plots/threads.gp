# SPDX-License-Identifier: MIT
# threads.gp - operations per second of all threads together, against the number of threads.
#
# From outside: TITLE, SUB, GROUPS, PANELS, BACKENDS, NAMES, FADED, THREADS (the largest number), LOW, HIGH (of the axis).
# A text that is not of this panel is empty, never at an undefined place: gnuplot 5.4 crashes where all labels are.
load 'style.gp'
set datafile separator tab
DATA = 'threads.tsv'
set label 101 TITLE at screen 0.05, screen 0.955 left font sprintf(',%g', FT) textcolor rgb INK
set label 102 SUB   at screen 0.05, screen 0.902 left font sprintf(',%g', FS*0.87) textcolor rgb MID
LEFT = 0.082; RIGHT = 0.975; GAP = 0.07
WIDE = (RIGHT - LEFT - GAP * (GROUPS - 1)) / GROUPS
threads(g, b) = (column('panel') == g && column('backend') == b ? column('threads') : NaN)
set multiplot
# the key stands over all panels: it belongs to a plot of its own, without data
set lmargin at screen 0.05; set rmargin at screen 0.985; set tmargin at screen 0.85; set bmargin at screen 0.125
KEY_FONT = sprintf(',%g', FS * (words(BACKENDS) > 4 ? 0.8 : 0.95))
set key at screen 0.05, screen 0.868 left top Left reverse horizontal samplen 1.6 width (words(BACKENDS) > 4 ? -2.5 : 0.6) spacing 1.1 font KEY_FONT textcolor rgb INK nobox
unset border; unset tics; unset grid; set yrange [0:1]; set xrange [0:1]
plot for [b=1:words(BACKENDS)] NaN with linespoints ls style_of(word(BACKENDS, b)) title word(NAMES, b)
unset key; unset label 101; unset label 102
set border 3 lc rgb MID lw LW*0.35
set grid ytics ls 90
set tics nomirror out scale 0.6 textcolor rgb MID
set tmargin at screen 0.75
set logscale y 10
set xrange [0.8:THREADS + 0.2]
set xtics nomirror out scale 0.6 1,1,THREADS textcolor rgb MID
set ytics nomirror out scale 0.6 textcolor rgb MID
set yrange [LOW:HIGH]
set format y '%.0s %c'
set xlabel 'threads'
LONGEST = 1
do for [g=1:GROUPS] { LONGEST = (strlen(word(PANELS, g)) > LONGEST ? strlen(word(PANELS, g)) : LONGEST) }
ROOM = 108.0 / GROUPS           # letters over a panel
PANEL_FONT = sprintf(',%g', FS * 0.95 * (LONGEST > ROOM ? ROOM / LONGEST : 1))
do for [g=1:GROUPS] {
    set lmargin at screen LEFT + (g - 1) * (WIDE + GAP)
    set rmargin at screen LEFT + (g - 1) * (WIDE + GAP) + WIDE
    set label 103 word(PANELS, g) at graph 0, graph 1.045 left font PANEL_FONT textcolor rgb INK
    if (g == 1) { set ylabel 'operations per second, all threads' } else { unset ylabel; set format y '' }
    plot for [b=1:words(BACKENDS)] DATA using (threads(g, b)):'rate' with lines ls style_of(word(BACKENDS, b)) notitle, \
         for [b=1:words(BACKENDS)] DATA using (threads(g, b)):'rate':'low':'high' \
             with yerrorbars ls style_of(word(BACKENDS, b)) lw LW*0.5 notitle, \
         'threads_outcomes.tsv' using (0.85):(LOW * (HIGH / LOW) ** (0.05 * column('line'))):(column('panel') == g ? strcol('text') : '') \
             with labels left font sprintf(',%g', FS*0.72) textcolor rgb '#B00020' notitle
}
unset multiplot
