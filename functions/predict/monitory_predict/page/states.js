// What a view says where it cannot show what it should: nothing yet, refused, late, offline.

import { NO_ANSWER } from "./api.js";
import { h } from "./dom.js";
import * as text from "./text.js";

const LATE_HOURS = 2;

/** Title and explanation of an error of the API. */
export function explanation(error) {
  if (error.status === NO_ANSWER) return [text.t("problem.offline"), text.t("problem.offline.text")];
  if (error.status === 403) return [text.t("problem.forbidden"), said(error)];
  if (error.status === 429) {
    const next = new Date(Date.now() + 1000 * (error.retryAfter ?? 60));
    return [text.t("problem.quota"), text.t("problem.quota.text", { time: text.clock(next) })];
  }
  if (error.status === 404) return [text.t("problem.unscored"), text.t("problem.unscored.text"), said(error)];
  if (error.status === 503) return unavailable(error);
  if (error.status >= 500) return [text.t("problem.service"), said(error)];
  if (error.status) return [text.t("problem.other"), said(error)];
  return [text.t("problem.defect"), String(error.message)];
}

/** 503 has fixed texts: no model yet, a model that cannot be used, or a store that fails. */
function unavailable(error) {
  if (error.detail.startsWith("no model")) return [text.t("problem.no-model"), text.t("problem.no-model.text"), said(error)];
  return [text.t(/\bmodel\b/.test(error.detail) ? "problem.model" : "problem.storage"), said(error)];
}

const said = (error) => text.t("problem.said", { detail: error.detail });

/** A notice of an error; `asOf` is the time of the data that stays in view. */
export function problemNotice(error, { asOf = null, onRetry = null } = {}) {
  const [title, ...lines] = explanation(error);
  if (asOf) lines.unshift(text.t("problem.as-of", { time: text.time(asOf), ago: text.ago(asOf) }));
  return notice("bad", title, lines, onRetry && h("button", { type: "button", onclick: onRetry }, text.t("problem.retry")));
}

/** A notice where scoring is late; null where it is not. */
export function lateNotice(scoredAt) {
  if (Date.now() - Date.parse(scoredAt) < LATE_HOURS * 3600_000) return null;
  return notice("warn", text.t("problem.late"), [text.t("problem.late.text", { time: text.time(scoredAt), ago: text.ago(scoredAt) })]);
}

export function notice(tone, title, lines = [], ...actions) {
  return h("div", { class: `notice ${tone}`, role: tone === "bad" ? "alert" : "status" },
    h("div", {}, h("strong", {}, title), lines.map((line) => h("p", {}, line))), actions);
}

export const loading = () => h("p", { class: "loading", role: "status" }, text.t("loading"));
