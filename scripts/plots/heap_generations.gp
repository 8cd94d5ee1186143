# SPDX-License-Identifier: MIT
# heap_generations.gp - objects in each generation, stacked, against births: a panel a workload.
#
# From outside: TITLE, SUB, GROUPS, PANELS, FAR (births, of each panel).
load 'style.gp'
set datafile separator tab
set datafile missing NaN
set label 101 TITLE at screen 0.05, screen 0.955 left font sprintf(',%g', FT) textcolor rgb INK
set label 102 SUB   at screen 0.05, screen 0.902 left font sprintf(',%g', FS*0.87) textcolor rgb MID
LEFT = 0.085; RIGHT = 0.985; GAP = 0.075
WIDE = (RIGHT - LEFT - GAP * (GROUPS - 1)) / GROUPS
set multiplot
# the key stands over all panels: it belongs to a plot of its own, without data
set lmargin at screen 0.05; set rmargin at screen 0.985; set tmargin at screen 0.85; set bmargin at screen 0.135
KEY_FONT = sprintf(',%g', FS*0.9)
set key at screen 0.05, screen 0.868 left top Left reverse horizontal samplen 1.6 width 0 spacing 1.1 font KEY_FONT textcolor rgb INK nobox
unset border; unset tics; unset grid; set yrange [0:1]; set xrange [0:1]
COLOURS = "'#DDCC77' '#CC6677' '#332288' '#999999'"
NAMES = 'young middle old permanent'
plot for [i=1:4] NaN with filledcurves lc rgb word(COLOURS, i) title word(NAMES, i)
unset key; unset label 101; unset label 102
set border 3 lc rgb MID lw LW*0.35
set grid ytics ls 90
set tmargin at screen 0.765
set xlabel 'objects born'
TICS = sprintf(',%g', FS*0.8)
set xtics nomirror out scale 0.6 textcolor rgb MID font TICS
set ytics nomirror out scale 0.6 textcolor rgb MID
set format x '%.0s%c'
set yrange [0:*]
set format y '%g'
at(g) = (column('panel') == g ? column('births') : NaN)
up_to(i) = (i > 0 ? column('old') : 0) + (i > 1 ? column('middle') : 0) + (i > 2 ? column('young') : 0)
do for [g=1:GROUPS] {
    set lmargin at screen LEFT + (g - 1) * (WIDE + GAP)
    set rmargin at screen LEFT + (g - 1) * (WIDE + GAP) + WIDE
    set label 103 word(PANELS, g) at graph 0, graph 1.045 left font sprintf(',%g', FS*0.8) textcolor rgb INK
    set xrange [0:word(FAR, g) + 0]
    STEP = 10 ** floor(log10(word(FAR, g) / 1.5)); STEP = STEP * (word(FAR, g) / STEP > 4 ? 2 : 1)
    set xtics STEP
    if (g == 1) { set ylabel 'objects, stacked: old, middle, young' } else { unset ylabel }
    plot 'heap_generations.tsv' using (at(g)):(0):(up_to(1)) with filledcurves lc rgb word(COLOURS, 3) notitle, \
         'heap_generations.tsv' using (at(g)):(up_to(1)):(up_to(2)) with filledcurves lc rgb word(COLOURS, 2) notitle, \
         'heap_generations.tsv' using (at(g)):(up_to(2)):(up_to(3)) with filledcurves lc rgb word(COLOURS, 1) notitle, \
         'heap_generations.tsv' using (at(g)):(up_to(3)):(up_to(3) + column('permanent')) with filledcurves lc rgb word(COLOURS, 4) notitle
}
unset multiplot
