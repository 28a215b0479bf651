// Texts in the reader's language; numbers, dates and times as readers of it write them.

import { device } from "./storage.js";
import { TEXTS } from "./words.js";

const LANGUAGES = ["en", "ko"];
const LOCALES = { en: navigator.language.startsWith("en") ? navigator.language : "en-GB", ko: "ko-KR" };

let current = LANGUAGES.includes(device.get("language")) ? device.get("language") : preferred();

function preferred() {
  return navigator.language.toLowerCase().startsWith("ko") ? "ko" : "en";
}

export const language = () => current;

export function switchLanguage() {
  current = current === "en" ? "ko" : "en";
  device.set("language", current);
}

export function t(key, values = {}) {
  const text = TEXTS[key][LANGUAGES.indexOf(current)];
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** A text whose key comes from data; data that this page does not know stands for itself. */
export function word(prefix, value) {
  return Object.hasOwn(TEXTS, `${prefix}.${value}`) ? t(`${prefix}.${value}`) : String(value);
}

/** The words for a sensor of the default set; another factory's stand for themselves. */
export const sensor = (name) => word("sensor", name);

const formats = new Map();

function format(kind, options) {
  const name = `${current} ${kind.name} ${JSON.stringify(options)}`;
  if (!formats.has(name)) formats.set(name, new kind(LOCALES[current], options));
  return formats.get(name);
}

const number = (value, options) => format(Intl.NumberFormat, options).format(value);

/** Days with one decimal, as the table shows them. */
export const days = (value) => number(value, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
export const change = (value) =>
  number(value, { minimumFractionDigits: 1, maximumFractionDigits: 1, signDisplay: "exceptZero" }).replace("-", "−");
export const count = (value) => number(value, {});
export const share = (value, digits = 0) => number(value, { style: "percent", maximumFractionDigits: digits });
/** A reading, with three significant digits. */
export const reading = (value) => number(value, { maximumSignificantDigits: 3, notation: Math.abs(value) < 10_000 ? "standard" : "compact" });

export const range = (interval) =>
  interval.high === null ? t("range.open", { low: days(interval.low) }) : t("range", { low: days(interval.low), high: days(interval.high) });

const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };

export const date = (at) => format(Intl.DateTimeFormat, { weekday: "short", day: "numeric", month: "short" }).format(new Date(at));
export const day = (at) => format(Intl.DateTimeFormat, { day: "numeric", month: "short" }).format(new Date(at));
export const clock = (at) => format(Intl.DateTimeFormat, CLOCK).format(new Date(at));
export const moment = (at) => format(Intl.DateTimeFormat, { weekday: "short", day: "numeric", month: "short", ...CLOCK }).format(new Date(at));

/** The time of day where it is today's, else with its date. */
export const time = (at) => (new Date(at).toDateString() === new Date().toDateString() ? clock(at) : moment(at));

/** How long ago, in the largest fitting unit. */
export function ago(at) {
  const minutes = Math.round((new Date(at) - Date.now()) / 60000);
  const relative = format(Intl.RelativeTimeFormat, { numeric: "auto" });
  if (!minutes) return t("just-now");
  if (Math.abs(minutes) < 90) return relative.format(minutes, "minute");
  if (Math.abs(minutes) < 48 * 60) return relative.format(Math.round(minutes / 60), "hour");
  return relative.format(Math.round(minutes / 1440), "day");
}

export const list = (items) => format(Intl.ListFormat, { type: "conjunction" }).format(items);

export const timeZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;
