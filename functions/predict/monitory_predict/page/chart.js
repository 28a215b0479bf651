// Drawings in SVG. Each has a text alternative; colours are classes of the style sheet.

import { s } from "./dom.js";
import * as text from "./text.js";

const HOUR = 3600_000;
const DAY = 24 * HOUR;
const FALLBACK_CAP = 30; // days, where no model says what the largest is

const round = (value) => Math.round(value * 10) / 10;

const linear = (from, to, start, end) => (value) => round(start + ((value - from) / (to - from || 1)) * (end - start));

/** Days on a square-root scale: the urgent end gets more room. */
const urgent = (cap, start, end) => (value) => round(start + Math.sqrt(Math.min(Math.max(value, 0), cap) / cap) * (end - start));

const line = (points) => points.map(([x, y], index) => `${index ? "L" : "M"}${x} ${y}`).join("");

const band = (points) => `${line(points.map(([x, low]) => [x, low]))}${line(points.map(([x, , high]) => [x, high]).reverse()).replace("M", "L")}Z`;

/** Runs of points that are not further apart than `gap`; what is missing stays a gap. */
function runs(points, gap) {
  const parts = [];
  points.forEach((point, index) => {
    if (index && point.at - points[index - 1].at <= gap) parts.at(-1).push(point);
    else parts.push([point]);
  });
  return parts;
}

function drawing(width, height, label, ...children) {
  return s("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, children);
}

// ---- the state's sign ----------------------------------------------------------------------------------

const SIGNS = {
  failing: "M6 1h8l5 5v8l-5 5H6l-5-5V6zM6 6l8 8M14 6l-8 8",
  act: "M10 1.5 19 18H1zM10 7v5M10 14.5v1",
  plan: "M10 1l9 9-9 9-9-9z",
  watch: "M1 10c4-8 14-8 18 0-4 8-14 8-18 0zM10 7.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5z",
  fine: "M2 11l5 6L18 3",
  none: "M6 6c0-6 9-5 8 0-.6 3-4 3-4 6M10 16.5v1",
};

/** The sign of a level; the word beside it says the same. */
export function sign(level) {
  return s("svg", { class: `sign ${level}`, width: 20, height: 20, viewBox: "0 0 20 20", "aria-hidden": "true" }, s("path", { d: SIGNS[level] }));
}

// ---- in the fleet's rows -------------------------------------------------------------------------------

const BAR = { width: 172, height: 28, side: 10 };
const SPARK = { width: 112, height: 36, side: 3 };

/** The axis of all interval bars: 0, the limits and the cap. */
export function intervalAxis(limits, cap = FALLBACK_CAP) {
  const x = urgent(cap ?? FALLBACK_CAP, BAR.side, BAR.width - BAR.side);
  const ticks = [0, ...[...limits].sort((a, b) => a - b), 10, 20, cap ?? FALLBACK_CAP].filter((tick, index, all) => all.indexOf(tick) === index && tick <= (cap ?? FALLBACK_CAP));
  return s("svg", { class: "axis", width: BAR.width, height: 14, viewBox: `0 0 ${BAR.width} 14`, "aria-hidden": "true" },
    ticks.map((tick) => s("text", { x: x(tick), y: 11, "text-anchor": "middle" }, text.count(tick))));
}

export function intervalBar(machine, limits, cap) {
  const x = urgent(cap ?? FALLBACK_CAP, BAR.side, BAR.width - BAR.side);
  const middle = BAR.height / 2;
  const parts = [s("path", { class: "rail", d: `M${BAR.side} ${middle}H${BAR.width - BAR.side}` })];
  parts.push(limits.map((limit) => s("path", { class: "limit", d: `M${x(limit)} 2V${BAR.height - 2}` })));
  const { interval } = machine;
  if (interval) {
    const [low, high] = [x(interval.low), x(interval.high ?? Infinity)];
    parts.push(s("rect", { class: "likely", x: low, y: middle - 5, width: Math.max(high - low, 2), height: 10 }));
    if (interval.high === null) parts.push(s("path", { class: "onward", d: `M${high - 4} ${middle - 5}l5 5l-5 5` }));
  }
  parts.push(s("circle", { class: "point", cx: x(machine.rul_days), cy: middle, r: 5 }));
  const label = interval ? text.t("interval.of", { range: text.range(interval), share: text.share(interval.coverage) }) : text.t("days", { days: text.days(machine.rul_days) });
  return drawing(BAR.width, BAR.height, label, parts);
}

/** A week of predictions with their band, and the limits. */
export function spark(trend, limits, cap) {
  const points = trend.map((point) => ({ ...point, at: Date.parse(point.at) }));
  const last = points.at(-1).at;
  const x = linear(last - 7 * DAY, last, SPARK.side, SPARK.width - SPARK.side);
  const y = urgent(cap ?? FALLBACK_CAP, SPARK.height - SPARK.side, SPARK.side);
  const shown = points.filter((point) => point.at >= last - 7 * DAY);
  const label = text.t("trend.of", { first: text.days(shown[0].rul_days), last: text.days(shown.at(-1).rul_days) });
  return drawing(SPARK.width, SPARK.height, label,
    limits.map((limit) => s("path", { class: "limit", d: `M0 ${y(limit)}H${SPARK.width}` })),
    history(shown, x, y, cap ?? FALLBACK_CAP),
    s("circle", { class: "point", cx: x(last), cy: y(shown.at(-1).rul_days), r: 2.5 }));
}

/** Band and line of predictions, broken where some are missing; an open interval reaches the top. */
function history(points, x, y, top) {
  return runs(points, 13 * HOUR).map((part) => {
    const banded = part.filter((point) => point.low !== null && point.low !== undefined);
    return [
      banded.length > 1 && s("path", { class: "band", d: band(banded.map((point) => [x(point.at), y(point.low), y(Math.min(point.high ?? top, top))])) }),
      part.length > 1
        ? s("path", { class: "line", d: line(part.map((point) => [x(point.at), y(point.rul_days)])) })
        : s("circle", { class: "point", cx: x(part[0].at), cy: y(part[0].rul_days), r: 1.5 }),
    ];
  });
}

// ---- on a machine's page -------------------------------------------------------------------------------

const MARGIN = { left: 44, right: 12, top: 10, bottom: 24 };

/** A month before the end, or a week where there is no more to show. */
const beginning = (points, to) => Math.max(Math.min(points[0].at, to - 7 * DAY), to - 30 * DAY);

/** The frame of a drawing over time: scales, and grid lines with their labels. */
function frame(width, height, from, to, ticks, y, format = text.count) {
  const x = linear(from, to, MARGIN.left, width - MARGIN.right);
  const rows = ticks.map((tick) => [
    s("path", { class: "grid", d: `M${MARGIN.left} ${y(tick)}H${width - MARGIN.right}` }),
    s("text", { x: MARGIN.left - 6, y: y(tick) + 4, "text-anchor": "end" }, format(tick)),
  ]);
  return { x, parts: [rows, dates(from, to, x, width, height)] };
}

function dates(from, to, x, width, height) {
  const room = Math.max(1, Math.floor((width - MARGIN.left - MARGIN.right) / 64));
  const step = [1, 2, 5, 7, 10, 15].find((days) => (to - from) / DAY / days <= room) ?? 30;
  const first = new Date(to);
  first.setHours(0, 0, 0, 0);
  const labels = [];
  for (let at = first.getTime(); at >= from; at -= step * DAY) {
    if (x(at) > width - MARGIN.right - 16) continue;
    labels.push(
      s("path", { class: "grid", d: `M${x(at)} ${height - MARGIN.bottom}v4` }),
      s("text", { x: x(at), y: height - 6, "text-anchor": x(at) < MARGIN.left + 16 ? "start" : "middle" }, text.day(at)));
  }
  return labels;
}

/** Predicted days over 30 days: {trend, limits, cap, cases, records}. */
export function rulChart({ trend, limits, cap, cases }, width) {
  const height = 240;
  const points = trend.map((point) => ({ ...point, at: Date.parse(point.at) }));
  const to = points.at(-1).at;
  const from = beginning(points, to);
  const { top, ticks } = daysAxis(Math.max(...points.map((point) => point.high ?? point.rul_days), ...limits), cap ?? FALLBACK_CAP);
  const y = linear(0, top, height - MARGIN.bottom, MARGIN.top);
  const { x, parts } = frame(width, height, from, to, ticks, y);
  const shown = cases.filter((one) => Date.parse(one.opened_at) >= from && Date.parse(one.opened_at) <= to + HOUR * 6);
  const label = text.t("machine.rul.alt", {
    first: text.days(points[0].rul_days), last: text.days(points.at(-1).rul_days), limits: text.list(limits.map(text.count)), cases: text.count(shown.length),
  });
  return drawing(width, height, label, parts,
    limits.map((limit) => s("path", { class: "limit", d: `M${MARGIN.left} ${y(limit)}H${width - MARGIN.right}` })),
    history(points, x, y, top),
    s("circle", { class: "point", cx: x(to), cy: y(points.at(-1).rul_days), r: 4 }),
    shown.map((one) => caseMark(x(Math.min(Date.parse(one.opened_at), to)), height)));
}

/** An axis of days from 0 to a round number above the largest one, or to the cap. */
function daysAxis(largest, cap) {
  const step = largest > 20 ? 10 : largest > 10 ? 5 : 2;
  const top = Math.min(Math.ceil((largest * 1.05) / step) * step, cap);
  const ticks = Array.from({ length: Math.floor(top / step) + 1 }, (_, index) => index * step);
  return { top, ticks };
}

function caseMark(x, height) {
  return s("path", { class: "mark", d: `M${x} ${MARGIN.top}V${height - MARGIN.bottom}M${x - 5} ${MARGIN.top}h10l-5 7z` });
}

/** Probabilities of failure within some days, as bars. */
export function probabilityBars(probabilities, width) {
  const row = 30;
  const left = 108;
  const x = linear(0, 1, left, width - 52);
  const height = row * probabilities.length;
  const words = probabilities.map(({ days, p }) => `${within(days)} ${text.share(p)}`).join(", ");
  return drawing(width, height, words, probabilities.map(({ days, p }, index) => {
    const middle = index * row + row / 2;
    return [
      s("text", { x: 0, y: middle + 5, class: "label" }, within(days)),
      s("rect", { class: "groove", x: x(0), y: middle - 6, width: x(1) - x(0), height: 12 }),
      s("rect", { class: "share", x: x(0), y: middle - 6, width: Math.max(x(p) - x(0), p > 0 ? 1 : 0), height: 12 }),
      s("text", { x: width, y: middle + 5, "text-anchor": "end", class: "figure" }, text.share(p)),
    ];
  }));
}

const within = (days) => (days === 1 ? text.t("machine.within.one") : text.t("machine.within", { days: text.count(days) }));

/** The days that sensors add to the running time's, as bars to both sides of nothing. */
export function driverBars(drivers, width) {
  const row = 26;
  const most = Math.max(...drivers.map((driver) => Math.abs(driver.days)), 0.1);
  const left = Math.min(150, width * 0.4);
  const x = linear(-most, most, left, width - 52);
  const words = drivers.map((driver) => `${text.sensor(driver.sensor)} ${text.change(driver.days)}`).join(", ");
  return drawing(width, row * drivers.length, words,
    s("path", { class: "grid", d: `M${x(0)} 0V${row * drivers.length}` }),
    drivers.map(({ sensor, days }, index) => {
      const middle = index * row + row / 2;
      return [
        s("text", { x: 0, y: middle + 5, class: "label" }, clipped(text.sensor(sensor), left)),
        s("rect", { class: days < 0 ? "shortens" : "lengthens", x: Math.min(x(0), x(days)), y: middle - 6, width: Math.max(Math.abs(x(days) - x(0)), 1), height: 12 }),
        s("text", { x: width, y: middle + 5, "text-anchor": "end", class: "figure" }, text.change(days)),
      ];
    }));
}

const clipped = (name, pixels) => (name.length * 7.5 <= pixels ? name : `${name.slice(0, Math.max(Math.floor(pixels / 7.5) - 1, 1))}…`);

/** The strongest driver of each time, a row a sensor; a bar's height is its days. Sensors that add little have none. */
export function driverHistory(trend, width) {
  const row = 40;
  const points = trend.filter((point) => point.driver).map((point) => ({ ...point, at: Date.parse(point.at) }));
  const most = Math.max(...points.map((point) => Math.abs(point.driver_days)), 0.1);
  const telling = points.filter((point) => Math.abs(point.driver_days) >= most / 10);
  const sensors = [...new Set(telling.map((point) => point.driver))];
  const to = points.at(-1).at;
  const from = beginning(points, to);
  const height = row * sensors.length + MARGIN.bottom;
  const x = linear(from, to, MARGIN.left, width - MARGIN.right);
  const label = sensors.map((sensor) => text.t("machine.drivers.alt", { sensor: text.sensor(sensor), days: text.change(points.findLast((point) => point.driver === sensor).driver_days) })).join("; ");
  const breadth = Math.max(((width - MARGIN.left - MARGIN.right) * 6 * HOUR) / (to - from) - 1, 1);
  return drawing(width, height, label, dates(from, to, x, width, height), sensors.map((sensor, index) => {
    const base = (index + 1) * row - 4;
    return [
      s("path", { class: "grid", d: `M${MARGIN.left} ${base}H${width - MARGIN.right}` }),
      points.filter((point) => point.driver === sensor).map((point) => {
        const high = Math.max((Math.abs(point.driver_days) / most) * (row - 22), 1);
        return s("rect", { class: point.driver_days < 0 ? "shortens" : "lengthens", x: round(x(point.at) - breadth / 2), y: round(base - high), width: round(breadth), height: round(high) });
      }),
      s("text", { x: MARGIN.left, y: base - row + 18, class: "label" }, clipped(text.sensor(sensor), width - MARGIN.left)),
    ];
  }));
}

/** A sensor's recent hours: mean, extremes, and the range that training saw. */
export function sensorChart({ sensor, training, hours }, width) {
  const height = 130;
  const points = hours.map((hour) => ({ ...hour, at: Date.parse(hour.at) }));
  const to = points.at(-1).at;
  const from = to - 72 * HOUR;
  const means = points.map((point) => point.mean);
  const [low, high] = [Math.min(...means, training?.low ?? Infinity), Math.max(...means, training?.high ?? -Infinity)];
  const spare = (high - low || Math.abs(high) || 1) * 0.3; // a spike would press all else flat: extremes end at the edge
  const inside = (value) => Math.min(Math.max(value, low - spare), high + spare);
  const y = linear(low - spare, high + spare, height - MARGIN.bottom, MARGIN.top);
  const { x, parts } = frame(width, height, from, to, [low, high], y, text.reading);
  const label = text.t("machine.sensors.alt", { sensor: text.sensor(sensor), last: text.reading(points.at(-1).mean), low: text.reading(Math.min(...points.map((point) => point.min))), high: text.reading(Math.max(...points.map((point) => point.max))) });
  const shade = training && s("rect", { class: "training", x: MARGIN.left, y: y(training.high), width: width - MARGIN.left - MARGIN.right, height: Math.max(y(training.low) - y(training.high), 1) });
  const seen = training ? `; ${text.t("machine.sensors.alt.training", { low: text.reading(training.low), high: text.reading(training.high) })}` : "";
  return drawing(width, height, label + seen, shade, parts, runs(points, 2.5 * HOUR).map((part) => [
    part.length > 1 && s("path", { class: "band", d: band(part.map((point) => [x(point.at), y(inside(point.min)), y(inside(point.max))])) }),
    part.length > 1
      ? s("path", { class: "line", d: line(part.map((point) => [x(point.at), y(point.mean)])) })
      : s("circle", { class: "point", cx: x(part[0].at), cy: y(part[0].mean), r: 1.5 }),
  ]));
}

const LEAST_WIDTH = 200; // pixels; a place is narrower only while it is laid out

/** Put a drawing into a place, and again whenever the place gets another width. */
export function fitted(place, draw) {
  let width = 0;
  new ResizeObserver(([entry]) => {
    const now = Math.floor(entry.contentRect.width);
    if (now === width || now < LEAST_WIDTH) return;
    width = now;
    place.replaceChildren(draw(width));
  }).observe(place);
  return place;
}
