// Pieces that several views share.

import { sign } from "./chart.js";
import { address, h } from "./dom.js";
import * as text from "./text.js";

export const LEVELS = ["failing", "act", "plan", "watch", "fine", "none"];

export const level = (name) => h("span", { class: `level ${name}` }, sign(name), h("span", {}, text.word("level", name)));

export const machineAddress = (machine) => address(["machine", machine.zoneId, machine.equipId]);

/** A machine's expected failure, or that it lies beyond the cap. */
export function expected(machine, cap) {
  if (machine.state === "failing") return text.t("now");
  if (machine.expected_failure_at) return text.date(machine.expected_failure_at);
  if (machine.rul_days === null || machine.rul_days === undefined) return "–";
  return cap ? text.t("beyond", { days: text.count(cap) }) : "–";
}

/** The days a machine has left; from nearly the cap on they are only known not to be less. */
export function daysLeft(machine, cap) {
  if (machine.rul_days === null || machine.rul_days === undefined) return "–";
  const isBeyond = machine.expected_failure_at === null && machine.state !== "failing" && cap;
  return isBeyond ? `≥ ${text.count(cap)}` : text.days(machine.rul_days);
}

/** A case's status in a line or two: who has it, and what is planned. */
export function caseStatus(one) {
  if (one.status === "open") return [h("strong", {}, text.t("case.open")), h("small", {}, text.t("case.since", { time: text.time(one.opened_at) }))];
  const by = one.acknowledged_by && one.acknowledged_by !== "local" ? text.t("case.by", { name: one.acknowledged_by }) : "";
  const seen = one.acknowledged_at && text.t("case.acknowledged", { time: text.time(one.acknowledged_at) });
  if (!one.planned_for) return [h("strong", {}, seen), by && h("small", {}, by)];
  return [h("strong", {}, text.t("case.planned", { time: text.time(one.planned_for) })), h("small", {}, [seen, by].filter(Boolean).join(", "))];
}

/** A table: columns are texts, rows lists of cells that are texts or nodes; the first cell of each names the row. */
export function table(caption, columns, rows, options = {}) {
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    h("table", { class: options.class },
      h("caption", { class: "unseen" }, caption),
      h("thead", {}, h("tr", {}, columns.map((column) => h("th", { scope: "col" }, column)))),
      h("tbody", {}, rows.map(([name, ...cells]) => h("tr", {}, h("th", { scope: "row" }, name), cells.map((cell) => h("td", {}, cell)))))));
}

/** A section with a heading. */
export function section(title, ...children) {
  return h("section", { class: "card" }, h("h2", {}, title), children);
}

/** Terms and what they say; empty ones are left out. */
export function terms(pairs) {
  return h("dl", { class: "terms" }, pairs.filter(([, value]) => value).map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value))));
}
