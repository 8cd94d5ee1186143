# SPDX-License-Identifier: MIT
# attribution.gp - a waterfall a collector: the program, each layer on top of what is below it, the rest, and the whole.
#
# From outside: DATA (a .tsv), TITLE, SUB, PANELS (names of collectors), STEPS (bars of the largest), LOW, TOP (nanoseconds).
W = 2200
load 'style.gp'
set datafile separator tab
set label 101 TITLE at screen 0.03, screen 0.955 left font sprintf(',%g', FT) textcolor rgb INK
set label 102 SUB   at screen 0.03, screen 0.902 left font sprintf(',%g', FS*0.87) textcolor rgb MID
COUNT = words(PANELS)
LEFT = 0.062; RIGHT = 0.99; GAP = 0.012
WIDE = (RIGHT - LEFT - GAP * (COUNT - 1)) / COUNT
set multiplot
unset key
set tmargin at screen 0.79
set bmargin at screen 0.24
set yrange [LOW:TOP]
set style fill solid 1.0 noborder
colour(layer) = (layer eq 'mutator' ? 0x999999 : layer eq 'interaction' ? 0xDDAA33 : layer eq 'allocator' ? 0xD55E00 : layer eq 'counting' ? 0x332288 : \
                 layer eq 'all' ? 0x333333 : strstrt(layer, 'cycles') ? 0x117733 : 0xCC6677)
NAMES = sprintf(',%g', FS * 0.72)
do for [p=1:COUNT] {
    set lmargin at screen LEFT + (p - 1) * (WIDE + GAP)
    set rmargin at screen LEFT + (p - 1) * (WIDE + GAP) + WIDE
    set label 103 word(PANELS, p) at graph 0.02, graph 1.05 left font sprintf(',%g', FS*0.85) textcolor rgb INK
    set xrange [0.4:STEPS + 0.6]
    unset xtics
    if (p == 1) { set ylabel 'nanoseconds an operation' } else { unset ylabel; set format y '' }
    mine(v) = (column('panel') == p ? v : NaN)
    plot 0 with lines lc rgb MID lw LW*0.3, \
         DATA using (mine(column('step'))):(column('end')):(column('step') - 0.38):(column('step') + 0.38):(column('start')):(column('end')):(colour(strcol('layer'))) \
             with boxxyerror lc rgb variable, \
         DATA using (mine(column('step'))):(column('end') + column('low') - column('ns')):(0):(column('high') - column('low')) \
             with vectors nohead lw LW*0.5 lc rgb '#111111', \
         DATA using (mine(column('step'))):((column('end') > column('start') ? column('end') : column('start')) + column('high') - column('ns') + TOP * 0.03):(sprintf(column('ns') > 20 ? '%.0f' : '%.1f', column('ns'))) \
             with labels font sprintf(',%g', FS*0.62) textcolor rgb MID, \
         DATA using (mine(column('step') + 0.2)):(LOW):(strcol('layer')) with labels right rotate by 50 font NAMES textcolor rgb INK offset 0,-0.6
    unset label 101; unset label 102
}
unset multiplot
