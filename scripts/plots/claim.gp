# SPDX-License-Identifier: MIT
# claim.gp - one claim: the sentence, the verdict, and for each criterion where the figures lie.
#
# The shaded part of an axis is where the criterion holds. Filled: refarena; hollow: a real interpreter. Bars: 95 %.
# From outside: DATA, TITLE, TITLE_2 (its second line or ''), VERDICT, SUB (interval or reason), PANELS, ROWS (of the
# fullest panel), and one word a panel of NAMES, LOWS, HIGHS, LOGS (1: logarithmic), WHOLE (1: whole numbers),
# FROMS, TOS (shaded), UNITS.
load 'style.gp'
set datafile separator tab
set datafile missing NaN
COLOUR = (VERDICT eq 'REPRODUCED') ? '#117733' : (VERDICT eq 'REFUTED') ? '#B00020' : (VERDICT eq 'INCONCLUSIVE') ? '#9A6700' : '#5a5a5a'
px(n) = 1.0 * n / H                         # lengths of the page are in pixels of the PNG
LINES = (TITLE_2 eq '') ? 1 : 2
set multiplot
unset border; unset tics; unset grid; unset key
set xrange [0:1]; set yrange [0:1]
set lmargin at screen 0; set rmargin at screen 1; set tmargin at screen 1; set bmargin at screen 0
set label 101 TITLE   at screen 0.04, screen 1 - px(62) left font sprintf(',%g', FT) textcolor rgb INK
set label 102 TITLE_2 at screen 0.04, screen 1 - px(108) left font sprintf(',%g', FT) textcolor rgb INK
set label 103 VERDICT at screen 0.04, screen 1 - px(LINES*46 + 82) left font sprintf(',%g', FS*1.15) textcolor rgb COLOUR
set label 104 SUB     at screen 0.04, screen 1 - px(LINES*46 + 126) left font sprintf(',%g', FS*0.87) textcolor rgb MID
plot NaN notitle
do for [k=101:104] { unset label k }
TOP = 1 - px(LINES*46 + 165)
STEP = (TOP - px(10)) / PANELS
set border 1 lc rgb MID lw LW*0.35
set xtics nomirror out scale 0.6 textcolor rgb MID
set lmargin at screen 0.19; set rmargin at screen 0.95
do for [p=1:PANELS] {
    LOG = (word(LOGS, p) eq '1')
    unset logscale x
    if (LOG) { set logscale x 10 }
    set xrange [word(LOWS, p) + 0.0:word(HIGHS, p) + 0.0]
    set yrange [ROWS + 0.7:0.3]
    set tmargin at screen TOP - (p - 1)*STEP - px(45)
    set bmargin at screen TOP - p*STEP + px(75)
    WIDTH = word(HIGHS, p) - word(LOWS, p)
    BY = (WIDTH > 200 ? 100 : WIDTH > 40 ? 20 : WIDTH > 12 ? 5 : 1)
    if (word(WHOLE, p) eq '1') { set xtics BY } else { set xtics autofreq }
    set format x (word(UNITS, p) eq '-' ? '%g' : word(UNITS, p) eq '×' ? '%g×' : '%g '.word(UNITS, p))
    set grid xtics ls 90, ls 90
    set object 1 rectangle from first word(FROMS, p) + 0.0, graph 0 to first word(TOS, p) + 0.0, graph 1 back \
        fc rgb COLOUR fs transparent solid 0.13 noborder
    set label 105 word(NAMES, p) at graph 0, screen TOP - (p - 1)*STEP - px(20) left font sprintf(',%g', FS*0.95) textcolor rgb INK
    mine(h) = (column('panel') == p && column('hollow') == h)
    plot DATA using (column('panel') == p ? column('low') : NaN):'row':(column('high') - column('low')):(0) with vectors nohead lc rgb '#111111' lw LW*1.2 notitle, \
         DATA using (mine(0) ? column('value') : NaN):'row' with points pt 7 ps PS*1.5 lc rgb COLOUR notitle, \
         DATA using (mine(1) ? column('value') : NaN):'row' with points pt 7 ps PS*1.5 lc rgb '#ffffff' notitle, \
         DATA using (mine(1) ? column('value') : NaN):'row' with points pt 6 ps PS*1.5 lc rgb INK lw LW*0.8 notitle, \
         DATA using (column('panel') == p ? word(LOWS, p) + 0.0 : NaN):'row':(strcol('name').'  ') with labels right font sprintf(',%g', FS*0.85) textcolor rgb INK notitle, \
         DATA using (column('panel') == p && column('value') == column('value') ? column('value') : NaN):(column('row') - 0.27):(strcol('text')) \
              with labels center font sprintf(',%g', FS*0.78) textcolor rgb INK notitle, \
         DATA using (column('panel') == p && column('value') != column('value') ? word(LOWS, p) + 0.0 : NaN):'row':('  '.strcol('text')) \
              with labels left font sprintf(',%g', FS*0.74) textcolor rgb MID notitle
}
unset multiplot
