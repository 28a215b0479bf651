// One machine: what is predicted and why, what its sensors say, how it ended before, and what people write down.

import { actions } from "./actions.js";
import { get } from "./api.js";
import { driverBars, driverHistory, fitted, probabilityBars, rulChart, sensorChart } from "./chart.js";
import { address, h, swap } from "./dom.js";
import { entriesOf, outbox } from "./outbox.js";
import { caseStatus, daysLeft, expected, level, section, table, terms } from "./parts.js";
import { loading, problemNotice } from "./states.js";
import * as text from "./text.js";

const HORIZONS = [1, 3, 7, 14, 30];
const DAYS_BEFORE = [7, 3, 1];

/** Show a machine; `parameters` are zoneId and equipId. */
export function open(main, parameters, { signal, announce, fail }) {
  const { zoneId, equipId } = parameters;
  let loadedAt = null;

  const notices = h("div", { class: "notices" });
  const now = h("div", { class: "cards" }, loading());
  const why = h("div", { class: "cards" });
  const written = h("div", { class: "cards" });
  const rest = h("div", { class: "cards" });
  main.replaceChildren(
    h("a", { class: "back", href: address([]) }, `← ${text.t("machine.back")}`),
    h("div", { class: "head" }, h("h1", {}, equipId), h("p", { class: "soft" }, zoneId)),
    notices, now, written, why, rest);

  let machine = null;
  let scoredAt = null;
  let drawNow = () => {};
  outbox.addEventListener("change", () => machine && drawRecords(), { signal });
  outbox.addEventListener("sent", load, { signal });

  async function load() {
    try {
      const [found, place, prediction] = await Promise.all([
        get(["machines", zoneId, equipId], {}, signal),
        fleetRow(zoneId, equipId, signal),
        get(["predict"], { zoneId, equipId }, signal).catch(orError(signal)),
      ]);
      machine = found;
      scoredAt = place.scoredAt;
      loadedAt = new Date();
      notices.replaceChildren();
      drawNow = () => swap(now, [current(machine, place.row, prediction)]);
      drawNow();
      swap(why, prediction instanceof Error ? [] : [probability(prediction), drivers(prediction)]);
      swap(rest, history(machine));
      if (!written.firstChild) written.append(actions(zoneId, equipId, prediction, announce), h("section", { class: "card half" }));
      drawRecords();
    } catch (error) {
      if (fail(error)) return;
      const isGone = error.status === 404;
      if (!machine) now.replaceChildren(isGone ? h("p", { class: "nothing" }, text.t("machine.unknown", { machine: `${zoneId}/${equipId}` })) : "");
      notices.replaceChildren(...(isGone ? [] : [problemNotice(error, { asOf: loadedAt, onRetry: load })]));
    }
  }

  function drawRecords() {
    written.lastChild.replaceChildren(h("h2", {}, text.t("machine.records")), records(machine.records, entriesOf(zoneId, equipId)));
  }

  /** Read all again where scoring has run meanwhile; ages are told anew in any case. */
  async function refresh() {
    if (!machine || notices.firstChild) return load();
    drawNow();
    try {
      const { scored_at: newest } = await get(["fleet"], { zoneId, limit: 1 }, signal);
      if (newest !== scoredAt) await load();
    } catch (error) {
      if (!fail(error)) notices.replaceChildren(problemNotice(error, { asOf: loadedAt, onRetry: load }));
    }
  }

  load();
  return { refresh };
}

/** A machine's row of the fleet, which has its level, and when that was scored; null where there is none. */
async function fleetRow(zoneId, equipId, signal) {
  let offset = 0;
  while (offset !== null) {
    const answer = await get(["fleet"], { zoneId, q: equipId, limit: 200, offset }, signal).catch(orError(signal));
    if (answer instanceof Error) break;
    const row = answer.machines.find((one) => one.equipId === equipId);
    if (row) return { row, scoredAt: answer.scored_at };
    offset = answer.next_offset;
  }
  return { row: null, scoredAt: null };
}

/** Errors as values, where a view can do without the answer. */
const orError = (signal) => (error) => {
  if (signal.aborted || error.status === 403) throw error;
  return error;
};

// ---- now -----------------------------------------------------------------------------------------------

function current(machine, row, prediction) {
  const isAnswer = !(prediction instanceof Error);
  const open = machine.cases.find((one) => one.status !== "closed");
  return h("section", { class: `card ${row?.level ?? ""}` },
    h("h2", { class: "unseen" }, text.t("machine.now")),
    isAnswer ? headline(machine, row, prediction) : noAnswer(row, prediction),
    terms([
      ...(isAnswer ? answerTerms(machine, prediction) : []),
      [text.t("machine.case"), open ? [caseStatus(open), h("small", {}, caseWords(open))] : text.t("case.none")],
    ]),
    isAnswer && prediction.warnings.length > 0 && warnings(prediction.warnings));
}

function answerTerms(machine, prediction) {
  return [
    [text.t("machine.likely"), prediction.interval && text.t("interval.of", { range: text.range(prediction.interval), share: text.share(prediction.interval.coverage) })],
    [text.t("machine.expected"), expected({ ...prediction, rul_days: prediction.predictions[0] }, machine.cap_days)],
    [text.t("machine.replace-by"), prediction.replace_by && [
      text.moment(prediction.replace_by),
      prediction.replace_saving > 0 && h("small", {}, text.t("machine.saving", { saving: text.reading(prediction.replace_saving) })),
    ]],
    [text.t("machine.mode"), prediction.failure_mode],
    [text.t("machine.data"), text.t("machine.data-of", { state: text.word("state", prediction.state), ago: text.ago(prediction.as_of) })],
    [text.t("machine.model"), h("span", { class: "version" }, prediction.model.version)],
  ];
}

function headline(machine, row, prediction) {
  return h("div", { class: "now" },
    row && level(row.level),
    h("p", { class: "figure" }, daysLeft({ ...prediction, rul_days: prediction.predictions[0] }, machine.cap_days), " ", h("small", {}, text.t("machine.days-left"))),
    row?.change_24h !== null && row?.change_24h !== undefined && h("p", { class: "soft" }, text.t("change.of", { change: text.change(row.change_24h) })));
}

function noAnswer(row, error) {
  return h("div", { class: "now" }, row && level(row.level),
    h("div", {}, h("strong", {}, text.t("machine.no-answer")), h("p", { class: "soft" }, row?.problem || error.detail)));
}

const warnings = (sentences) => h("div", { class: "warnings" }, h("strong", {}, text.t("machine.warnings")), h("ul", {}, sentences.map((sentence) => h("li", {}, sentence))));

function probability(prediction) {
  const shown = prediction.failure_probability.filter(({ days }) => HORIZONS.includes(days));
  return h("section", { class: "card half" }, h("h2", {}, text.t("machine.probability")),
    shown.length ? fitted(h("div"), (width) => probabilityBars(shown, width)) : h("p", { class: "soft" }, text.t("machine.probability.none")));
}

function drivers(prediction) {
  return h("section", { class: "card half" }, h("h2", {}, text.t("machine.drivers")),
    prediction.drivers.length > 0 && fitted(h("div"), (width) => driverBars(prediction.drivers, width)),
    h("p", { class: "soft" }, text.t("machine.drivers.now", { base: text.days(prediction.base_days) })));
}

function caseWords(one) {
  const parts = [text.word("cause", one.cause)];
  if (one.level) parts.push(text.t("case.level", { level: one.level }));
  parts.push(text.word("status", one.status));
  return parts.join(", ");
}

// ---- before --------------------------------------------------------------------------------------------

function history(machine) {
  const { trend, limits_days: limits, cap_days: cap, cases } = machine;
  const driven = trend.filter((point) => point.driver);
  return [
    section(text.t("machine.rul"),
      trend.length ? fitted(h("div"), (width) => rulChart({ trend, limits, cap, cases }, width)) : h("p", { class: "soft" }, text.t("machine.none")),
      h("p", { class: "soft" }, text.t("machine.rul.legend", { limits: text.list(limits.map(text.count)) }))),
    driven.length > 0 && section(text.t("machine.drivers.time"), fitted(h("div"), (width) => driverHistory(trend, width))),
    machine.sensors.some((sensor) => sensor.hours.length) && section(text.t("machine.sensors"),
      h("div", { class: "small-multiples" }, machine.sensors.filter((sensor) => sensor.hours.length).map(smallMultiple)),
      h("p", { class: "soft" }, text.t("machine.sensors.legend"))),
    section(text.t("machine.runs"), machine.runs.length ? runs(machine.runs) : h("p", { class: "soft" }, text.t("machine.runs.none"))),
    machine.cases.length > 0 && section(text.t("machine.cases"), caseTable(machine.cases)),
  ].filter(Boolean);
}

function smallMultiple(sensor) {
  const last = sensor.hours.at(-1).mean;
  const isOut = sensor.training && (last < sensor.training.low || last > sensor.training.high);
  return h("div", {}, h("h3", {}, text.sensor(sensor.sensor), isOut && h("span", { class: "out" }, text.t("machine.sensors.out"))), fitted(h("div"), (width) => sensorChart(sensor, width)));
}

function runs(list) {
  const before = DAYS_BEFORE.map((days) => (days === 1 ? text.t("machine.before.one") : text.t("machine.before", { days })));
  const columns = [text.t("machine.began"), text.t("machine.ended"), text.t("machine.end"), ...before];
  return table(text.t("machine.runs.alt"), columns, list.map((run) => [
    run.began_at ? text.moment(run.began_at) : "–",
    run.ended_at ? text.moment(run.ended_at) : text.t("machine.running"),
    [run.end ? text.word("end", run.end) : "–", run.failure_mode && h("small", {}, run.failure_mode)],
    ...DAYS_BEFORE.map((days) => said(run.predicted.find((point) => point.days_before === days))),
  ]), { class: "texts" });
}

function said(point) {
  if (!point) return "–";
  const range = point.low === null || point.low === undefined ? null : text.range({ low: point.low, high: point.high ?? null });
  return [text.t("days", { days: text.days(point.rul_days) }), range && h("small", {}, range)];
}

function caseTable(list) {
  const columns = [text.t("machine.opened"), text.t("machine.case"), text.t("machine.acknowledged"), text.t("machine.closed")];
  return table(text.t("machine.cases"), columns, list.map((one) => [
    text.moment(one.opened_at),
    caseWords(one),
    one.acknowledged_at ? text.moment(one.acknowledged_at) : "–",
    one.closed_at ? [text.moment(one.closed_at), h("small", {}, text.word("outcome", one.outcome))] : "–",
  ]), { class: "texts" });
}

// ---- records -------------------------------------------------------------------------------------------

/** What people wrote down, newest first; what waits to be sent comes on top. */
function records(stored, waiting) {
  const known = new Set(stored.map((record) => record.id));
  const unsent = waiting.filter((entry) => !known.has(entry.id)).reverse();
  if (!stored.length && !unsent.length) return h("p", { class: "soft" }, text.t("machine.records.none"));
  return h("ol", { class: "records" },
    unsent.map(({ body, at, refusal }) => item(body, at, h("span", { class: "waiting" }, refusal ? text.t("record.refused", { detail: refusal.detail }) : text.t("record.waiting")))),
    stored.map((record) => item(record, record.at, text.t("record.by", { name: record.by === "local" ? text.t("record.local") : record.by }))));
}

function item(record, at, who) {
  const start = new Date(record.start);
  const isOfThen = record.kind === "planned" || Math.abs(start - new Date(at)) > 3600_000;
  return h("li", {},
    h("strong", {}, text.word("kind", record.kind), isOfThen && ` ${text.time(record.start)}`), record.failureMode && ` · ${record.failureMode}`,
    h("small", {}, text.time(at), ", ", who),
    record.note && h("p", {}, record.note));
}

