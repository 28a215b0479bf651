// The model: which version is served, how right it was, what was decided before.

import { get } from "./api.js";
import { h } from "./dom.js";
import { section, table, terms } from "./parts.js";
import { loading, notice, problemNotice } from "./states.js";
import * as text from "./text.js";

const PATIENCE_MS = 15 * 60_000; // it changes once a night

/** Show the model. */
export function open(main, parameters, { signal, fail }) {
  let loadedAt = null;
  const notices = h("div", { class: "notices" });
  const cards = h("div", { class: "cards" }, loading());
  main.replaceChildren(h("div", { class: "head" }, h("h1", {}, text.t("model.title"))), notices, cards);

  async function load() {
    try {
      const [models, performance, health] = await Promise.all([
        get(["models"], {}, signal),
        get(["performance"], {}, signal).catch(orNothing(404)),
        get(["health"], {}, signal).catch(orNothing(503)),
      ]);
      loadedAt = new Date();
      notices.replaceChildren(...(health instanceof Error ? [problemNotice(health)] : []));
      cards.replaceChildren(served(models, health), accuracy(performance), versions(models), changes(models));
    } catch (error) {
      if (fail(error)) return;
      if (!loadedAt) cards.replaceChildren();
      notices.replaceChildren(problemNotice(error, { asOf: loadedAt, onRetry: load }));
    }
  }

  load();
  return { refresh: () => (notices.firstChild || Date.now() - loadedAt > PATIENCE_MS) && load() };
}

/** An error as a value, where its status says that there is nothing yet. */
const orNothing = (status) => (error) => {
  if (error.status !== status) throw error;
  return error;
};

function served(models, health) {
  const version = models.versions.find((one) => one.served);
  const isServing = !(health instanceof Error);
  return section(text.t("model.served"),
    h("p", { class: "served" }, models.served ?? (isServing ? text.t("model.unknown") : "–")),
    terms([
      [text.t("model.promotion"), version?.served_since && text.moment(version.served_since)],
      [text.t("model.training"), isServing && health.trained_at && text.moment(health.trained_at)],
    ]),
    isServing && health.message !== "serving" && notice("warn", health.message),
    h("p", { class: "soft" }, text.t("model.operate")));
}

function accuracy(performance) {
  if (performance instanceof Error) return section(text.t("model.right"), h("p", { class: "soft" }, text.t("model.unmeasured")));
  const { overall, promised_coverage: promised, shortfalls } = performance;
  const columns = ["limit", "failures", "announced", "missed", "raised", "false", "lead"].map((name) => text.t(`model.${name}`));
  const days = (value) => (value === null ? "–" : text.t("days", { days: text.days(value) }));
  return section(text.t("model.right"),
    terms([
      [text.t("model.coverage"), overall.coverage === null ? "–" : [h("strong", {}, text.share(overall.coverage)), h("small", {}, text.t("model.promised", { share: text.share(promised) }))]],
      [text.t("model.mae"), days(overall.mae_days)],
    ]),
    table(text.t("model.right"), columns, overall.announcements.map((one) => [
      text.t("days", { days: text.count(one.limit_days) }),
      text.count(one.failures), text.count(one.announced), text.count(one.missed), text.count(one.raised), text.count(one.false), days(one.median_lead_days),
    ])),
    shortfalls.length ? h("div", { class: "warnings" }, h("ul", {}, shortfalls.map((sentence) => h("li", {}, sentence)))) : h("p", { class: "soft" }, text.t("model.kept")),
    h("p", { class: "soft" }, text.t("model.days", { first: text.day(performance.first_day), last: text.day(performance.last_day), time: text.moment(performance.measured_at) })));
}

function versions(models) {
  const columns = ["version", "verdict", "holdout", "holdout-coverage", "report"].map((name) => text.t(`model.${name}`));
  return section(text.t("model.versions"), table(text.t("model.versions"), columns, models.versions.map((one) => {
    const holdout = one.metrics?.holdout ?? {};
    const isNumber = (value) => typeof value === "number";
    return [
      one.version,
      verdict(one, models.history),
      isNumber(holdout.mae) ? text.t("days", { days: text.days(holdout.mae) }) : "–",
      isNumber(holdout.coverage) ? text.share(holdout.coverage) : "–",
      h("a", { href: reportAddress(one.version), "aria-label": text.t("model.report-of", { version: one.version }) }, text.t("model.report")),
    ];
  }), { class: "texts" }));
}

function verdict(version, history) {
  if (version.served) return h("strong", {}, text.t("model.served-now", { time: text.moment(version.served_since) }));
  const change = history.find((one) => one.version === version.version);
  return change ? text.t("model.promoted", { time: text.moment(change.at) }) : text.t("model.stored");
}

/** Dashes stand for the slashes of a version, as the API takes them. */
const reportAddress = (version) => `page/report.html#${encodeURIComponent(version.replaceAll("/", "-"))}`;

function changes(models) {
  const columns = ["when", "action", "reason", "by"].map((name) => text.t(`model.${name}`));
  if (!models.history.length) return section(text.t("model.history"), h("p", { class: "soft" }, text.t("model.history.none")));
  return section(text.t("model.history"), table(text.t("model.history"), columns, models.history.map((change) => [
    text.moment(change.at),
    `${text.word("action", change.action)} ${change.version}`,
    h("span", { class: "long" }, change.reason),
    change.by,
  ]), { class: "texts" }));
}
