# SPDX-License-Identifier: MIT
# price.gp - what thread safety costs one thread (to the right), and what two threads then gain (upwards).
#
# On the diagonal two threads do what one with plain counts does: below it, safety was not worth it on two cores.
# From outside: TITLE, SUB, BACKENDS (one word a row), XMIN, XMAX, YMIN, YMAX.
load 'style.gp'
@HEAD
unset key
set datafile separator tab
set datafile missing NaN
set lmargin at screen 0.085; set rmargin at screen 0.975; set bmargin at screen 0.13; set tmargin at screen 0.86
set xlabel 'one thread: time over plain counts'
set ylabel 'two threads: throughput over one'
set logscale xy 2
set xrange [XMIN:XMAX]
set yrange [YMIN:YMAX]
set xtics ('1×' 1, '1.5×' 1.5, '2×' 2, '3×' 3, '4×' 4, '6×' 6, '8×' 8, '12×' 12)
set ytics ('1/8' 0.125, '1/4' 0.25, '1/3' 0.333, '1/2' 0.5, '3/4' 0.75, '1×' 1, '1.5×' 1.5, '2×' 2, '3×' 3)
set grid xtics ls 90, ls 90
set grid ytics ls 90
# along the diagonal, in the angle that it has on the page
STEEP = atan2(0.73 * H / log(YMAX / YMIN), 0.89 * W / log(XMAX / XMIN)) * 180 / pi
AT = (XMAX < YMAX ? XMAX : YMAX) / 1.06
set label 103 'break even' at first AT, first AT / 1.075 \
    right rotate by STEEP font sprintf(',%g', FS*0.75) textcolor rgb MID
set samples 200
style_here(n) = style_of(word(BACKENDS, n))
mark(n, h) = (column('row') == n && column('real') == h ? column('y') : NaN)
ROWS = words(BACKENDS)
plot x with lines ls 10 notitle, \
     'price.tsv' using 'x_low':'y':(column('x_high') - column('x_low')):(0) with vectors nohead lc rgb '#555555' lw LW*0.5 notitle, \
     'price.tsv' using 'x':'y_low':(0):(column('y_high') - column('y_low')) with vectors nohead lc rgb '#555555' lw LW*0.5 notitle, \
     for [n=1:ROWS] 'price.tsv' using 'x':(mark(n, 0)) with points ls style_here(n) pt 7 ps PS*1.4 notitle, \
     'price.tsv' using 'x':(column('real') == 1 ? column('y') : NaN) with points pt 7 ps PS*1.6 lc rgb '#ffffff' notitle, \
     'price.tsv' using 'x':(column('real') == 1 ? column('y') : NaN) with points pt 6 ps PS*1.6 lc rgb INK lw LW*0.8 notitle, \
     'price.tsv' using 'x':(column('crossed') == 1 ? column('y') : NaN) with points pt 2 ps PS*2.6 lc rgb '#B00020' lw LW notitle, \
     'price.tsv' using 'text_x':'text_y':(strcol('text')) with labels left font sprintf(',%g', FS*0.85) textcolor rgb INK notitle
