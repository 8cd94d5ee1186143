// SPDX-License-Identifier: MIT
// table.js - every configuration, sorted by any column, filtered by word, backend and workload; a metric is a set of columns.
"use strict";

const interval = (low, high, say) => { const text = between(low, high, say); return text && html("small", {}, text); };

const COLUMNS = {
  configuration: { of: (r) => `${r.group} ${r.label}`, show: (r) => html("a", { href: `#${r.id}`, style: paint(r.colour) }, html("span", { class: r.hollow ? "swatch hollow" : "swatch" }), r.name) },
  group:         { of: (r) => r.group, words: true },
  "ns/op":       { of: (r) => r.ns, show: (r) => digits(r.ns) },
  "95 %":        { of: (r) => (r.high - r.low) / r.ns, show: (r) => interval(r.low, r.high, digits), tip: "95 % interval of ns/op; sorted by its width" },
  "CPU ns/op":   { of: (r) => r.cpu, show: (r) => digits(r.cpu) },
  "op/s":        { of: (r) => (r.ns ? 1e9 / r.ns : null), show: (r) => perSecond(1e9 / r.ns) },
  ratio:         { of: (r) => r.ratio, show: (r) => digits(r.ratio), tip: "of time, to the group's baseline" },
  "ratio, 95 %": { of: (r) => (r.ratio_high - r.ratio_low) / r.ratio, show: (r) => interval(r.ratio_low, r.ratio_high, digits) },
  LBO:           { of: (r) => r.lbo, show: (r) => inTimes(r.lbo), tip: "lower-bound overhead: time over the cheapest collector's, less the pauses seen there" },
  verdict:       { of: (r) => r.verdict, show: (r) => html("span", { class: r.verdict.split(" ").pop() }, r.verdict + (r.notes.length ? ` (${r.notes.join(", ")})` : "")), words: true, wide: true },
  "peak RSS":    { of: (r) => r.peak, show: (r) => inBytes(r.peak) },
  "end RSS":     { of: (r) => r.end, show: (r) => inBytes(r.end) },
  live:          { of: (r) => r.live, show: (r) => inBytes(r.live) },
  overhead:      { of: (r) => r.overhead, show: (r) => inTimes(r.overhead), tip: "peak RSS over live bytes" },
  "MiB·s":       { of: (r) => r.integral, show: (r) => digits(r.integral / 2 ** 20), tip: "RSS integrated over the time of the units" },
  "inside":      { of: (r) => r.internal, show: (r) => `${digits(100 * r.internal, 2)} %`, tip: "internal fragmentation: rounded up, of what is used" },
  "outside":     { of: (r) => r.external, show: (r) => `${digits(100 * r.external, 2)} %`, tip: "external fragmentation: held and not used, of what is held" },
  pauses:        { of: (r) => r.pauses?.count, show: (r) => digits(r.pauses.count) },
  p50:           { of: (r) => r.pauses?.p50, show: (r) => inNs(r.pauses.p50) },
  p99:           { of: (r) => r.pauses?.p99, show: (r) => inNs(r.pauses.p99), tip: "withheld where fewer than a thousand pauses were seen" },
  longest:       { of: (r) => r.pauses?.max, show: (r) => inNs(r.pauses.max) },
  "MMU 10 ms":   { of: (r) => r.pauses?.mmu.find((m) => m[0] === 10)?.[1], show: (r) => `${digits(100 * r.pauses.mmu.find((m) => m[0] === 10)[1])} %`, tip: "minimum mutator utilisation" },
  instructions:  { of: (r) => r.instructions, show: (r) => digits(r.instructions, 6), tip: "of one operation, counted by callgrind" },
};
const METRICS = {
  time:    ["ns/op", "95 %", "CPU ns/op", "ratio", "ratio, 95 %", "LBO", "verdict"],
  memory:  ["peak RSS", "end RSS", "live", "overhead", "MiB·s", "inside", "outside", "verdict"],
  pauses:  ["pauses", "p50", "p99", "longest", "MMU 10 ms"],
  everything: Object.keys(COLUMNS).slice(2),
};

class Table {
  constructor(rows, open) {
    this.rows = rows; this.open = open; this.by = null; this.up = true;
    this.head = document.querySelector("#table thead"); this.body = document.querySelector("#table tbody");
    this.form = Object.fromEntries(["find", "backend", "workload", "columns"].map((id) => [id, document.getElementById(id)]));
    const choose = (select, first, values) => select.append(...(first ? [html("option", { value: "" }, first)] : []), ...values.map((v) => html("option", { value: v }, v)));
    choose(this.form.backend, "all", [...new Set(rows.map((r) => r.backend))].sort());
    choose(this.form.workload, "all", [...new Set(rows.map((r) => r.workload))].sort());
    choose(this.form.columns, null, Object.keys(METRICS).filter((m) => this.known(METRICS[m]).some((c) => c !== "verdict")));
    document.getElementById("filters").addEventListener("input", () => this.draw());
    document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());
    this.draw();
  }
  known(names) { return names.filter((name) => this.rows.some((r) => this.value(r, name) !== null)); }
  value(row, name) { const value = COLUMNS[name].of(row); return value === undefined || value === null || Number.isNaN(value) ? null : value; }
  sortBy(name) {
    this.up = this.by === name ? !this.up : true;
    this.by = name;
    this.draw();
  }
  chosen() {
    const words = this.form.find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = this.rows.filter((r) => (!this.form.backend.value || r.backend === this.form.backend.value)
      && (!this.form.workload.value || r.workload === this.form.workload.value) && words.every((w) => r.text.includes(w)));
    if (!this.by) return rows;
    const sign = this.up ? 1 : -1;
    return rows.sort((a, b) => {                       // what has no value is last, either way
      const x = this.value(a, this.by), y = this.value(b, this.by);
      if (x === null || y === null) return (x === null) - (y === null);
      return sign * (typeof x === "string" ? x.localeCompare(y) : x - y);
    });
  }
  draw() {
    const names = ["configuration", "group", ...this.known(METRICS[this.form.columns.value])], rows = this.chosen();
    this.head.replaceChildren(html("tr", {}, ...names.map((name) => {
      const button = html("button", { type: "button", "data-tip": COLUMNS[name].tip }, name);
      button.addEventListener("click", () => this.sortBy(name));
      return html("th", { scope: "col", class: COLUMNS[name].words && "words", "aria-sort": this.by === name ? (this.up ? "ascending" : "descending") : null }, button);
    })));
    this.body.replaceChildren(...rows.map((row) => {
      const line = html("tr", { "data-id": row.id }, ...names.map((name) => html("td", { class: COLUMNS[name].wide ? "words wide" : COLUMNS[name].words && "words" }, this.cell(row, name))));
      line.addEventListener("click", (event) => { event.preventDefault(); this.open(row); });
      return line;
    }));
    document.getElementById("count").textContent = `${rows.length} of ${this.rows.length} configurations`;
  }
  cell(row, name) {
    const value = this.value(row, name);
    if (value === null) return name === "ns/op" && row.outcome !== "ok" ? html("span", { class: "bad" }, row.outcome) : "–";
    return COLUMNS[name].show ? COLUMNS[name].show(row) : value;
  }
}
