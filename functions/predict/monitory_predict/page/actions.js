// What people do about a machine, as records: shown at once, sent when the service can be reached.

import { h } from "./dom.js";
import { add } from "./outbox.js";
import * as text from "./text.js";

// when: which time is asked for; none means now
const KINDS = [
  { kind: "seen" },
  { kind: "planned", when: "act.planned", isAhead: true },
  { kind: "maintenance", when: "act.maintenance" },
  { kind: "failure", when: "act.failure", hasMode: true },
  { kind: "false_alarm" },
];
const NOTE_LENGTH = 1000;
const MODE_LENGTH = 64;
const HOUR = 3600_000;

/** The section with the actions of a machine; `prediction` proposes when work is planned. */
export function actions(zoneId, equipId, prediction, announce) {
  const place = h("div");
  let open = null;

  const buttons = KINDS.map((action) => h("button", { type: "button", "aria-expanded": "false", "data-kind": action.kind, onclick: () => choose(action) }, text.t(`kind.${action.kind}`)));

  function choose(action) {
    open = open === action ? null : action;
    buttons.forEach((button, index) => button.setAttribute("aria-expanded", String(KINDS[index] === open)));
    place.replaceChildren(...(open ? [form(open)] : []));
    place.querySelector("input, textarea")?.focus();
  }

  function form(action) {
    const { kind, when, hasMode } = action;
    const time = when && h("input", { id: "act-time", type: "datetime-local", required: true, value: local(proposal(action, prediction)), "aria-describedby": "act-problem" });
    const mode = hasMode && h("input", { id: "act-mode", maxlength: MODE_LENGTH, autocomplete: "off" });
    const note = h("textarea", { id: "act-note", maxlength: NOTE_LENGTH });
    const problem = h("p", { id: "act-problem", class: "problem", role: "alert" });
    const submit = (event) => {
      event.preventDefault();
      const start = time ? new Date(time.value) : new Date();
      const fault = faultOf(start, action);
      problem.textContent = fault ?? "";
      if (fault) {
        time.focus();
        return;
      }
      add(zoneId, equipId, {
        kind,
        start: start.toISOString(),
        ...(mode?.value.trim() && { failureMode: mode.value.trim() }),
        ...(note.value.trim() && { note: note.value.trim() }),
      });
      const button = buttons[KINDS.indexOf(action)];
      choose(action);
      button.focus();
      announce(text.t("act.done", { kind: text.t(`kind.${kind}`) }));
    };
    return h("form", { class: "form", novalidate: true, onsubmit: submit },
      when && [h("label", { for: "act-time" }, text.t(when)), time],
      hasMode && [h("label", { for: "act-mode" }, text.t("act.mode")), mode],
      h("label", { for: "act-note" }, text.t("act.note")), note, problem,
      h("div", { class: "buttons" },
        h("button", { type: "submit", class: "main" }, text.t("act.send", { kind: text.t(`kind.${kind}`) })),
        h("button", { type: "button", onclick: () => choose(action) }, text.t("act.cancel"))));
  }

  return h("section", { class: "card half" }, h("h2", {}, text.t("act.title")), h("div", { class: "actions" }, buttons), place);
}

/** What is wrong with a time; null where nothing is. */
function faultOf(start, { isAhead }) {
  if (Number.isNaN(start.getTime())) return text.t("act.wrong-time");
  return !isAhead && start > new Date() ? text.t("act.future") : null;
}

/** Work is proposed for the date to replace by, or the next morning; all else for now. */
function proposal({ isAhead }, prediction) {
  if (!isAhead) return new Date();
  const replaceBy = prediction.replace_by && new Date(prediction.replace_by);
  if (replaceBy > Date.now() + HOUR) return replaceBy;
  const morning = new Date();
  morning.setDate(morning.getDate() + 1);
  morning.setHours(9, 0, 0, 0);
  return morning;
}

/** A time as its field wants it: this place's, to the minute. */
function local(moment) {
  const shifted = new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}
