# SPDX-License-Identifier: MIT
# occupancy.gp - how full each pool is, before and after a fragmenting phase: `make occupancy`.
# Data: what `--map=occupancy.map` of build/bin/blocks wrote for the workload batch, one index a moment; the first
# unit's are drawn. A row is an arena, a cell is a pool of 16 KiB; an arena that is not there any more has no cells.
# use:   gnuplot -e "fmt='png'; out='occupancy'" occupancy.gp, in the folder of the data
if (!exists("DATA")) DATA = 'occupancy.map'
W = 1600; H = 900
load 'style.gp'
MOMENTS = "'peak' 'a tenth left' 'a thousandth left'"
NAMES = "'All alive' 'One in ten left' 'One in a thousand left'"
array ARENAS[3]
array BLOCKS[3]
do for [i=1:3] {                # before any range is set: stats leaves out what lies outside
    stats DATA index word(MOMENTS, i) every ::1 using 1:4 nooutput
    ARENAS[i] = STATS_max_x - STATS_min_x + 1; BLOCKS[i] = STATS_sum_y
}
unset key
unset grid
set border 0
set tics scale 0,0
@VIRIDIS
set cbrange [0:1]
set cbtics scale 0 ("0 %%" 0, "50 %%" .5, "100 %%" 1)
set xrange [-0.5:63.5]
set xtics 0,16,48
set yrange [ARENAS[1]-0.5:-0.5]
set multiplot
set label 1 "How full are the pools while blocks die in no order?" at screen 0.06,0.95 left font sprintf(',%g',FT) textcolor rgb INK
set label 2 "pymalloc, blocks of 64 bytes. A row is an arena of 1 MiB, a cell a pool of 16 KiB; a pool with no block in use is grey" \
    at screen 0.06,0.895 left font sprintf(',%g',FS*0.87) textcolor rgb MID
do for [i=1:3] {
    set lmargin at screen 0.06 + 0.29*(i-1); set rmargin at screen 0.06 + 0.29*(i-1) + 0.262
    set tmargin at screen 0.74; set bmargin at screen 0.13
    set label 3 word(NAMES, i) at graph 0,1.095 left textcolor rgb INK
    set label 4 sprintf("%.0f blocks, %.0f arenas", BLOCKS[i], ARENAS[i]) at graph 0,1.035 left font sprintf(',%g',FS*0.87) textcolor rgb MID
    set xlabel "pool in its arena"
    if (i == 1) { set ylabel "arena"; set ytics 0,4 } else { unset ylabel; set format y "" }
    if (i == 3) { set colorbox user origin screen 0.918,0.13 size screen 0.014,0.61 noborder; set label 5 "in use" at screen 0.918,0.785 left font sprintf(',%g',FS*0.87) textcolor rgb MID } else { unset colorbox }
    plot DATA index word(MOMENTS, i) every ::1 using 2:1:(0.43):(0.40):($4 > 0 ? $4/$5 : NaN) with boxxyerror fillstyle solid noborder fillcolor palette, \
         DATA index word(MOMENTS, i) every ::1 using 2:($4 == 0 ? $1 : NaN):(0.43):(0.40) with boxxyerror fillstyle solid noborder fillcolor rgb '#dcdcdc'
}
unset multiplot
