// Elements by hand. Data reaches the page as text and attributes only, never as markup.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element: h("a", {class: "name", href, onclick}, "text", otherElement, null). */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element, in the same way. */
export function s(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Other children for a place whose drawings find their size only later: the page does not jump meanwhile. */
export function swap(place, children) {
  place.style.minHeight = `${place.offsetHeight}px`;
  place.replaceChildren(...children);
  requestAnimationFrame(() => requestAnimationFrame(() => { place.style.minHeight = ""; }));
}

/** The hash address of a view: address(["machine", zone, equip], {q: ""}); empty parameters are left out. */
export function address(parts, parameters = {}) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value)).toString();
  return `#/${parts.map(encodeURIComponent).join("/")}${query ? `?${query}` : ""}`;
}
