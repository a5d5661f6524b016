"use strict";
// Draws the report from the JSON in the page. Texts of models are only ever set as text, never as markup.
const data = JSON.parse(document.getElementById("data").textContent);
const page = document.getElementById("page");

function el(name, props = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (key === "class") node.className = value;
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value);
  }
  node.append(...children.filter((c) => c !== null && c !== undefined));
  return node;
}

function svg(name, props = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(props)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

const number = (x, digits = 3) => {
  if (x === null || x === undefined) return "–";
  if (Math.abs(x) < 1e-12) return "0";
  if (x !== 0 && (Math.abs(x) < 1e-3 || Math.abs(x) >= 1e6)) return x.toExponential(2);
  return Number(x.toFixed(digits)).toString();
};
const percent = (x) => `${Math.round(x * 100)} %`;
const thousands = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, "\u202f");

function section(title, lead, ...children) {
  page.append(el("section", {}, el("h2", {}, title), lead ? el("p", { class: "lead" }, lead) : null, ...children));
}

function figure(title, note, picture) {
  return el("figure", {}, el("figcaption", {}, el("b", {}, title), note ? ` — ${note}` : ""), picture);
}

// A picture with axes; `draw` gets the plane and two scales.
function chart({ width = 520, height = 230, x, y, xName = "", yName = "", bottom = 34, left = 44, xTicks }, draw) {
  const box = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
  const inner = { left, right: width - 10, top: 10, bottom: height - bottom };
  const scale = ([a, b], from, to) => (v) => from + ((v - a) / (b - a || 1)) * (to - from);
  const sx = scale(x, inner.left, inner.right);
  const sy = scale(y, inner.bottom, inner.top);
  for (const tick of ticks(y, 4)) {
    box.append(svg("line", { class: "grid", x1: inner.left, x2: inner.right, y1: sy(tick), y2: sy(tick) }));
    const label = svg("text", { x: inner.left - 6, y: sy(tick) + 4, "text-anchor": "end" });
    label.textContent = number(tick, 2);
    box.append(label);
  }
  for (const tick of xTicks ?? ticks(x, 6)) {
    const label = svg("text", { x: sx(tick), y: inner.bottom + 15, "text-anchor": "middle" });
    label.textContent = number(tick, 2);
    box.append(label);
  }
  box.append(svg("line", { class: "axis", x1: inner.left, x2: inner.right, y1: inner.bottom, y2: inner.bottom }));
  const names = [[xName, inner.right, height - 4, "end"], [yName, inner.left, 6, "start"]];
  for (const [text, tx, ty, anchor] of names) {
    const label = svg("text", { x: tx, y: ty, "text-anchor": anchor });
    label.textContent = text;
    box.append(label);
  }
  draw(box, sx, sy, inner);
  return box;
}

function ticks([low, high], wanted) {
  if (!(high > low)) return [low];
  const raw = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= raw);
  const out = [];
  for (let t = Math.ceil(low / step) * step; t <= high + step * 1e-9; t += step) out.push(Math.abs(t) < step * 1e-9 ? 0 : t);
  return out;
}

// Bars of a column: one per value where there are few, else a histogram of the sample, scaled to all rows.
function bars(column) {
  if (column.distinct && column.distinct.length <= 12) return column.distinct.map(([value, count]) => ({ value, count }));
  const values = column.values;
  if (!values.length) return [];
  const low = Math.min(...values), high = Math.max(...values);
  const n = Math.min(32, Math.max(8, Math.round(Math.sqrt(values.length))));
  const width = (high - low) / n || 1;
  const out = Array.from({ length: n }, (_, i) => ({ value: low + (i + 0.5) * width, count: 0 }));
  for (const v of values) out[Math.min(n - 1, Math.floor((v - low) / width))].count += column.scored / values.length;
  return out;
}

function spark(column) {
  const items = bars(column);
  const top = Math.max(1, ...items.map((b) => b.count));
  const box = svg("svg", { viewBox: "0 0 120 28", style: "width:120px;display:inline-block" });
  items.forEach((b, i) => {
    const w = 120 / items.length, h = (b.count / top) * 26;
    box.append(svg("rect", { x: i * w + w * 0.08, y: 28 - h, width: w * 0.84, height: Math.max(h, 0.6), rx: 1, fill: "var(--gold)" }));
  });
  return box;
}

function distribution(column) {
  const items = bars(column);
  if (!items.length) return el("p", { class: "lead" }, "Nothing was scored.");
  const gap = items.length > 1 ? Math.min(...items.slice(1).map((b, i) => b.value - items[i].value)) : 1;
  const span = [items[0].value - gap / 2, items[items.length - 1].value + gap / 2];
  const top = Math.max(...items.map((b) => b.count));
  const few = column.distinct && column.distinct.length <= 12;
  return chart({ x: span, y: [0, top], xName: column.name, yName: "rollouts", xTicks: few ? items.map((b) => b.value) : undefined }, (box, sx, sy, inner) => {
    const w = Math.min(60, Math.max(2, (sx(gap) - sx(0)) * 0.86));
    for (const b of items) {
      const bar = svg("rect", { x: sx(b.value) - w / 2, y: sy(b.count), width: w, height: inner.bottom - sy(b.count), rx: 2, fill: "var(--gold)" });
      const title = svg("title");
      title.textContent = `${number(b.value)}: ${thousands(Math.round(b.count))} rollouts`;
      bar.append(title);
      box.append(bar);
    }
  });
}

function groupPicture() {
  const groups = data.groups.map((g) => ({ ...g, mean: g.rewards.reduce((a, b) => a + b, 0) / g.rewards.length }));
  groups.sort((a, b) => a.mean - b.mean);
  const all = groups.flatMap((g) => g.rewards);
  const low = Math.min(...all), high = Math.max(...all);
  const pad = (high - low) * 0.06 || 0.5;
  return chart({ width: 1060, height: 260, x: [-1, groups.length], y: [low - pad, high + pad], xTicks: [], xName: "groups, lowest mean reward first", yName: "reward" }, (box, sx, sy) => {
    const size = Math.max(1.2, Math.min(4, 420 / groups.length));
    groups.forEach((g, i) => {
      const flat = g.rewards.length > 1 && g.rewards[0] === g.rewards[g.rewards.length - 1];
      const color = !flat ? "var(--gold)" : g.mean <= low ? "var(--red)" : g.mean >= high ? "var(--green)" : "var(--soft)";
      const column = svg("g");
      const title = svg("title");
      title.textContent = `${g.group}: mean ${number(g.mean)} of ${g.rewards.length}`;
      column.append(title);
      if (!flat) column.append(svg("line", { x1: sx(i), x2: sx(i), y1: sy(g.rewards[0]), y2: sy(g.rewards[g.rewards.length - 1]), stroke: "var(--gold-soft)", "stroke-width": size }));
      const counts = new Map();
      g.rewards.forEach((r) => counts.set(r, (counts.get(r) ?? 0) + 1));
      for (const [r, n] of counts) column.append(svg("circle", { cx: sx(i), cy: sy(r), r: size * (0.55 + 0.45 * Math.sqrt(n / g.rewards.length)), fill: color }));
      box.append(column);
    });
    const line = groups.map((g, i) => `${i ? "L" : "M"}${sx(i).toFixed(1)} ${sy(g.mean).toFixed(1)}`).join("");
    box.append(svg("path", { d: line, fill: "none", stroke: "var(--ink)", "stroke-width": 1.4, opacity: 0.75 }));
  });
}

function lengthPicture() {
  const points = data.points;
  const xs = points.map((p) => p.length), ys = points.map((p) => p.reward);
  const sorted = [...xs].sort((a, b) => a - b);
  const right = sorted[Math.floor(sorted.length * 0.995)] || 1;
  const low = Math.min(...ys), high = Math.max(...ys);
  const pad = (high - low) * 0.08 || 0.5;
  return chart({ x: [0, right], y: [low - pad, high + pad], xName: "length of the completion", yName: "reward" }, (box, sx, sy) => {
    points.forEach((p, i) => {
      if (p.length > right) return;
      const jitter = (((i * 2654435761) % 1000) / 1000 - 0.5) * 7;
      const dot = svg("circle", { cx: sx(p.length), cy: sy(p.reward) + jitter, r: 2, fill: "var(--blue)", opacity: 0.35 });
      const title = svg("title");
      title.textContent = `${p.id}: reward ${number(p.reward)}, length ${p.length}`;
      dot.append(title);
      box.append(dot);
    });
    const bins = 12, path = [];
    const ordered = points.filter((p) => p.length <= right).sort((a, b) => a.length - b.length);
    for (let b = 0; b < bins; b++) {
      const part = ordered.slice(Math.floor((b * ordered.length) / bins), Math.floor(((b + 1) * ordered.length) / bins));
      if (!part.length) continue;
      const mean = (k) => part.reduce((s, p) => s + p[k], 0) / part.length;
      path.push(`${path.length ? "L" : "M"}${sx(mean("length")).toFixed(1)} ${sy(mean("reward")).toFixed(1)}`);
    }
    box.append(svg("path", { d: path.join(""), fill: "none", stroke: "var(--gold)", "stroke-width": 2.5 }));
  });
}

function course() {
  const blocks = data.course;
  const low = Math.min(...blocks.map((b) => b.mean)), high = Math.max(...blocks.map((b) => b.mean));
  const pad = (high - low) * 0.1 || 0.5;
  return chart({ x: [0, blocks.length - 1 || 1], y: [low - pad, high + pad], xTicks: [], xName: "order of the file →", yName: "mean reward of a stretch of groups" }, (box, sx, sy) => {
    const path = blocks.map((b, i) => `${i ? "L" : "M"}${sx(i).toFixed(1)} ${sy(b.mean).toFixed(1)}`).join("");
    box.append(svg("path", { d: path, fill: "none", stroke: "var(--blue)", "stroke-width": 1.8 }));
  });
}

function matrix() {
  const names = data.signals.map((s) => s.name), n = names.length;
  const cell = 44, label = 110, size = label + n * cell;
  const box = svg("svg", { viewBox: `0 0 ${size + 10} ${size - label + 40}`, style: `max-width:${Math.min(520, size + 40)}px` });
  const at = (i, j) => data.between[(i * (2 * n - i - 1)) / 2 + (j - i - 1)];
  for (let i = 0; i < n; i++) {
    const side = svg("text", { x: label - 8, y: 24 + i * cell + cell / 2, "text-anchor": "end" });
    side.textContent = names[i];
    const top = svg("text", { x: label + i * cell + cell / 2, y: 14, "text-anchor": "middle" });
    top.textContent = names[i].length > 7 ? `${names[i].slice(0, 6)}…` : names[i];
    box.append(side, top);
    for (let j = 0; j < n; j++) {
      const r = i === j ? 1 : at(Math.min(i, j), Math.max(i, j));
      const fill = r === null ? "var(--grid)" : r >= 0 ? "var(--gold)" : "var(--blue)";
      box.append(svg("rect", { x: label + j * cell + 1, y: 22 + i * cell, width: cell - 2, height: cell - 2, rx: 5, fill, opacity: r === null ? 1 : 0.12 + 0.8 * Math.abs(r) }));
      const value = svg("text", { x: label + j * cell + cell / 2, y: 22 + i * cell + cell / 2 + 3, "text-anchor": "middle", style: "fill:var(--ink)" });
      value.textContent = r === null ? "–" : r.toFixed(2);
      box.append(value);
    }
  }
  return box;
}

function contributions() {
  const items = data.contributions;
  const top = Math.max(...items.map(([, m]) => Math.abs(m.mean) + (m.spread ?? 0)), 1e-9);
  const rows = items.map(([name, m]) => {
    const bar = svg("svg", { viewBox: "0 0 240 18", style: "width:130px;display:inline-block" });
    const w = (Math.abs(m.mean) / top) * 118;
    bar.append(svg("line", { x1: 120, x2: 120, y1: 0, y2: 18, stroke: "var(--line)" }));
    bar.append(svg("rect", { x: m.mean < 0 ? 120 - w : 120, y: 3, width: Math.max(w, 1), height: 12, rx: 2, fill: m.mean < 0 ? "var(--red)" : "var(--gold)" }));
    return el("tr", {}, el("td", {}, name), el("td", {}, bar), el("td", {}, number(m.mean)), el("td", {}, number(m.spread)));
  });
  return el("table", {}, el("tr", {}, ...["signal", "", "mean", "spread"].map((h) => el("th", {}, h))), ...rows);
}

function card(pick) {
  const { row } = pick;
  const chips = [];
  if (row.reward !== null) chips.push(el("span", { class: "chip key" }, `reward ${number(row.reward)}`));
  if (row.advantage !== null) chips.push(el("span", { class: "chip" }, `advantage ${number(row.advantage)}`));
  const words = Object.fromEntries(pick.explanations);
  for (const [name, value] of Object.entries(row.signals)) {
    const chip = el("span", { class: name in row.errors ? "chip bad" : "chip" }, `${name} ${number(value)}`);
    const title = row.errors[name] ?? words[name];
    if (title) chip.title = title;
    chips.push(chip);
  }
  const part = (label, text) => (text === null || text === "" ? [] : [el("div", { class: "label" }, label), el("div", { class: "text" }, typeof text === "string" ? text : JSON.stringify(text))]);
  return el("article", { class: "card" },
    el("header", {}, el("b", {}, row.id), el("span", { class: "why" }, pick.why), ...chips),
    ...part("Prompt", pick.prompt), ...part("Completion", pick.completion), ...part("Reference", pick.reference),
    ...Object.entries(row.errors).flatMap(([name, reason]) => part(`Why ${name} is unscored`, reason)));
}

function reading() {
  const place = el("div");
  const tabs = el("div", { class: "tabs", role: "tablist" });
  const show = (i) => {
    [...tabs.children].forEach((b, k) => b.setAttribute("aria-selected", k === i));
    place.replaceChildren(...data.picks[i].cards.map(card));
  };
  data.picks.forEach((p, i) => tabs.append(el("button", { role: "tab", onclick: () => show(i) }, `${p.heading} (${p.cards.length})`)));
  if (data.picks.length) show(0);
  return [tabs, place];
}

function signalTable() {
  const columns = [...data.signals, data.reward, data.advantage].filter(Boolean);
  const rows = columns.map((c) => {
    const reasons = Object.entries(c.unscored).map(([k, [n]]) => `${thousands(n)} ${k}`).join(", ") || "–";
    return el("tr", {}, el("td", {}, c.name, c.method ? el("small", {}, c.method) : null), el("td", {}, spark(c)),
      ...[number(c.mean), number(c.spread), `${number(c.min, 2)} … ${number(c.max, 2)}`, reasons, c.r_length === null ? "–" : c.r_length.toFixed(2)].map((t) => el("td", {}, t)));
  });
  const heads = ["signal", "distribution", "mean", "spread", "range", "unscored", "r(length)"];
  return el("div", { class: "wide" }, el("table", {}, el("tr", {}, ...heads.map((h) => el("th", {}, h))), ...rows));
}

function main() {
  document.title = `${data.title} — Guerdon report`;
  page.append(el("h1", {}, data.title), el("p", { class: "lead" }, `${data.rollouts_file} scored with ${data.spec_file}`));
  const unscored = data.signals.reduce((s, c) => s + Object.values(c.unscored).reduce((a, [n]) => a + n, 0), 0);
  const fact = (value, name) => el("div", { class: "fact" }, el("b", {}, value), el("span", {}, name));
  page.append(el("div", { class: "facts" },
    fact(thousands(data.rollouts), data.rollouts === 1 ? "rollout" : "rollouts"), fact(thousands(data.groups_total), "groups"),
    data.reward ? fact(number(data.reward.mean), "mean reward") : null,
    data.groups_total < data.rollouts ? fact(percent(data.flat.share), `groups without spread: ${thousands(data.flat.all_wrong)} all wrong, ${thousands(data.flat.all_right)} all right`) : null,
    fact(thousands(unscored), "unscored signals"),
    data.reward && data.reward.r_length !== null ? fact(data.reward.r_length.toFixed(2), "correlation of reward and length") : null));
  if (data.findings.length) section("Monitors", "", ...data.findings.map((f) => el("div", { class: f.fine ? "notice" : "notice bad" }, f.message)));
  section("Signals", "Mean and spread over the scored rollouts; a row that could not be scored is counted with its reason, never as zero.", signalTable());
  if (data.reward) section("Reward", "", el("div", { class: "row" }, figure("How it is distributed", "", distribution(data.reward)),
    data.points.length ? figure("Against length", "the line is the mean per stretch of lengths: a slope is a habit that a learner will find", lengthPicture()) : null));
  if (data.groups.length && data.groups_total < data.rollouts) section("Groups", "Each column is a group. A group without spread teaches nothing: red where all are at the lowest reward, green where all are at the highest.", figure("Rewards within groups", `${thousands(data.groups.length)} of ${thousands(data.groups_total)} groups`, groupPicture()));
  const rest = [];
  if (data.contributions.length > 1) rest.push(figure("What each signal contributes", "weighted, in units of reward", contributions()));
  if (data.signals.length > 1) rest.push(figure("How the signals agree", "correlation, row by row", matrix()));
  if (data.course.length > 3) rest.push(figure("Over the file", "a step is a change of data or policy", course()));
  if (rest.length) section("Structure", "", el("div", { class: "row" }, ...rest));
  if (data.picks.length) section("Read these", "The lowest, the strangest, and what could not be scored. Hover over a signal for its reason.", ...reading());
  page.append(el("footer", {}, `Guerdon ${data.version}`));
}

main();
