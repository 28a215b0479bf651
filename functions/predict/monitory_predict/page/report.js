// A version's report, in a frame that runs no scripts: a browser by itself sends no key. It is a page of its own because
// its content policy has to allow the report's style.

import { getText } from "./api.js";
import { h } from "./dom.js";
import { loading, problemNotice } from "./states.js";
import * as text from "./text.js";

const place = (id) => document.getElementById(id);

async function show() {
  const version = decodeURIComponent(location.hash.slice(1));
  document.documentElement.lang = text.language();
  document.title = `${text.t("report.title")} ${version} – Monitory`;
  place("back").textContent = `← ${text.t("report.back")}`;
  place("version").textContent = version;
  place("main").replaceChildren(loading());
  try {
    const report = inLanguage(await getText(["models", version, "report"]));
    place("main").replaceChildren(h("iframe", { sandbox: "", srcdoc: report, title: `${text.t("report.title")} ${version}` }));
  } catch (error) {
    place("main").replaceChildren(problemNotice(error, { onRetry: show }));
  }
}

/** A report whose switch of languages stands at the page's; it runs no scripts, so this is done before it is shown. */
const inLanguage = (report) => report.replace(`id="language-${text.language()}"`, "$& checked");

window.addEventListener("hashchange", show);
show();
