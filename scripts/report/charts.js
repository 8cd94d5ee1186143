// SPDX-License-Identifier: MIT
// charts.js - figures as SVG, drawn at the width they have; every mark says its value when it is pointed at.
"use strict";

const SVG = "http://www.w3.org/2000/svg";

function element(space, tag, attributes, children) {
  const made = space ? document.createElementNS(space, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {}))
    if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value);
  made.append(...(children || []).filter((child) => child !== null && child !== undefined));
  return made;
}
const html = (tag, attributes, ...children) => element(null, tag, attributes, children);
const svg = (tag, attributes, ...children) => element(SVG, tag, attributes, children);
const paint = (colour) => (colour ? `--backend: ${colour}` : null);

// --- numbers as people read them --------------------------------------------------------------------

const digits = (value, n = 3) => Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en") : Number(value.toPrecision(n)).toString();
const inNs = (ns) => ns >= 1e9 ? `${digits(ns / 1e9)} s` : ns >= 1e6 ? `${digits(ns / 1e6)} ms` : ns >= 1e4 ? `${digits(ns / 1e3)} µs` : `${digits(ns)} ns`;
const inBytes = (b) => Math.abs(b) >= 2 ** 30 ? `${digits(b / 2 ** 30)} GiB` : Math.abs(b) >= 2 ** 20 ? `${digits(b / 2 ** 20)} MiB` : `${digits(b / 1024)} KiB`;
const inTimes = (ratio) => `${digits(ratio)}×`;
const perSecond = (rate) => rate >= 1e9 ? `${digits(rate / 1e9)} G/s` : rate >= 1e6 ? `${digits(rate / 1e6)} M/s` : rate >= 1e3 ? `${digits(rate / 1e3)} k/s` : `${digits(rate)} /s`;
const between = (low, high, say) => (low === null || high === null ? "" : `${say(low)} … ${say(high)}`);

// --- scales -------------------------------------------------------------------------------------------

function scale(from, to, start, end, logarithmic) {
  const t = logarithmic ? Math.log : (v) => v;
  return (value) => start + ((t(value) - t(from)) / (t(to) - t(from) || 1)) * (end - start);
}

// The ticks that people expect first, as long as there is room: one, doubles and halves (or tens), then what is between.
function logTicks(from, to, x, room) {
  const base = to / from > 500 ? 10 : 2, first = [1], powers = Math.ceil(Math.log(Math.max(to, 1 / from, 2)) / Math.log(base)) + 1;
  for (let k = 1; k <= powers; k++) first.push(base ** k, base ** -k);
  const wanted = [...first, 1.5, 0.75, 3, 1.2, 0.9, 1.1, 0.6], kept = [];
  for (const t of wanted.filter((t) => t >= from && t <= to))
    if (kept.every((other) => Math.abs(x(other) - x(t)) >= room)) kept.push(t);
  return kept.sort((a, b) => a - b);
}

function linearTicks(from, to, most, unit) {
  if (unit) return linearTicks(from / unit, to / unit, most).map((t) => t * unit);
  const rough = (to - from) / most || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((m) => rough <= m * power * 1.0001);
  const ticks = [];
  for (let t = Math.ceil(from / step) * step; t <= to * 1.0001; t += step) ticks.push(Number(t.toPrecision(6)));
  return ticks;
}

// --- names as wide as there is room -------------------------------------------------------------------

const LETTER = 7;       // pixels, at most
const fitted = (name, width) => (name.length * LETTER <= width ? name : `${name.slice(0, Math.floor(width / LETTER) - 1)}…`);

// --- dots with whiskers: one row a configuration ------------------------------------------------------
// rows: {name, colour, hollow, value, low, high, text, failed, tip, open}; base: where the line is; floor: relative.

function dots(place, { rows, base, floor, tick, label }) {
  const unit = tick === inTimes ? 1 : tick === inBytes ? 2 ** 20 : 10 ** Math.floor(Math.log10(Math.max(...rows.map((r) => r.value || 0), 1)));
  const width = Math.max(260, place.clientWidth), longest = Math.max(...rows.map((r) => r.name.length)), left = Math.min(Math.max(150, longest * LETTER), width * 0.4), right = 62, height = 25;
  const known = rows.filter((r) => r.value > 0).flatMap((r) => [r.value, r.low ?? r.value, r.high ?? r.value]).filter((v) => v > 0);
  const all = base ? [...known, base * 0.9, base * 1.12] : known.length ? known : [1];
  const from = Math.min(...all) / 1.06, to = Math.max(...all) * 1.06, bottom = rows.length * height + 4;
  const x = scale(from, to, left + 8, width - right, true);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${bottom + 36}`, role: "img", "aria-label": label });
  if (base && floor > 0) {
    const low = x(Math.max(from, base / (1 + floor))), high = x(Math.min(to, base * (1 + floor)));
    picture.append(svg("rect", { class: "floor", x: low, y: 0, width: Math.max(0, high - low), height: bottom }));
  }
  for (const t of logTicks(from / unit, to / unit, (t) => x(t * unit), 46).map((t) => t * unit))
    picture.append(svg("line", { class: "axis", x1: x(t), x2: x(t), y1: 0, y2: bottom }),
                   svg("text", { x: x(t), y: bottom + 15, "text-anchor": "middle" }, tick(t)));
  if (base) picture.append(svg("line", { class: "base", x1: x(base), x2: x(base), y1: 0, y2: bottom }));
  rows.forEach((row, i) => picture.append(dot(row, (i + 0.5) * height + 2, { x, left, width, height })));
  picture.append(svg("text", { x: width / 2, y: bottom + 32, "text-anchor": "middle" }, label));
  place.append(picture);
}

function dot(row, y, { x, left, width, height }) {
  const made = svg("g", { class: "row", style: paint(row.colour), tabindex: 0, role: "button", "aria-label": row.tip, "data-tip": row.tip },
    svg("rect", { class: "hit", x: 0, y: y - height / 2, width, height, rx: 4 }),
    svg("text", { class: "name", x: left, y: y + 4, "text-anchor": "end" }, fitted(row.name, left)));
  if (row.value > 0) {
    if (row.low > 0 && row.high > 0) made.append(svg("line", { class: "mark", x1: x(row.low), x2: x(row.high), y1: y, y2: y }));
    made.append(svg("circle", { class: row.hollow ? "mark hollow" : "mark", cx: x(row.value), cy: y, r: 4.6 }),
                svg("text", { x: width - 2, y: y + 4, "text-anchor": "end" }, row.text));
  } else made.append(svg("text", { class: "failed", x: left + 10, y: y + 4 }, row.failed));
  if (row.open) {
    made.addEventListener("click", row.open);
    made.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); row.open(); } });
  }
  return made;
}

// --- lines ----------------------------------------------------------------------------------------------
// series: {name, colour, thin, points: [[x, y]]}; sayX and sayY write a value; the nearest point speaks.

function lines(place, { series, sayX, sayY, labelX, logX, logY, top, tall }) {
  series = series.filter((s) => s.points.length);
  const width = Math.max(260, place.clientWidth), height = tall || 210, left = 58, bottom = height - 38;
  const xs = series.flatMap((s) => s.points.map((p) => p[0])), ys = series.flatMap((s) => s.points.map((p) => p[1]));
  const fromX = Math.min(...xs), toX = Math.max(...xs), fromY = logY ? Math.min(...ys) / 1.2 : 0, toY = top || Math.max(...ys, 1e-9) * (logY ? 1.2 : 1.06);
  const x = scale(fromX, toX, left, width - 10, logX), y = scale(fromY, toY, bottom, 6, logY);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": labelX });
  const many = Math.max(3, Math.floor((width - left) / 90));
  for (const t of logY ? logTicks(fromY, toY, y, 22) : linearTicks(fromY, toY, 4, sayY === inBytes ? (toY > 2 ** 21 ? 2 ** 20 : 2 ** 10) : null))
    picture.append(svg("line", { class: "axis", x1: left, x2: width - 10, y1: y(t), y2: y(t) }), svg("text", { x: left - 6, y: y(t) + 4, "text-anchor": "end" }, sayY(t)));
  for (const t of logX ? logTicks(fromX, toX, x, 64) : linearTicks(fromX, toX, many))
    picture.append(svg("text", { x: x(t), y: bottom + 16, "text-anchor": "middle" }, sayX(t)));
  picture.append(svg("text", { x: (left + width) / 2, y: bottom + 33, "text-anchor": "middle" }, labelX));
  for (const s of series)
    picture.append(svg("path", { class: s.thin ? "line thin" : "line", style: paint(s.colour), d: "M" + s.points.map((p) => `${x(p[0]).toFixed(1)} ${y(p[1]).toFixed(1)}`).join("L") }));
  const cross = svg("g", { visibility: "hidden" }, svg("line", { class: "cross", y1: 0, y2: bottom }), svg("circle", { class: "mark", r: 4 }));
  picture.append(cross, svg("rect", { x: left, y: 0, width: width - left, height: bottom, fill: "transparent" }));
  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect(), at = [((event.clientX - box.left) * width) / box.width, ((event.clientY - box.top) * height) / box.height];
    const near = series.flatMap((s) => s.points.map((p) => [Math.hypot(x(p[0]) - at[0], (y(p[1]) - at[1]) / 2), s, p])).reduce((a, b) => (b[0] < a[0] ? b : a));
    const [, s, p] = near;
    cross.setAttribute("visibility", "visible");
    cross.setAttribute("style", paint(s.colour));
    cross.firstChild.setAttribute("x1", x(p[0])); cross.firstChild.setAttribute("x2", x(p[0]));
    cross.lastChild.setAttribute("cx", x(p[0])); cross.lastChild.setAttribute("cy", y(p[1]));
    tell(`${s.name}\n${sayY(p[1])} at ${sayX(p[0])}`, event.clientX, event.clientY);
  });
  picture.addEventListener("pointerleave", () => { cross.setAttribute("visibility", "hidden"); tell(null); });
  place.append(picture);
}

const key = (rows) => html("ul", { class: "key" }, ...rows.map((r) =>
  html("li", { style: paint(r.colour) }, html("span", { class: r.hollow ? "swatch hollow" : "swatch" }), r.name)));

// --- the tip ---------------------------------------------------------------------------------------------

function tell(text, x, y) {
  const tip = document.getElementById("tip");
  tip.hidden = !text;
  if (!text) return;
  tip.textContent = text;
  const box = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(6, Math.min(x + 14, innerWidth - box.width - 6))}px`;
  tip.style.top = `${y + 18 + box.height > innerHeight ? Math.max(4, y - box.height - 10) : y + 18}px`;
}

document.addEventListener("pointermove", (event) => {
  const marked = event.target.closest?.("[data-tip]");
  if (marked) tell(marked.dataset.tip, event.clientX, event.clientY);
  else if (!event.target.closest?.("svg")) tell(null);
});
document.addEventListener("focusin", (event) => {
  const marked = event.target.closest?.("svg [data-tip]");
  if (marked && marked.matches(":focus-visible")) { const box = marked.getBoundingClientRect(); tell(marked.dataset.tip, box.left + box.width / 2, box.bottom - 12); }
});
document.addEventListener("focusout", () => tell(null));
