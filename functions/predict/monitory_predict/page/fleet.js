// The fleet: all machines, the most urgent first, as the newest run of scoring saw them.

import { get } from "./api.js";
import { intervalAxis, intervalBar, spark } from "./chart.js";
import { address, h } from "./dom.js";
import { entriesOf, outbox } from "./outbox.js";
import { LEVELS, caseStatus, daysLeft, expected, level, machineAddress } from "./parts.js";
import { lateNotice, loading, notice, problemNotice } from "./states.js";
import * as text from "./text.js";

const PAGE = 50;
const MOST_A_REQUEST = 200;
const TYPING_MS = 250;
const LEAST_DAYS = 0.05; // less is shown as nothing
const WIDE = "(min-width: 1140px)"; // as in the style sheet

const COLUMNS = ["state", "machine", "days", "expected", "change", "interval", "trend", "drivers", "case"];

/** Show the fleet; `parameters` may be level, zoneId and q. */
export function open(main, parameters, { signal, announce, fail }) {
  const filter = { level: parameters.level ?? "", zoneId: parameters.zoneId ?? "", q: parameters.q ?? "" };
  let wanted = PAGE;
  let fleet = null; // the newest answer, with the machines of all pages that are shown
  let cases = new Map();
  let turn = 0;

  const head = h("div", { class: "head" }, h("h1", {}, text.t("fleet.title")), h("p", { class: "soft" }));
  const counters = h("div", { class: "counters", role: "group", "aria-label": text.t("fleet.counts") });
  const notices = h("div", { class: "notices" });
  const search = h("input", { type: "search", id: "search", maxlength: 64, value: filter.q, autocomplete: "off", spellcheck: "false", oninput: onType });
  const zones = h("select", { id: "zone", onchange: () => choose({ zoneId: zones.value }) });
  const wide = window.matchMedia(WIDE);
  const filters = h("details", { class: "filters", open: wide.matches || Boolean(filter.q || filter.zoneId) },
    h("summary", {}, text.t("fleet.filters")),
    h("div", {},
      h("label", { for: "search" }, text.t("fleet.search")), search,
      h("label", { for: "zone" }, text.t("fleet.zone")), zones));
  const list = h("div", { class: "fleet" }, loading());
  const end = h("div");
  main.replaceChildren(head, notices, counters, filters, list);
  wide.addEventListener("change", () => { filters.open = wide.matches; }, { signal });
  outbox.addEventListener("change", () => fleet && draw(), { signal });
  outbox.addEventListener("sent", load, { signal });

  let typing;
  function onType() {
    clearTimeout(typing);
    typing = setTimeout(() => choose({ q: search.value.trim() }), TYPING_MS);
  }

  function choose(changes) {
    Object.assign(filter, changes);
    wanted = PAGE;
    history.replaceState(null, "", address([], filter));
    return load();
  }

  /** Read all that is shown again. */
  async function load() {
    const mine = ++turn;
    list.setAttribute("aria-busy", "true");
    try {
      const [answer, open] = await Promise.all([machines(filter, 0, wanted, signal), openCases(signal)]);
      const cause = answer.cap_days === null ? await modelProblem(signal) : null;
      if (mine !== turn) return;
      const isNewer = fleet && fleet.scored_at !== answer.scored_at;
      fleet = answer;
      cases = open ?? cases;
      notices.replaceChildren(...[cause && problemNotice(cause), lateNotice(fleet.scored_at)].filter(Boolean));
      draw();
      if (isNewer) announce(text.t("fleet.updated", { time: text.time(fleet.scored_at), counts: summary(fleet.counts) }));
    } catch (error) {
      if (mine === turn) await failed(error);
    } finally {
      if (mine === turn) list.removeAttribute("aria-busy");
    }
  }

  async function failed(error) {
    if (fail(error)) return;
    const cause = (error.status === 404 && (await modelProblem(signal))) || error;
    if (!fleet) list.replaceChildren();
    notices.replaceChildren(problemNotice(cause, { asOf: fleet?.scored_at, onRetry: load }));
  }

  /** A cheap look whether there is something new; the age is told anew in any case. */
  async function refresh() {
    if (!fleet) return load();
    drawAge();
    try {
      const { level: _, ...place } = filter;
      const newest = await get(["fleet"], { ...place, limit: 1 }, signal);
      const isSame = newest.scored_at === fleet.scored_at && JSON.stringify(newest.counts) === JSON.stringify(fleet.counts);
      if (!isSame || notices.querySelector(".bad")) await load();
      else notices.replaceChildren(...[lateNotice(fleet.scored_at)].filter(Boolean));
    } catch (error) {
      await failed(error);
    }
  }

  function draw() {
    drawAge();
    counters.replaceChildren(...LEVELS.map((name) => counter(name, fleet.counts[name], filter.level === name, () => choose({ level: filter.level === name ? "" : name }))));
    drawZones();
    const scroll = window.scrollY;
    list.replaceChildren(...contents());
    window.scrollTo(0, scroll);
  }

  function drawAge() {
    head.lastChild.textContent = text.t("fleet.scored", { time: text.time(fleet.scored_at), ago: text.ago(fleet.scored_at) });
  }

  function drawZones() {
    const names = fleet.zones.includes(filter.zoneId) || !filter.zoneId ? fleet.zones : [filter.zoneId, ...fleet.zones];
    zones.replaceChildren(h("option", { value: "" }, text.t("fleet.all-zones")), ...names.map((name) => h("option", { value: name, selected: name === filter.zoneId }, name)));
  }

  function contents() {
    const { total, counts } = fleet;
    const isAll = !filter.level && !filter.q && !filter.zoneId;
    if (!total) return [h("p", { class: "nothing" }, text.t(isAll ? "problem.unscored.text" : "fleet.nothing")), !isAll && clear()].filter(Boolean);
    const isCalm = !counts.failing && !counts.act && !counts.plan && counts.watch + counts.fine > 0 && !filter.level;
    const silent = counts.none ? [text.t("fleet.calm.none", { count: text.count(counts.none) })] : [];
    drawEnd();
    return [isCalm && notice("good", text.t("fleet.calm"), silent), table(), end].filter(Boolean);
  }

  function drawEnd() {
    const { total, next_offset: next, machines: { length: shown } } = fleet;
    end.replaceChildren(
      h("p", { class: "soft" }, text.t("fleet.matching", { shown: text.count(shown), total: text.count(total) })),
      ...(next === null ? [] : [h("button", { type: "button", class: "more", onclick: more }, text.t("fleet.more", { count: text.count(Math.min(PAGE, total - shown)) }))]));
  }

  const clear = () => h("button", { type: "button", onclick: () => { search.value = ""; choose({ level: "", q: "", zoneId: "" }); } }, text.t("fleet.clear"));

  /** Read the next page and put its rows below the others; where scoring has run meanwhile, read all again. */
  async function more() {
    const mine = turn;
    const before = fleet.machines.length;
    wanted = before + PAGE;
    try {
      const next = await machines(filter, before, wanted, signal);
      if (mine !== turn) return;
      if (next.scored_at !== fleet.scored_at) {
        await load();
      } else {
        fleet = { ...next, machines: [...fleet.machines, ...next.machines] };
        list.querySelector("tbody").append(...next.machines.map(rowOf));
        drawEnd();
      }
      list.querySelectorAll("tbody tr")[before]?.querySelector("a").focus({ preventScroll: true });
    } catch (error) {
      if (mine === turn) await failed(error);
    }
  }

  const rowOf = (machine) => row(machine, fleet.limits_days, fleet.cap_days, cases.get(`${machine.zoneId}/${machine.equipId}`));

  function table() {
    const { limits_days: limits, cap_days: cap } = fleet;
    // roles by name: rows are laid out as grids, of which browsers would no longer tell as of a table
    return h("table", { role: "table", class: "machines" },
      h("caption", { class: "unseen" }, text.t("fleet.title")),
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, COLUMNS.map((name) =>
        h("th", { role: "columnheader", scope: "col", class: name }, text.t(`col.${name}`), name === "interval" && intervalAxis(limits, cap))))),
      h("tbody", { role: "rowgroup" }, fleet.machines.map(rowOf)));
  }

  load();
  return { refresh };
}

/** The machines of a filter from one number up to another, with what is said of all of them. */
async function machines(filter, from, to, signal) {
  const found = [];
  let answer;
  do {
    const offset = from + found.length;
    answer = await get(["fleet"], { ...filter, trend: true, limit: Math.min(to - offset, MOST_A_REQUEST), offset }, signal);
    found.push(...answer.machines);
  } while (answer.next_offset !== null && answer.machines.length && from + found.length < to);
  return { ...answer, machines: found };
}

/** The most urgent open case of each machine; null where cases cannot be read, which hides no machine. */
async function openCases(signal) {
  const byMachine = new Map();
  try {
    let offset = 0;
    while (offset !== null) {
      const answer = await get(["cases"], { limit: MOST_A_REQUEST, offset }, signal);
      for (const one of answer.cases) {
        const name = `${one.zoneId}/${one.equipId}`;
        if (!byMachine.has(name)) byMachine.set(name, one);
      }
      offset = answer.next_offset;
    }
  } catch (error) {
    if (signal.aborted) throw error;
    return null;
  }
  return byMachine;
}

/** Why no model is served; null where one is. */
async function modelProblem(signal) {
  try {
    await get(["health"], {}, signal);
    return null;
  } catch (cause) {
    if (signal.aborted) throw cause;
    return cause;
  }
}

function counter(name, count, isChosen, onclick) {
  return h("button", { type: "button", class: `counter ${name}`, "aria-pressed": String(isChosen), onclick },
    h("span", { class: "number" }, text.count(count)), level(name));
}

const summary = (counts) => LEVELS.filter((name) => counts[name]).map((name) => `${text.t(`level.${name}`)} ${text.count(counts[name])}`).join(", ");

function row(machine, limits, cap, openCase) {
  const hasAnswer = machine.rul_days !== null;
  const isOdd = !["ok", "failing"].includes(machine.state);
  const drivers = (machine.drivers ?? []).filter((driver) => Math.abs(driver.days) >= LEAST_DAYS);
  const waiting = entriesOf(machine.zoneId, machine.equipId);
  const cells = {
    state: [level(machine.level), isOdd && h("small", {}, text.word("state", machine.state))],
    machine: [h("a", { href: machineAddress(machine) }, machine.equipId), h("small", {}, machine.zoneId)],
    days: daysLeft(machine, cap),
    expected: machine.level === "none" ? reason(machine) : expected(machine, cap),
    change: machine.change_24h === null || machine.change_24h === undefined ? "–"
      : h("span", { "aria-label": text.t("change.of", { change: text.change(machine.change_24h) }), role: "img" }, text.change(machine.change_24h)),
    interval: hasAnswer && machine.level !== "failing" && intervalBar(machine, limits, cap),
    trend: machine.trend?.length ? spark(machine.trend, limits, cap) : h("small", {}, text.t("trend.none")),
    drivers: drivers.map((driver) => h("span", { class: "driver", title: text.sensor(driver.sensor) }, h("span", {}, text.sensor(driver.sensor)), " ", h("b", {}, text.change(driver.days)))),
    case: [openCase && caseStatus(openCase), waiting.length > 0 && h("small", { class: "waiting" }, `${text.word("kind", waiting.at(-1).body.kind)}: ${text.t("case.waiting")}`)],
  };
  return h("tr", { role: "row", class: machine.level }, COLUMNS.map((name) =>
    h(name === "machine" ? "th" : "td", { role: name === "machine" ? "rowheader" : "cell", scope: name === "machine" && "row", class: name, "data-label": text.t(`col.${name}`) }, cells[name])));
}

const reason = (machine) => h("small", {}, machine.problem || (machine.as_of ? text.t("newest", { ago: text.ago(machine.as_of) }) : "–"));
