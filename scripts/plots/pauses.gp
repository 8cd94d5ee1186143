# SPDX-License-Identifier: MIT
# pauses.gp - left, how long pauses are, by percentile; right, the least share of a window that was left to the program.
#
# A line is thin where fewer than ten pauses lie beyond: that is the sample, not yet the collector. It ends at the
# longest pause. The last backend of the data is the idle thread.
# From outside: TITLE, SUB, BACKENDS, NAMES, LOW, HIGH (ns), FAR (of the percentile axis, 1 / (1 - p)).
load 'style.gp'
set datafile separator tab
set label 101 TITLE at screen 0.05, screen 0.955 left font sprintf(',%g', FT) textcolor rgb INK
set label 102 SUB   at screen 0.05, screen 0.902 left font sprintf(',%g', FS*0.87) textcolor rgb MID
IDLE = words(BACKENDS) + 1
style_here(b) = (b == IDLE ? 10 : style_of(word(BACKENDS, b)))
set multiplot
set lmargin at screen 0.05; set rmargin at screen 0.985; set tmargin at screen 0.85; set bmargin at screen 0.125
KEY_FONT = sprintf(',%g', FS*0.9)
set key at screen 0.05, screen 0.868 left top Left reverse horizontal samplen 1.6 width 0 spacing 1.1 font KEY_FONT textcolor rgb INK nobox
unset border; unset tics; unset grid; set yrange [0:1]; set xrange [0:1]
plot for [b=1:IDLE] NaN with lines ls style_here(b) title (b == IDLE ? 'idle thread' : word(NAMES, b))
unset key; unset label 101; unset label 102
set border 3 lc rgb MID lw LW*0.35
set xtics nomirror out scale 0.6 textcolor rgb MID
set ytics nomirror out scale 0.6 textcolor rgb MID
set tmargin at screen 0.765
set lmargin at screen 0.085; set rmargin at screen 0.56
set label 103 'pauses by percentile' at graph 0, graph 1.045 left font sprintf(',%g', FS*0.95) textcolor rgb INK
set logscale xy 10
set xrange [1:FAR * 1.2]
set yrange [LOW:HIGH]
set grid xtics ls 90, ls 90
set grid ytics ls 90
TICS = sprintf(',%g', FS*0.85)
set xtics ('50 %%' 2, '90 %%' 10, '99 %%' 100, '99.9 %%' 1e3, '99.99 %%' 1e4, '99.999 %%' 1e5, '99.9999 %%' 1e6) font TICS
set ytics ('10 ns' 10, '100 ns' 100, '1 µs' 1e3, '10 µs' 1e4, '100 µs' 1e5, '1 ms' 1e6, '10 ms' 1e7, '100 ms' 1e8, '1 s' 1e9)
at(b, s) = (column('backend') == b && column('supported') == s ? column('beyond') : NaN)
set datafile missing NaN
plot for [b=IDLE:1:-1] 'pauses.tsv' using (column('backend') == b ? column('beyond') : NaN):'ns' with lines ls style_here(b) lw LW*0.35 notitle, \
     for [b=IDLE:1:-1] 'pauses.tsv' using (at(b, 1)):'ns' with lines ls style_here(b) lw LW*0.9 notitle
set lmargin at screen 0.655; set rmargin at screen 0.978
set label 103 'time left in the worst window' at graph 0, graph 1.045
unset logscale y
set xrange [0.9:125]
set yrange [0:1.02]
set xtics ('1 ms' 1, '2' 2, '5' 5, '10 ms' 10, '20' 20, '50' 50, '100 ms' 100)
set ytics ('0 %%' 0, '25 %%' 0.25, '50 %%' 0.5, '75 %%' 0.75, '100 %%' 1)
plot for [b=IDLE:1:-1] 'pauses_mmu.tsv' using (column('backend') == b ? column('window_ms') : NaN):'utilisation' \
         with linespoints ls style_here(b) lw LW*0.8 ps PS*0.6 notitle
unset multiplot
