# SPDX-License-Identifier: MIT
# collector_costs.gp - nanoseconds an object of a full collection, against the number of objects: a column a graph,
# above the first collection after building, below one more of the same.
#
# From outside: TITLE, SUB, BACKENDS, NAMES, SHAPES (the titles of the columns), LOW, HIGH (ns), LEAST, MOST (objects).
load 'style.gp'
set datafile separator tab
DATA = 'collector_costs.tsv'
set label 101 TITLE at screen 0.05, screen 0.962 left font sprintf(',%g', FT) textcolor rgb INK
set label 102 SUB   at screen 0.05, screen 0.917 left font sprintf(',%g', FS*0.87) textcolor rgb MID
LEFT = 0.088; RIGHT = 0.988; GAP = 0.012
COLUMNS = words(SHAPES)
WIDE = (RIGHT - LEFT - GAP * (COLUMNS - 1)) / COLUMNS
style_here(name) = (name eq 'CPython' ? 1 : style_of(name))
# side by side, so that none hides another
at(c, r, b) = (column('column') == c && column('row') == r && column('backend') == b ? column('size') * 1.05 ** (b - 3) : NaN)
set multiplot
set lmargin at screen 0.05; set rmargin at screen 0.985; set tmargin at screen 0.85; set bmargin at screen 0.125
KEY_FONT = sprintf(',%g', FS*0.9)
set key at screen 0.05, screen 0.889 left top Left reverse horizontal samplen 1.6 width 0 spacing 1.1 font KEY_FONT textcolor rgb INK nobox
unset border; unset tics; unset grid; set yrange [0:1]; set xrange [0:1]
plot for [b=1:words(BACKENDS)] NaN with linespoints ls style_here(word(BACKENDS, b)) title word(NAMES, b)
unset key; unset label 101; unset label 102
set border 3 lc rgb MID lw LW*0.35
set grid ytics ls 90
set logscale xy 10
set yrange [LOW:HIGH]
set xrange [LEAST / 1.7:MOST * 1.7]
SMALL = sprintf(',%g', FS*0.75); MEDIUM = sprintf(',%g', FS*0.85)
set xtics nomirror out scale 0.5,0 font SMALL textcolor rgb MID
set ytics nomirror out scale 0.5 font SMALL textcolor rgb MID
TOPS = '0.79 0.42'; BOTTOMS = '0.47 0.09'; ROWS = '"first collection" "one more"'
do for [r=1:2] {
    set tmargin at screen word(TOPS, r) + 0
    set bmargin at screen word(BOTTOMS, r) + 0
    do for [c=1:(r == 1 ? COLUMNS : COLUMNS - 2)] {
        set lmargin at screen LEFT + (c - 1) * (WIDE + GAP)
        set rmargin at screen LEFT + (c - 1) * (WIDE + GAP) + WIDE
        if (r == 1) { set label 103 word(SHAPES, c) at graph 0.02, graph 1.07 left font MEDIUM textcolor rgb INK } else { unset label 103 }
        if (c == 1) { set ylabel word(ROWS, r) offset 0.8,0 font MEDIUM; set format y '%g' } else { unset ylabel; set format y '' }
        if (r == 2 || c > COLUMNS - 2) { set xtics ("10³" 1e3, "10⁴" 1e4, "10⁵" 1e5, "10⁶" 1e6, "10⁷" 1e7) } else { set format x '' }
        plot for [b=1:words(BACKENDS)] DATA using (at(c, r, b)):'ns' with linespoints ls style_here(word(BACKENDS, b)) lw LW*0.7 ps PS*0.6 notitle, \
             for [b=1:words(BACKENDS)] DATA using (at(c, r, b)):'low':(0):(column('high') - column('low')) \
                 with vectors nohead ls style_here(word(BACKENDS, b)) lw LW*0.4 notitle
    }
}
unset multiplot
