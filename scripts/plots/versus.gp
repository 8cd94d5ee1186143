# SPDX-License-Identifier: MIT
# versus.gp - two sides, configuration by configuration: B / A of time and of peak memory, the largest effect on top.
#
# From outside: TITLE, SUB, ROWS (how many), TIMES and PEAKS: "low high" of the two axes.
load 'style.gp'
set datafile separator tab
DATA = 'versus.tsv'
set label 101 TITLE at screen 0.02, screen TITLE_AT left font sprintf(',%g', FT) textcolor rgb INK
set label 102 SUB   at screen 0.02, screen SUB_AT left font sprintf(',%g', FS*0.87) textcolor rgb MID
set multiplot
unset key
set logscale x 2
set yrange [ROWS + 0.5:0.5]
set tmargin at screen TOP_AT
set bmargin at screen BOTTOM_AT
set grid xtics ls 90
NAMES_FONT = sprintf(',%g', FS*0.78)
set ytics scale 0 font NAMES_FONT textcolor rgb INK
set arrow 300 from 1, graph 0 to 1, graph 1 nohead lc rgb '#333333' lw LW*0.5
percent(v) = (abs(v - 1) < 0.0995 ? sprintf('%+.1f %%', 100 * (v - 1)) : v < 2 && v > 0.5 ? sprintf('%+.0f %%', 100 * (v - 1)) : sprintf('%.2f×', v))
colour(v, sure) = (sure == 0 ? 0x999999 : v > 1 ? 0xD55E00 : 0x0072B2)
DOUBLES = "set xtics ('1/256' 1./256, '1/64' 1./64, '1/16' 1./16, '1/4' 0.25, '1/2' 0.5, '1' 1, '2×' 2, '4×' 4, '16×' 16, '64×' 64, '256×' 256)"
@DOUBLES
if (word(TIMES, 2) / word(TIMES, 1) < 3) { set xtics add ('0.8' 0.8, '0.9' 0.9, '1.1×' 1.1, '1.2×' 1.2, '1.5×' 1.5) }
set lmargin at screen 0.30
set rmargin at screen 0.635
set xrange [word(TIMES, 1) + 0:word(TIMES, 2) + 0]
set xlabel "time per operation, B / A  (→ slower)"
plot DATA using 'time':'row':'time_low':'time_high':(colour(column('time'), column('time_sure'))):yticlabels(strcol('name')) \
         with xerrorbars pt 7 ps PS*0.8 lw LW*0.5 lc rgb variable, \
     DATA using (word(TIMES, 2) + 0):'row':(percent(column('time'))) \
         with labels right offset -0.3,0 font sprintf(',%g', FS*0.66) textcolor rgb MID
set lmargin at screen 0.67
set rmargin at screen 0.985
set format y ''
unset ytics
@DOUBLES
set xrange [word(PEAKS, 1) + 0:word(PEAKS, 2) + 0]
set xlabel "peak RSS, B / A  (→ more)"
unset label 101; unset label 102
plot DATA using 'peak':'row':(colour(column('peak'), column('peak_sure'))) with points pt 5 ps PS*0.8 lc rgb variable, \
     DATA using (word(PEAKS, 2) + 0):'row':(percent(column('peak'))) \
         with labels right offset -0.3,0 font sprintf(',%g', FS*0.66) textcolor rgb MID
unset multiplot
