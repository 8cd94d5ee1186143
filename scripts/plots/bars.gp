# SPDX-License-Identifier: MIT
# bars.gp - workloads side by side; in each, one bar a backend, from the baseline's line up or down.
#
# The axis is logarithmic, so that half and double are equally far from the line; the baseline has no bar, it is
# the line. What has no number has its outcome written where its bar would be: nothing is missing silently.
# From outside: DATA (a .tsv), TITLE, SUB, UP, DOWN (what a bar upwards and downwards says), BACKENDS, NAMES, FADED
# (one word a backend: style name, key, and 1 where it is the same collector on another allocator), GROUPS (how many),
# YMIN, YMAX.
@HEAD
MANY = words(BACKENDS) > 8
KEY_FONT = sprintf(',%g', FS * (MANY ? 0.66 : words(BACKENDS) > 6 ? 0.8 : 0.95))
set key font KEY_FONT width (MANY ? -3.5 : words(BACKENDS) > 7 ? -1.5 : words(BACKENDS) > 6 ? -0.2 : 0.6)
if (MANY) { set key spacing 0.95; set tmargin at screen 0.755 }
set datafile separator tab
set logscale y 2
set yrange [YMIN:YMAX]
set xrange [-0.5:GROUPS - 0.5]
set ytics scale 0.4 ('1' 1)
EVERY = (YMAX / YMIN > 4000 ? 3 : YMAX / YMIN > 300 ? 2 : 1)
do for [k=EVERY:15:EVERY] { set ytics add (sprintf('%d×', 2**k) 2.0**k) ; set ytics add (sprintf('1/%d', 2**k) 2.0**-k) }
if (YMAX / YMIN < 8) { set ytics add ('1.5×' 1.5, '3×' 3, '3/4' 0.75, '3/8' 0.375) }
set xtics scale 0 textcolor rgb INK offset 0,0.2
set bmargin at screen 0.135
set lmargin at screen 0.092
set rmargin at screen 0.985
set label 103 UP   at graph 0.004, graph 0.968 left font sprintf(',%g', FS*0.8) textcolor rgb MID
set label 104 DOWN at graph 0.004, graph 0.035 left font sprintf(',%g', FS*0.8) textcolor rgb MID
do for [g=1:GROUPS-1] { set arrow 200+g from g-0.5, graph 0 to g-0.5, graph 1 nohead lc rgb GRID lw LW*0.4 back }
set arrow 300 from graph 0, first 1 to graph 1, first 1 nohead lc rgb '#333333' lw LW*0.5 front
COUNT = words(BACKENDS)
STEP  = 0.86 / COUNT
at(g, b)   = g + (b - (COUNT + 1) / 2.0) * STEP
mine(b)    = (column('backend') == b)
x(b)       = (mine(b) ? at(column('place'), b) : NaN)
fill(b)    = (word(FADED, b) eq '1' ? 0.45 : 1.0)
shows(way) = strcol('outcome') eq 'ok' && strcol('baseline') ne '1' && (column('value') >= 1 ? 1 : -1) == way
# a text that is not of this row is empty, never at an undefined place: gnuplot 5.4 crashes where all labels are
LIFT = (YMAX / YMIN) ** 0.012
TEXT = FS * (COUNT * GROUPS > 44 ? 0.56 : COUNT * GROUPS > 28 ? 0.66 : 0.74)
plot for [b=1:COUNT] DATA using (x(b)):(column('value')):(x(b)-STEP*0.44):(x(b)+STEP*0.44):(1):(column('value')) \
         with boxxyerror ls style_of(word(BACKENDS, b)) fs transparent solid fill(b) noborder title word(NAMES, b), \
     for [b=1:COUNT] DATA using (x(b)):(column('low')):(0):(column('high') - column('low')) \
         with vectors nohead lc rgb '#111111' lw LW*0.5 notitle, \
     DATA using (at(column('place'), column('backend'))):(shows(1) ? column('high') * LIFT : 1):(shows(1) ? strcol('text') : '') \
         with labels left rotate by 90 font sprintf(',%g', TEXT) textcolor rgb MID notitle, \
     DATA using (at(column('place'), column('backend'))):(shows(-1) ? column('low') / LIFT : 1):(shows(-1) ? strcol('text') : '') \
         with labels right rotate by 90 font sprintf(',%g', TEXT) textcolor rgb MID notitle, \
     DATA using (at(column('place'), column('backend'))):(LIFT):(strcol('outcome') eq 'ok' ? '' : strcol('outcome')) \
         with labels left rotate by 90 font sprintf(',%g', TEXT) textcolor rgb '#B00020' notitle, \
     DATA using (column('place')):(1):xticlabels(strcol('group')."\n".strcol('baseline_text')) with points ps 0 notitle
