# SPDX-License-Identifier: MIT
# beside_cpython.gp - RSS of autograd and of views: simulated (solid) beside the real CPython and NumPy (dashed).
# From outside: PYTHON, its version.
load 'style.gp'
set datafile separator tab
DATA = 'beside_cpython.tsv'
set label 101 'Does memory go where CPython''s goes?' at screen 0.05, screen 0.955 left font sprintf(',%g', FT) textcolor rgb INK
set label 102 'solid: simulated; black dashes: CPython '.PYTHON.' with NumPy; on malloc, above the process before' \
    at screen 0.05, screen 0.902 left font sprintf(',%g', FS*0.87) textcolor rgb MID
at(panel, line, who) = (strcol('panel') eq panel && strcol('line') eq line && strcol('who') eq who ? column('x') : NaN)
array LINE[5] = ['strong, no collector', 'strong, collector', 'weak, no collector', 'keep', 'copy']
array COLOUR[5] = ['#332288', '#117733', '#D55E00', '#0072B2', '#E69F00']
set multiplot
set tmargin at screen 0.74; set bmargin at screen 0.125
set yrange [0:*]
set ylabel 'MiB'
do for [p=1:2] {
    PANEL = (p == 1 ? 'autograd' : 'views'); FROM = (p == 1 ? 1 : 4); TO = (p == 1 ? 3 : 5)
    set lmargin at screen (p == 1 ? 0.08 : 0.58); set rmargin at screen (p == 1 ? 0.50 : 0.975)
    KEY_FONT = sprintf(',%g', FS*0.9)
    set key at screen (p == 1 ? 0.075 : 0.575), screen 0.868 left top Left reverse vertical maxrows 2 samplen 1.3 width 0.6 \
        spacing 1.1 font KEY_FONT textcolor rgb INK nobox
    XLABEL = (p == 1 ? 'iterations (simulated: by share of its time)' : ''); XFONT = sprintf(',%g', FS*0.9)
    set xlabel XLABEL font XFONT
    if (p == 2) {
        unset label 101; unset label 102
        set xrange [-0.2:4.2]
        set xtics ('before' 0, 'array' 1, "10 of\nit" 2, "array\ndropped" 3, "all\ndropped" 4) font XFONT
    }
    plot for [i=FROM:TO] DATA using (at(PANEL, LINE[i], 'simulated')):'mib' with lines lc rgb COLOUR[i] lw LW title \
             (LINE[i] eq 'keep' ? 'a view is kept' : LINE[i] eq 'copy' ? 'a copy is kept' : LINE[i]), \
         for [i=FROM:TO] DATA using (at(PANEL, LINE[i], 'real')):'mib' with lines lc rgb INK lw LW*0.6 dt (8,10) notitle
}
unset multiplot
