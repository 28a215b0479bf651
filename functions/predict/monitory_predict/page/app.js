// Joins the page: the frame around the views, the address, the key, the language, and what happens by itself.

import { key } from "./api.js";
import { address, h } from "./dom.js";
import * as fleet from "./fleet.js";
import * as machine from "./machine.js";
import * as model from "./model.js";
import { discard, entries, flush, outbox, retry } from "./outbox.js";
import { notice, problemNotice } from "./states.js";
import { forgetAll } from "./storage.js";
import * as text from "./text.js";

const REFRESH_MS = 60_000;

const place = (id) => document.getElementById(id);
const tabs = new BroadcastChannel("monitory");

let view = null;
let leaving = new AbortController();

/** The address as a view and its parameters: "#/machine/A/B?x=1". */
function route() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, ...names] = path.split("/").map(decoded);
  const parameters = Object.fromEntries(new URLSearchParams(query));
  if (name === "machine" && names.length === 2) return { open: machine.open, parameters: { zoneId: names[0], equipId: names[1] }, title: names[1] };
  if (name === "model") return { open: model.open, parameters, title: text.t("nav.model") };
  return { open: fleet.open, parameters, title: text.t("nav.fleet") };
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** A key in the fragment goes into the session and out of the address, before anything is asked for. */
function takeKey() {
  const match = /^#key=(.+)$/.exec(location.hash);
  if (!match) return;
  history.replaceState(null, "", location.pathname + location.search);
  const text = decoded(match[1]);
  if (key.isPossible(text)) key.set(text, false);
}

function show() {
  leaving.abort();
  leaving = new AbortController();
  const { open, parameters, title } = route();
  document.title = `${title} – Monitory`;
  drawFrame();
  drawOutbox();
  try {
    view = open(place("main"), parameters, { signal: leaving.signal, announce, fail });
  } catch (error) {
    defect(error);
  }
}

/** Take care of errors that no view can show: 403 asks for a key. Whether it was one of these. */
function fail(error) {
  if (leaving.signal.aborted || error.name === "AbortError") return true;
  if (error.status !== 403) return false;
  leaving.abort();
  view = null;
  askForKey(Boolean(key.get()));
  return true;
}

function defect(error) {
  console.error(error);
  place("main").replaceChildren(problemNotice(error));
}

function announce(sentence) {
  place("live").textContent = sentence;
}

// ---- the frame -----------------------------------------------------------------------------------------

function drawFrame() {
  document.documentElement.lang = text.language();
  place("skip").textContent = text.t("skip");
  const here = location.hash.startsWith("#/model") ? "model" : location.hash.startsWith("#/machine") ? "" : "fleet";
  const link = (name, parts) => h("a", { href: address(parts), "aria-current": name === here && "page" }, text.t(`nav.${name}`));
  place("nav").setAttribute("aria-label", text.t("nav"));
  place("nav").replaceChildren(link("fleet", []), link("model", ["model"]));
  const other = text.language() === "en" ? "ko" : "en";
  place("tools").replaceChildren(
    h("button", { type: "button", lang: other, onclick: () => { text.switchLanguage(); key.get() || view ? show() : askForKey(false); } }, text.t("language")),
    ...(key.get() ? [h("button", { type: "button", onclick: signOut }, text.t("sign-out"))] : []));
  place("foot").textContent = text.t("foot", { zone: text.timeZone() });
}

function drawOutbox() {
  const all = entries();
  const waiting = all.filter((entry) => !entry.refusal).length;
  const again = h("button", { type: "button", onclick: retry }, text.t("outbox.retry"));
  place("notices").replaceChildren(
    ...(waiting ? [notice("warn", text.t("outbox.waiting", { count: text.count(waiting) }), [], again)] : []),
    ...all.filter((entry) => entry.refusal).map((entry) => notice("bad",
      text.t("outbox.refused", { machine: `${entry.zoneId}/${entry.equipId}`, kind: text.word("kind", entry.body.kind), detail: entry.refusal.detail }),
      [entry.body.note].filter(Boolean),
      h("button", { type: "button", onclick: retry }, text.t("outbox.retry")),
      h("button", { type: "button", onclick: () => discard(entry.id) }, text.t("outbox.discard")))));
}

// ---- the key -------------------------------------------------------------------------------------------

function askForKey(isRefused) {
  drawFrame();
  const input = h("input", { id: "key", type: "password", autocomplete: "off", required: true, maxlength: 256, "aria-describedby": "key-problem" });
  const keep = h("input", { id: "keep", type: "checkbox", "aria-describedby": "keep-text" });
  const problem = h("p", { id: "key-problem", class: "problem", role: "alert" }, isRefused ? text.t("key.refused") : "");
  const submit = (event) => {
    event.preventDefault();
    const typed = input.value.trim();
    if (!key.isPossible(typed)) {
      problem.textContent = text.t("key.malformed");
      input.focus();
      return;
    }
    key.set(typed, keep.checked);
    show();
    flush();
  };
  place("main").replaceChildren(h("form", { class: "card key", onsubmit: submit },
    h("h1", {}, text.t("key.title")),
    h("p", {}, text.t("key.text")),
    h("label", { for: "key" }, text.t("key.label")), input, problem,
    h("div", { class: "check" }, keep, h("label", { for: "keep" }, text.t("key.keep"))),
    h("p", { id: "keep-text", class: "soft" }, text.t("key.keep.text")),
    h("button", { type: "submit", class: "main" }, text.t("key.go"))));
  input.focus();
}

function signOut() {
  const waiting = entries().length;
  if (waiting && !window.confirm(text.t("sign-out.sure", { count: text.count(waiting) }))) return;
  forgetAll();
  tabs.postMessage("sign-out");
  history.replaceState(null, "", address([]));
  show();
}

// ---- by itself -----------------------------------------------------------------------------------------

async function refresh() {
  if (document.hidden || !view) return;
  flush();
  await view.refresh();
}

place("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address is the view's
  place("main").focus();
});
window.addEventListener("hashchange", () => {
  takeKey();
  show();
  place("main").focus({ preventScroll: true });
  window.scrollTo(0, 0);
});
window.addEventListener("online", refresh);
window.addEventListener("unhandledrejection", ({ reason }) => {
  if (reason?.name !== "AbortError") defect(reason);
});
document.addEventListener("visibilitychange", refresh);
outbox.addEventListener("change", drawOutbox);
outbox.addEventListener("sent", drawOutbox);
tabs.addEventListener("message", () => {
  forgetAll();
  show();
});
setInterval(refresh, REFRESH_MS);

takeKey();
show();
flush();
