"use strict";
// Draws the page of `guerdon judge` from the JSON in it. Texts of models are only ever set as text, never as markup.
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

const thousands = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, "\u202f");
const share = (x) => `${(100 * x).toFixed(1)} %`;
const number = (x) => Number(Number(x).toFixed(3)).toString();

function fact(value, name) {
  return el("div", { class: "fact" }, el("b", {}, value), el("span", {}, name));
}

function facts() {
  const { tally } = data;
  const list = [fact(thousands(tally.rows), "rows")];
  const verdicts = tally.verdicts;
  if (verdicts) {
    list.push(fact(thousands(verdicts.first), "first is better"), fact(thousands(verdicts.tie), "ties"), fact(thousands(verdicts.second), "second is better"));
  }
  if (tally.mean !== undefined) list.push(fact(number(tally.mean), "mean grade"));
  const agreement = tally.agreement;
  if (agreement) {
    list.push(fact(share(agreement.share), `agree with the labels (${share(agreement.low)} to ${share(agreement.high)} of ${thousands(agreement.labelled)})`));
  }
  const unscored = Object.values(tally.unscored).reduce((sum, reason) => sum + reason.count, 0);
  if (unscored > 0) list.push(fact(thousands(unscored), "without a judgement"));
  return el("div", { class: "facts" }, ...list);
}

function text(label, words) {
  return words ? el("div", {}, el("div", { class: "label" }, label), el("pre", { class: "text" }, words)) : null;
}

const chip = (words, kind = "") => el("span", { class: `chip ${kind}` }, words);

function card(item) {
  const chips = [];
  const side = (name) => (name === "model_a" ? item.names[0] : name === "model_b" ? item.names[1] : "tie");
  if (item.winner) chips.push(chip(item.winner === "tie" ? "a tie" : `${side(item.winner)} is better`, "key"));
  if (item.preference) chips.push(chip(`P(first) ${number(item.preference[0])}, tie ${number(item.preference[1])}`));
  for (const value of item.winner ? [] : item.values) chips.push(chip(number(value), "key"));
  if (item.confidence !== null) chips.push(chip(`sure ${number(item.confidence)}`));
  if (item.label) chips.push(chip(`people: ${side(item.label)}`, item.label === item.winner ? "" : "bad"));
  if (item.error) chips.push(chip("no judgement", "bad"));
  const responses = item.responses.map((words, k) => text(item.responses.length > 1 ? `response ${k + 1}${item.names[k] ? ` (${item.names[k]})` : ""}` : "response", words));
  const parts = item.parts.map((part) => `${part.name}: ${part.values.map((v) => (v === null ? "–" : number(v))).join(", ")}`);
  return el("article", { class: "card" },
    el("header", {}, el("b", {}, item.id), ...chips),
    text("asked", item.question),
    el("div", { class: "row" }, ...responses),
    item.error ? text("why there is no judgement", item.error) : null,
    text("the judge's words", item.words),
    parts.length ? text("in parts", parts.join("\n")) : null,
    item.prompt ? el("details", {}, el("summary", { class: "label" }, "the prompt, word for word"), el("pre", { class: "text" }, item.prompt)) : null);
}

function cards() {
  const [tabs, place] = [el("div", { class: "tabs", role: "tablist" }), el("div", {})];
  function show(i) {
    [...tabs.children].forEach((tab, k) => tab.setAttribute("aria-selected", String(k === i)));
    place.replaceChildren(...data.cards[i].cards.map(card));
  }
  data.cards.forEach((group, i) => tabs.append(el("button", { role: "tab", onclick: () => show(i) }, `${group.heading} (${group.cards.length})`)));
  if (data.cards.length) show(0);
  return el("section", {}, el("h2", {}, "Judgements to read"), el("p", { class: "lead" }, "The judge's words beside the responses. Under each heading the first of the run, or an even sample of it."), tabs, place);
}

document.title = `${data.title} – judgements`;
page.replaceChildren(
  el("h1", {}, data.title),
  el("p", { class: "lead" }, `${data.method} on ${data.file}`),
  facts(),
  ...Object.entries(data.tally.unscored).map(([kind, reason]) => el("div", { class: "notice bad" }, `${thousands(reason.count)} without a judgement, ${kind}: ${reason.example}`)),
  cards(),
  el("footer", {}, `${data.spent}. Guerdon ${data.version}.`));
