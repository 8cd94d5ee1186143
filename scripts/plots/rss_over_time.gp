# SPDX-License-Identifier: MIT
# rss_over_time.gp - resident memory while a workload runs: a panel a group, a line a configuration.
#
# A line that would squeeze the others to the floor leaves its panel at the top, and says there how far it goes.
# From outside: TITLE, SUB, GROUPS (how many panels), PANELS (their titles), TOPS (MiB at the top of each), WIDEST
# (seconds), BACKENDS and NAMES and FADED (as in bars.gp), RUNS (1, or 2 to overlay: the first run is dashed).
load 'style.gp'
set datafile separator tab
set datafile missing NaN
DATA = 'rss_over_time.tsv'
set label 101 TITLE at screen 0.05, screen 0.955 left font sprintf(',%g', FT) textcolor rgb INK
set label 102 SUB   at screen 0.05, screen 0.902 left font sprintf(',%g', FS*0.87) textcolor rgb MID
LEFT = 0.068; RIGHT = 0.985; GAP = 0.055
WIDE = (RIGHT - LEFT - GAP * (GROUPS - 1)) / GROUPS
seconds(g, b, r) = (column('panel') == g && column('backend') == b && column('run') == r ? column('seconds') : NaN)
pattern(b, r) = (r < RUNS ? 4 : word(FADED, b) eq '1' ? 2 : 1)
set multiplot
set key at screen 0.05, screen 0.868 left top Left reverse horizontal samplen 1.3 width 0.6 spacing 1.1 textcolor rgb INK nobox
set tmargin at screen 0.70
set bmargin at screen 0.125
set xlabel 'seconds'
do for [g=1:GROUPS] {
    set lmargin at screen LEFT + (g - 1) * (WIDE + GAP)
    set rmargin at screen LEFT + (g - 1) * (WIDE + GAP) + WIDE
    set label 103 word(PANELS, g) at graph 0, graph 1.045 left font sprintf(',%g', FS*0.95) textcolor rgb INK
    set yrange [0:word(TOPS, g) + 0]
    set xrange [0:word(WIDEST, g) + 0]
    if (g == 1) { set ylabel 'MiB above the empty process' } else { unset ylabel }
    plot for [r=1:RUNS] for [b=1:words(BACKENDS)] DATA using (seconds(g, b, r)):'mib' \
             with lines ls style_of(word(BACKENDS, b)) lw LW*0.8 dt pattern(b, r) title (g == 1 && r == RUNS ? word(NAMES, b) : ''), \
         'rss_notes.tsv' using (column('panel') == g ? column('seconds') : NaN):(column('mib')):(strcol('note')) \
             with labels left offset 0.6,-0.7 font sprintf(',%g', FS*0.78) textcolor rgb INK notitle
    unset label 101; unset label 102
    unset key
}
unset multiplot
