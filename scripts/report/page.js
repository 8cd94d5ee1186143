// SPDX-License-Identifier: MIT
// page.js - the page, from the run's data: what ran, claims, figures, table, detail, provenance, downloads.
"use strict";

const RUN = JSON.parse(document.getElementById("run").textContent);
const at = (id) => document.getElementById(id);
const ROWS = RUN.groups.flatMap((g) => g.rows);
for (const row of ROWS)
  row.text = [row.group, row.label, row.name, row.workload, row.backend, row.verdict, row.outcome, ...row.notes].join(" ").toLowerCase();

// --- what ran ---------------------------------------------------------------------------------------------

function head() {
  at("figures").hidden = !RUN.groups.some((g) => Object.values(VIEWS).some((v) => v.fits(g)));
  at("name").textContent = RUN.title;
  at("lead").textContent = RUN.lead;
  at("facts").append(...RUN.facts.map(([number, words]) => html("li", {}, html("b", {}, number), html("span", {}, words))));
  const parts = [...document.querySelectorAll("main > section")].filter((s) => !s.hidden);
  at("nav").append(html("ul", {}, ...parts.map((s) => html("li", {}, html("a", { href: `#${s.id}` }, s.querySelector("h2").textContent)))));
}

function claims() {
  at("claims").hidden = !RUN.claims.length;
  at("claim-list").append(...RUN.claims.map((c) => html("article", { class: "claim" }, html("b", { class: c.verdict }, c.verdict),
    html("div", {}, html("q", {}, c.sentence), html("p", {}, [c.source, c.finding].filter(Boolean).join(" — "))))));
}

// --- figures ------------------------------------------------------------------------------------------------

const relative = (value, low, high) => ({ value, low: low ?? value, high: high ?? value });
const VIEWS = {
  throughput: {
    fits: (g) => g.rows.some((r) => r.ns),
    draw(place, g) {
      const base = g.rows.find((r) => r.label === g.baseline), ratios = g.figure !== "threads" && base?.ns;
      const rows = g.rows.map((r) => mark(r, !r.ns ? null : ratios ? (r === base ? relative(1) : r.ratio ? relative(1 / r.ratio, r.ratio_high && 1 / r.ratio_high, r.ratio_low && 1 / r.ratio_low) : null)
        : relative(1e9 / r.ns, r.high && 1e9 / r.high, r.low && 1e9 / r.low), ratios ? inTimes : perSecond,
        r.ns && `${digits(r.ns)} ns per ${g.operation}  ${between(r.low, r.high, digits)}`));
      dots(place, { rows, base: ratios ? 1 : null, floor: ratios ? g.floor : 0, tick: ratios ? inTimes : perSecond,
        label: ratios ? `throughput over ${base.name} (${digits(base.ns)} ns per ${g.operation})` : `${g.operation}s, all threads together` });
    },
  },
  memory: {
    fits: (g) => g.rows.some((r) => r.peak > 0),
    draw(place, g) {
      const rows = g.rows.map((r) => mark(r, r.peak > 0 ? relative(r.peak, r.peak_low, r.peak_high) : null, inBytes,
        r.peak && `peak ${inBytes(r.peak)}, at the end ${inBytes(r.end)}, live ${r.live ? inBytes(r.live) : "not known"}`));
      dots(place, { rows, base: g.rows.find((r) => r.label === g.baseline)?.peak, floor: 0, tick: inBytes, label: "peak memory above the empty process" });
    },
  },
  "memory over time": {
    fits: (g) => g.rows.some((r) => r.series.length),
    draw(place, g) {
      const all = g.rows.filter((r) => r.series.length), plain = all.filter((r) => !r.hollow), known = plain.length ? plain : all;
      lines(place, { series: known.map((r) => ({ name: r.name, colour: r.colour, points: r.series.map((p) => [p[0], p[1]]) })),
        sayX: (ms) => `${digits(ms)} ms`, sayY: inBytes, labelX: "time, the same units of work" });
      place.append(key(known));
    },
  },
  pauses: {
    fits: (g) => g.rows.some((r) => r.pauses?.curve.length),
    draw(place, g) {
      const known = g.rows.filter((r) => r.pauses?.curve.length);
      lines(place, { series: known.map((r) => ({ name: r.name, colour: r.colour, points: r.pauses.curve })), logX: true, logY: true, sayX: (v) => `1 in ${digits(v)}`, sayY: inNs, labelX: "one pause in so many is longer" });
      place.append(key(known));
    },
  },
  latency: {
    fits: (g) => g.rows.some((r) => r.latency.metered),
    draw(place, g) {
      const known = g.rows.filter((r) => r.latency.metered);
      const curve = (r, kind, thin) => ({ name: `${r.name}, ${kind}`, colour: r.colour, thin, points: r.latency[kind] });
      lines(place, { series: known.flatMap((r) => [curve(r, "metered", false), curve(r, "simple", true)]), logX: true, logY: true, sayX: (v) => `1 in ${digits(v)}`, sayY: inNs,
        labelX: "one in so many is longer; dashed: simple" });
      place.append(key(known));
    },
  },
  utilisation: {
    fits: (g) => g.rows.some((r) => r.pauses?.mmu.length > 1),
    draw(place, g) {
      const known = g.rows.filter((r) => r.pauses?.mmu.length > 1);
      const series = known.flatMap((r) => [{ name: r.name, colour: r.colour, points: r.pauses.mmu },
        ...(r.pauses.mmu_without_gil.length > 1 ? [{ name: `${r.name}, without waits for the GIL`, colour: r.colour, thin: true, points: r.pauses.mmu_without_gil }] : [])]);
      lines(place, { series, logX: true, top: 1, sayX: (ms) => `${digits(ms)} ms`, sayY: (u) => `${digits(100 * u)} %`,
        labelX: "window; dashed: without waits for the GIL" });
      place.append(key(known));
    },
  },
};

function mark(row, shown, say, more) {
  const failed = row.outcome === "ok" ? "not measured" : row.outcome.replaceAll("_", " ");
  return { name: row.name, colour: row.colour, hollow: row.hollow, failed, text: shown && say(shown.value), ...shown, open: () => detail(row),
    tip: [row.name, shown ? `${say(shown.value)}  ${shown.low < shown.high ? between(shown.low, shown.high, say) : ""}` : failed, more, row.verdict, ...row.notes].filter(Boolean).join("\n") };
}

let view = null;
function figures() {
  const views = Object.keys(VIEWS).filter((name) => RUN.groups.some((g) => VIEWS[name].fits(g)));
  view = views.includes("latency") ? "latency" : views[0];         // an open loop's time is its schedule's
  at("metric").append(...views.map((name) => {
    const button = html("button", { type: "button", "aria-pressed": name === view }, name);
    button.addEventListener("click", () => {
      view = name;
      for (const other of at("metric").children) other.setAttribute("aria-pressed", other === button);
      drawFigures();
    });
    return button;
  }));
  drawFigures();
  let width = innerWidth;
  addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; drawFigures(); } });
}

function drawFigures() {
  at("figure-grid").replaceChildren();
  for (const g of RUN.groups.filter((g) => view && VIEWS[view].fits(g))) {
    const card = html("article", { class: "card", "data-group": g.name }, html("h3", {}, g.title), html("p", {}, g.words), ...g.notes.map((n) => html("p", { class: "warn" }, n)));
    at("figure-grid").append(card);
    const place = html("div", {});
    card.append(place);
    VIEWS[view].draw(place, g);
  }
}

function pictures() {
  at("heap").hidden = !RUN.heap.rows.length;
  at("more").hidden = !RUN.pictures.length;
  const line = (tag, cells) => html("tr", {}, ...cells.map((c) => html(tag, {}, c)));
  if (RUN.heap.rows.length)
    at("looks").append(html("table", {}, html("thead", {}, line("th", RUN.heap.columns)), html("tbody", {}, ...RUN.heap.rows.map((r) => line("td", r)))));
  at("pictures").append(...RUN.pictures.map(([words, source]) => html("img", { src: source, alt: words, class: "picture" })));
}

// --- detail ---------------------------------------------------------------------------------------------------

function detail(row) {
  const inner = at("detail").firstElementChild, close = html("button", { type: "button", class: "close" }, "Close");
  close.addEventListener("click", () => at("detail").close());
  inner.replaceChildren(close, html("h3", { id: "detail-name" }, `${row.group}: ${row.name}`), html("p", { class: "note" }, row.sentence));
  if (row.message) inner.append(html("p", { class: "bad" }, row.message));
  history.replaceState(null, "", `#${row.id}`);
  if (!at("detail").open) at("detail").showModal();
  const part = (title, draw) => { const place = html("div", {}); inner.append(html("h4", {}, title), place); draw(place); };
  if (row.values.length)
    part("Its invocations, nanoseconds an operation", (place) => dots(place, { label: "ns per operation; the line is the median", base: row.ns, floor: 0, tick: digits,
      rows: row.values.map((v, i) => ({ name: `invocation ${i + 1}`, colour: row.colour, value: v[0], low: v[1], high: v[2], text: digits(v[0]), tip: `${digits(v[0])} ns; its rounds ${between(v[1], v[2], digits)}` })) }));
  if (row.series.length)
    part("Memory over time: resident, and asked for (dashed)", (place) => lines(place, { sayX: (ms) => `${digits(ms)} ms`, sayY: inBytes, labelX: "time", tall: 200,
      series: [{ name: "resident", colour: row.colour, points: row.series.map((p) => [p[0], p[1]]) }, { name: "asked for", colour: row.colour, thin: true, points: row.series.map((p) => [p[0], p[2]]) }] }));
  if (row.pauses?.curve.length)
    part("Pauses", (place) => lines(place, { sayX: (v) => `1 in ${digits(v)}`, sayY: inNs, labelX: "one pause in so many is longer", logX: true, logY: true, tall: 200,
      series: [{ name: row.name, colour: row.colour, points: row.pauses.curve }] }));
  inner.append(html("h4", {}, "Numbers"), list(html("dl", {}), row.numbers));
}
at("detail").addEventListener("close", () => { tell(null); history.replaceState(null, "", location.pathname + location.search); });
at("detail").addEventListener("click", (event) => { if (event.target === at("detail")) at("detail").close(); });

// --- provenance and data ----------------------------------------------------------------------------------------

function list(place, pairs) {
  place.append(...pairs.flatMap(([name, value]) => [html("dt", {}, name), html("dd", {}, name === "command" ? html("code", {}, value) : value)]));
  return place;
}

function downloads() {
  const inside = (name, type, text) => ["a", { href: URL.createObjectURL(new Blob([text], { type })), download: name }, name];
  const names = Object.keys(COLUMNS), cell = (v) => (v === null ? "" : `"${String(v).replaceAll('"', '""')}"`);
  const csv = [names, ...ROWS.map((r) => names.map((n) => COLUMNS[n].of(r) ?? null))].map((line) => line.map(cell).join(",")).join("\n");
  const here = [inside("table.csv", "text/csv", csv), inside("run-data.json", "application/json", JSON.stringify(RUN))];
  at("files").append(...here.map(([tag, attributes, name]) => html("li", {}, html(tag, attributes, name, " ", html("small", {}, "in this page")))),
    ...RUN.files.map(([name, size]) => html("li", {}, html("a", { href: name }, name, " ", html("small", {}, inBytes(size))))));
}

claims();
pictures();
head();
figures();
new Table(ROWS, detail);
list(at("machine"), RUN.machine);
list(at("origin"), RUN.origin);
downloads();
const asked = ROWS.find((r) => `#${r.id}` === location.hash);
if (asked) detail(asked);
document.documentElement.dataset.ready = "yes";
