# SPDX-License-Identifier: MIT
# sizes.gp - time per object against the number of objects, and the power with which the time of all of them grows.
#
# From outside: TITLE, SUB, GROUPS, PANELS, BACKENDS, FADED, LEFT_END, RIGHT_END, LOW, HIGH (of the axes), LINES (most in a panel).
load 'style.gp'
set datafile separator tab
DATA = 'sizes.tsv'
FITS = 'sizes_fits.tsv'
set label 101 TITLE at screen 0.05, screen 0.955 left font sprintf(',%g', FT) textcolor rgb INK
set label 102 SUB   at screen 0.05, screen 0.902 left font sprintf(',%g', FS*0.87) textcolor rgb MID
LEFT = 0.082; RIGHT = 0.985; GAP = 0.03
WIDE = (RIGHT - LEFT - GAP * (GROUPS - 1)) / GROUPS
TOP_AT = 0.84; BOTTOM_AT = 0.125
STEP = 0.052                                 # of a panel's height: a line of text
HEAD_AT = LINES * STEP + 0.03                # what the texts take, over the lines
ns(g, b) = (column('panel') == g && column('backend') == b ? column('size') : NaN)
shade(b) = (word(FADED, b) eq '1' ? 0.55 : 1.0)
set multiplot
set tmargin at screen TOP_AT
set bmargin at screen BOTTOM_AT
unset key
set grid ytics ls 90
set logscale xy 10
set xrange [LEFT_END:RIGHT_END]
set yrange [LOW:LOW * (HIGH / LOW) ** (1 / (1 - HEAD_AT))]
set format x "%.0s %c"
set format y '%g'
set xlabel 'objects'
do for [g=1:GROUPS] {
    set lmargin at screen LEFT + (g - 1) * (WIDE + GAP)
    set rmargin at screen LEFT + (g - 1) * (WIDE + GAP) + WIDE
    set label 103 word(PANELS, g) at graph 0, graph 1.035 left font sprintf(',%g', FS*0.9) textcolor rgb INK
    if (g == 1) { set ylabel 'nanoseconds per object' } else { unset ylabel; set format y '' }
    plot for [b=1:words(BACKENDS)] DATA using (ns(g, b)):'ns' with linespoints ls style_of(word(BACKENDS, b)) notitle, \
         for [b=1:words(BACKENDS)] DATA using (ns(g, b)):'ns':'low':'high' \
             with yerrorbars ls style_of(word(BACKENDS, b)) lw LW*0.5 notitle, \
         for [b=1:words(BACKENDS)] FITS using (LEFT_END * 1.2): \
             (LOW * (HIGH / LOW) ** ((1 - STEP * (column('line') + 0.7)) / (1 - HEAD_AT))): \
             (column('panel') == g && column('backend') == b ? strcol('text') : '') \
             with labels left font sprintf(',%g', FS*0.66) textcolor ls style_of(word(BACKENDS, b)) notitle
    unset label 101; unset label 102
}
unset multiplot
