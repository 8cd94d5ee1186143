# SPDX-License-Identifier: MIT
# rss_over_time.gp - resident memory while a workload runs: a panel a group, a line a collector, one scale for all.
#
# Left out of the picture, not of the data: the same collector on another allocator; and a collector that reclaims
# exactly as another that is shown, whose line it would hide (ALIKE: it, then the one it is like).
# From outside: TITLE, SUB, GROUPS (how many panels), PANELS (their titles), TOP (MiB, of all), WIDEST and STEPS
# (milliseconds: of each panel, and between its tics), BACKENDS, NAMES, FADED (as in bars.gp), RUNS (1; or 2 to
# overlay: the first run is thin).
load 'style.gp'
set datafile separator tab
DATA = 'rss_over_time.tsv'
set label 101 TITLE at screen 0.05, screen 0.955 left font sprintf(',%g', FT) textcolor rgb INK
set label 102 SUB   at screen 0.05, screen 0.902 left font sprintf(',%g', FS*0.87) textcolor rgb MID
LEFT = 0.075; RIGHT = 0.985; GAP = 0.045
WIDE = (RIGHT - LEFT - GAP * (GROUPS - 1)) / GROUPS
ALIKE = 'gil cyclic tick_gil cyclic immortal cyclic locked_object segregated parked_object segregated locked_global segregated atomic segregated biased segregated free_threaded segregated'
model_of(name) = (sum [i=1:words(ALIKE)/2] (word(ALIKE, 2*i - 1) eq name ? 2*i : 0))
drawn_as_model(name) = (model_of(name) ? place_of(word(ALIKE, model_of(name)), BACKENDS) > 0 : 0)
shown(b) = (word(FADED, b) eq '0' && !drawn_as_model(word(BACKENDS, b)))
shown_count = (sum [b=1:words(BACKENDS)] (shown(b) ? 1 : 0))
at(g, b, r) = (shown(b) && column('panel') == g && column('backend') == b && column('run') == r ? column('ms') : NaN)
width(r) = (r < RUNS ? 0.3 : 0.8)
set multiplot
# the key stands over all panels: it belongs to a plot of its own, without data
set lmargin at screen 0.05; set rmargin at screen 0.985; set tmargin at screen 0.85; set bmargin at screen 0.125
KEY_FONT = sprintf(',%g', FS * (shown_count > 6 ? 0.8 : 0.95))
set key at screen 0.05, screen 0.868 left top Left reverse horizontal samplen 1.6 width 0.6 spacing 1.1 font KEY_FONT textcolor rgb INK nobox
unset border; unset tics; unset grid; set yrange [0:1]; set xrange [0:1]
plot for [b=1:words(BACKENDS)] NaN with lines ls style_of(word(BACKENDS, b)) title (shown(b) ? word(NAMES, b) : '')
unset key; unset label 101; unset label 102
set border 3 lc rgb MID lw LW*0.35
set grid ytics ls 90
set tmargin at screen 0.74
set xlabel 'milliseconds'
set ytics nomirror out scale 0.6 textcolor rgb MID
do for [g=1:GROUPS] {
    set lmargin at screen LEFT + (g - 1) * (WIDE + GAP)
    set rmargin at screen LEFT + (g - 1) * (WIDE + GAP) + WIDE
    set label 103 word(PANELS, g) at graph 0, graph 1.045 left font sprintf(',%g', FS*0.85) textcolor rgb INK
    set yrange [0:TOP]
    set xrange [0:word(WIDEST, g) + 0]
    STEP = word(STEPS, g) + 0
    set xtics nomirror out scale 0.6 textcolor rgb MID
    set xtics STEP
    if (g == 1) { set ylabel 'MiB above the empty process' } else { unset ylabel; set format y '' }
    plot for [r=1:RUNS] for [b=1:words(BACKENDS)] DATA using (at(g, b, r)):'mib' \
             with lines ls style_of(word(BACKENDS, b)) lw LW*width(r) notitle, \
         for [b=1:words(BACKENDS)] DATA using (RUNS > 1 ? NaN : at(g, b, 1)):'asked_mib' \
             with lines ls style_of(word(BACKENDS, b)) lw LW*0.3 dt solid notitle
}
unset multiplot
