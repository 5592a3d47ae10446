// How things are shown. Text only ever goes in as text, whoever it comes from.

const SVG = "http://www.w3.org/2000/svg";

export const at = (id) => document.getElementById(id);

const fill = (element, attributes, children) => {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== ""));
  return element;
};

// An element with attributes and children; strings become text.
export const make = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
export const draw = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes, children);

// Puts a text in its place; one that stands there already is not touched, so that nobody is told of it again.
export const say = (id, text) => {
  const place = at(id);
  if (place.textContent !== text) place.textContent = text;
};

export const put = (id, ...children) => at(id).replaceChildren(...children);

// A table of texts and elements; its first column names the row.
export const table = (head, rows) =>
  make("table", {},
    make("thead", {}, make("tr", {}, ...head.map((name) => make("th", { scope: "col" }, name)))),
    make("tbody", {}, ...rows.map((row) =>
      make("tr", {}, ...row.map((cell, place) => (place ? make("td", {}, cell) : make("th", { scope: "row" }, cell)))))));

export const nothing = (why) => make("p", { class: "nothing" }, why);

export const count = (number) => number.toLocaleString("en-US");

export const rate = (number) =>
  number.toLocaleString("en-US", { maximumFractionDigits: number < 10 ? 2 : number < 100 ? 1 : 0 });

export const percent = (share) => {
  const number = share * 100;
  const digits = number === 0 || number === 100 ? 0 : number < 1 || number > 99 ? 2 : 1;
  return number.toFixed(digits) + " %";
};

export const millis = (number) => {
  if (number === null || number === undefined) return "–";
  if (number >= 10000) return (number / 1000).toFixed(1) + " s";
  if (number >= 1000) return (number / 1000).toFixed(2) + " s";
  return number.toFixed(number < 10 ? 2 : number < 100 ? 1 : 0) + " ms";
};

// Seconds as people say them.
export const span = (seconds) => {
  const whole = Math.round(seconds);
  if (whole < 120) return (seconds < 10 && whole !== seconds ? seconds.toFixed(1) : whole) + " s";
  const [minutes, hours] = [Math.floor(whole / 60), Math.floor(whole / 3600)];
  if (hours > 0) return hours + " h " + (minutes % 60) + " min";
  return minutes + " min " + (whole % 60) + " s";
};

// The time of day, so many real seconds from now.
export const clock = (seconds) => new Date(Date.now() + seconds * 1000).toLocaleTimeString();
