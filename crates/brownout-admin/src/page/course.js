// The last two minutes as pictures: how requests fared, and how long answers took.
import { at, draw, make, millis, percent, put, rate, table } from "./show.js";

const POINTS = 120;
const KINDS = [
  ["well", "went well"], ["refused", "refused (4xx)"], ["failed", "failed (5xx)"], ["broken", "broke"], ["left", "client left"],
];
const LEFT = 58, RIGHT = 6, TOP = 8, BOTTOM = 20;

const swatch = (kind, text) => make("span", { class: "key" }, make("span", { class: "swatch " + kind, "aria-hidden": "true" }), text);

const sum = (points, kind) => points.reduce((all, point) => all + point[kind], 0);

// A round number that is no less.
const roundUp = (most) => {
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((step) => step * power).find((step) => most <= step);
};

// A picture as wide as its place, with the axes of both: time in seconds ago, and an upper end.
const frame = (id, height, most, label, title) => {
  const width = Math.max(280, at(id).clientWidth);
  const bottom = height - BOTTOM;
  const svg = draw("svg", { viewBox: "0 0 " + width + " " + height, width, height, role: "img", "aria-label": title });
  for (const share of [0, 0.5, 1]) {
    const y = bottom - share * (bottom - TOP);
    svg.append(
      draw("line", { class: share ? "grid" : "base", x1: LEFT, x2: width - RIGHT, y1: y, y2: y }),
      draw("text", { class: "tick end", x: LEFT - 6, y: y + 4 }, label(share * most)));
  }
  const x = (ago) => width - RIGHT - ((width - RIGHT - LEFT) * ago) / POINTS;
  for (const ago of [0, 30, 60, 90, 120]) {
    const text = ago ? "−" + ago + " s" : "now";
    svg.append(draw("text", { class: "tick " + (ago === 0 ? "end" : ago === POINTS ? "" : "middle"), x: x(ago), y: height - 5 }, text));
  }
  return { svg, x, y: (value) => bottom - (Math.min(value, most) / most) * (bottom - TOP), bottom, step: x(0) - x(1) };
};

// Phases that were on, behind everything else; the name of each where there is room.
const bands = ({ svg, x, bottom, step }, event) => {
  const ago = (moment) => Math.min(POINTS, Math.max(0, (event.time_s - moment) / event.time_scale));
  for (const { name, from_s: from, until_s: until } of event.timeline) {
    if (from > event.time_s) continue;
    const [left, right] = [x(ago(from)), x(until === null ? 0 : ago(until))];
    if (right - left < 0.5) continue;
    const band = draw("rect", { class: "band", x: left, width: right - left, y: TOP, height: bottom - TOP });
    svg.prepend(band);
    if (right - left > 7 * name.length) svg.append(draw("text", { class: "band-name", x: left + 4, y: TOP + 11 }, name));
    else band.append(draw("title", {}, name));
  }
  return step;
};

const fares = (event, points) => {
  const a = (point, kind) => (point.span_s > 0 ? point[kind] / point.span_s : 0);
  const all = (point) => KINDS.reduce((sum, [kind]) => sum + a(point, kind), 0);
  const most = roundUp(Math.max(1, ...points.map(all)));
  const [total, well] = [KINDS.reduce((count, [kind]) => count + sum(points, kind), 0), sum(points, "well")];
  const title = total
    ? "Requests a second over the last two minutes: " + percent(well / total) + " of " + total.toLocaleString("en-US") + " went well."
    : "No requests in the last two minutes.";
  const picture = frame("course", 170, most, rate, title);
  const { svg, x, y, step } = picture;
  bands(picture, event);
  for (const [place, point] of points.entries()) {
    let below = 0;
    const right = x(points.length - 1 - place);
    for (const [kind] of KINDS) {
      const own = a(point, kind);
      if (own <= 0) continue;
      const [low, high] = [y(below), y(below + own)];
      // What there is at all is seen.
      svg.append(draw("rect", { class: "fare " + kind, x: right - step, width: step * 0.86, y: Math.min(high, low - 0.8), height: Math.max(low - high, 0.8) }));
      below += own;
    }
  }
  put("course", svg);
  const shown = KINDS.filter(([kind]) => kind === "well" || sum(points, kind) > 0);
  put("legend", "Requests a second: ", ...shown.map(([kind, text]) => swatch("fare " + kind, text)), swatch("band-key", "a phase is on"));
};

// A round number of milliseconds.
const scaled = (value) => (value >= 1000 ? Number((value / 1000).toPrecision(3)) + " s" : Number(value.toPrecision(3)) + " ms");

const LINES = [
  ["asked-median", "asked, p50", (point) => point.asked_ms[0]],
  ["p50", "delivered, p50", (point) => point.took_ms[0]],
  ["p99", "delivered, p99", (point) => point.took_ms[1]],
];

const latencies = (event, points) => {
  const values = LINES.flatMap(([, , of]) => points.map(of)).filter((value) => value !== null);
  const last = points.at(-1);
  const title = "Latency over the last two minutes; now " +
    (last ? LINES.map(([, text, of]) => text + " " + millis(of(last))).join(", ") : "nothing") + ".";
  const picture = frame("course-latency", 130, roundUp(Math.max(0.1, ...values)), scaled, title);
  const { svg, x, y, step } = picture;
  bands(picture, event);
  for (const [kind, , of] of LINES) {
    let path = "", drawing = false;
    for (const [place, point] of points.entries()) {
      const value = of(point);
      if (value === null) { drawing = false; continue; }
      const right = x(points.length - 1 - place);
      // A second that stands alone is a dash.
      path += drawing ? "" : "M" + (right - step).toFixed(1) + " " + y(value).toFixed(1);
      path += "L" + right.toFixed(1) + " " + y(value).toFixed(1);
      drawing = true;
    }
    if (path) svg.append(draw("path", { class: "line " + kind, d: path }));
  }
  put("course-latency", svg);
  put("latency-legend", "Latency: ", ...LINES.map(([kind, text]) => swatch("stroke " + kind, text)));
};

const rows = (points) => {
  const per = (point, kind) => (point.span_s > 0 ? rate(point[kind] / point.span_s) : "–");
  put("course-rows", table(
    ["seconds ago", ...KINDS.map(([, text]) => text + "/s"), "asked p50", "delivered p50", "delivered p99"],
    points.map((point, place) => [
      String(points.length - 1 - place), ...KINDS.map(([kind]) => per(point, kind)),
      millis(point.asked_ms[0]), millis(point.took_ms[0]), millis(point.took_ms[1]),
    ]).reverse()));
};

export const showCourse = (event) => {
  const points = event.course;
  fares(event, points);
  latencies(event, points);
  if (at("course-table").open) rows(points);
};
