// What there is to know, table by table.
import { at, count, make, millis, nothing, percent, put, rate, say, span, table } from "./show.js";
import { ask } from "./stream.js";

// How requests fared in the last seconds, in a word and a sentence: the first thing that anybody looks at.
export const verdict = (event) => {
  const { lately, holding } = event;
  const total = lately.requests;
  const on = event.phases.map((phase) => phase.name + (phase.until_s === null ? "" : ", for another " + left(event, phase.until_s)));
  const why = on.length ? " Phase on: " + on.join("; ") + "." : "";
  if (holding.refuses) return ["bad", "✗", "Refuses connections", "Nobody gets through to it." + why];
  if (total === 0) {
    const waiting = event.active ? " " + count(event.active) + " under way." : "";
    return ["untold", "?", "Quiet", "No request has ended in the last seconds." + waiting + why];
  }
  const share = lately.well / total;
  const parts = [["well", "go well"], ["refused", "were refused"], ["failed", "failed"], ["broken", "broke"], ["left", "were left by their clients"]];
  const met = parts.filter(([kind]) => lately[kind] > 0);
  const sentence = met.map(([kind, text], place) => percent(lately[kind] / total) + (place ? " " : " of requests ") + text).join(", ") + "." + why;
  if (share >= 0.99) return ["good", "✓", "Answers well", sentence];
  if (share >= 0.01) return ["partly", "!", "Fails in part", sentence];
  return ["bad", "✗", "Fails", sentence];
};

const left = (event, moment) => span(Math.max(0, (moment - event.time_s) / event.time_scale));

export const showNumbers = (event) => {
  const { lately } = event;
  const numbers = [
    ["requests a second", lately.span_s > 0 ? rate(lately.requests / lately.span_s) : "–"],
    ["go well", lately.requests ? percent(lately.well / lately.requests) : "–"],
    ["delivered, p99", millis(lately.took_ms.p99)],
    ["under way", count(event.active)],
    ["connections", count(event.connections_open)],
    ["requests so far", count(event.requests)],
  ];
  if (event.working !== null) numbers.splice(4, 0, ["working, waiting", event.working + ", " + event.waiting]);
  put("numbers", ...numbers.map(([name, number]) => make("div", {}, make("dt", {}, name), make("dd", {}, number))));
};

export const showOutcomes = (event) => {
  const { lately, holding, own_routes: own } = event;
  const asked = holding.outcomes;
  const met = lately.by_outcome;
  const names = [...new Set([...Object.keys(asked), ...Object.keys(met)])];
  names.sort((one, other) => (met[other] ?? 0) - (met[one] ?? 0) || (asked[other] ?? 0) - (asked[one] ?? 0) || one.localeCompare(other));
  const rows = names.map((name) => [
    name, asked[name] === undefined ? "–" : percent(asked[name]),
    lately.requests ? percent((met[name] ?? 0) / lately.requests) : "–",
    lately.span_s > 0 ? rate((met[name] ?? 0) / lately.span_s) : "–",
  ]);
  const elsewhere = own.length ? " Asked for is what holds on other routes than " + own.slice(0, 4).join(", ") + (own.length > 4 ? " and more" : "") + ", unless a phase is on." : "";
  say("outcomes-note", "What the scenario asks for, and what came in the last seconds." + elsewhere);
  put("outcomes", table(["outcome", "asked for", "came", "a second"], rows));
};

export const showLatency = (event) => {
  const { asked_ms: asked, took_ms: took } = event.lately;
  const row = (name, key) => [name, millis(asked[key]), millis(took[key])];
  put("latency", took.count
    ? table(["of " + count(took.count), "asked", "delivered"], [row("p50", "p50"), row("p90", "p90"), row("p99", "p99"), row("p99.9", "p99_9")])
    : nothing("No answers in the last seconds."));
};

export const showTimeline = (event) => {
  const over = event.timeline.filter((phase) => phase.until_s !== null && phase.until_s <= event.time_s);
  const shown = event.timeline.filter((phase) => over.indexOf(phase) < 0 || over.indexOf(phase) >= over.length - 2);
  const rows = shown.map(({ name, from_s: from, until_s: until }) => {
    const state = from > event.time_s
      ? "comes in " + left(event, from)
      : until === null ? "on, to the end" : until > event.time_s ? "on, for " + left(event, until) : "over";
    return [name, span(from), until === null ? "–" : span(until), state];
  });
  put("timeline", rows.length
    ? table(["phase", "from", "until", "now"], rows)
    : nothing("No phases: nothing changes by itself."));
};

export const showClients = (event) => {
  const { clients } = event;
  if (clients === null) return put("clients", nothing("Without a journal nobody is known (--no-journal)."));
  say("clients-note", clients.answers
    ? count(clients.answers) + " answers of the last " + span(clients.span_s / event.time_scale) + ", as far as the journal goes."
    : "Of the last ten seconds, as far as the journal goes.");
  const rows = clients.clients.map((own) => [
    own.client, count(own.answers), percent(own.well / own.answers), count(own.refused), count(own.failed + own.broken), count(own.came_back_early),
  ]);
  if (clients.others) rows.push([count(clients.others) + " others", count(clients.others_answers), "", "", "", ""]);
  put("clients", rows.length
    ? table(["client", "answers", "go well", "refused", "failed", "too early"], rows)
    : nothing("Nobody, in the last ten seconds."));
};

export const showLimits = (event) => {
  const { limits, lately } = event;
  const rows = limits.map((limit) => {
    const now = lately.over_limit[limit.name] ?? 0;
    return [limit.name, lately.span_s > 0 ? rate(now / lately.span_s) : "–", count(limit.refused), count(limit.asked)];
  });
  put("limits", rows.length
    ? table(["limit", "refused a second", "refused so far", "asked so far"], rows)
    : nothing("The scenario has no limits."));
  const early = event.came_back_early;
  say("early", early === null ? "" : count(early.attempts) + " came back before Retry-After, of " + count(early.clients) + " clients; worst: " +
    early.worst.map(([name, times]) => name + " (" + count(times) + ")").join(", ") + ".");
};

export const showLedger = (event) => {
  const rows = event.ledger.map((effect) => [
    effect.name, count(effect.done), count(effect.duplicates), count(effect.prevented), effect.worst.map(({ key, done }) => key + " × " + done).join(", ") || "–",
  ]);
  put("ledger", rows.length
    ? table(["effect", "done", "once more", "prevented", "worst keys"], rows)
    : nothing("No request has an effect (`effect` of a route)."));
};

const WHY = {
  limited: (record) => "over the limit " + record.limit,
  shed: () => "no room: the capacity is used up",
  turned_away: () => "the intake is throttled",
  bad_gateway: () => "a service behind failed",
  held_too_long: () => "held as long as any request may be",
  left: () => "the client left before the answer",
};

const reason = (record) => {
  const why = (WHY[record.outcome] ?? (() => (record.phase === null ? "drawn" : "drawn in phase " + record.phase)))(record);
  const replica = record.replica === null ? "" : ", on replica " + record.replica;
  return why + replica + (record.came_back_early === null ? "" : "; too early");
};

const explain = async (event, record) => {
  const query = new URLSearchParams({ request: record.request, attempt: record.attempt, service: event.name, format: "text" });
  say("why-text", "…");
  at("why").showModal();
  try {
    say("why-text", await ask("GET", "/explain?" + query));
  } catch (error) {
    say("why-text", error.message);
  }
};

export const showJournal = (event) => {
  if (event.journal === null) return put("journal", nothing("No journal is kept (--no-journal)."));
  // Whoever points at a row or has come to its button is to find it where it was.
  if (at("decisions").matches(":hover, :focus-within") && at("journal").firstChild) return;
  const rows = event.journal.toReversed().map((record) => {
    const button = make("button", { type: "button", class: "small", "aria-label": "Why request " + record.request + " attempt " + record.attempt }, "Why");
    button.addEventListener("click", () => explain(event, record));
    const ago = span(Math.max(0, (event.time_s - record.at_s) / event.time_scale)) + " ago";
    return [
      record.request + "." + record.attempt, ago, record.method + " " + record.path, record.client, record.outcome,
      record.status === null ? record.broken : String(record.status), reason(record), millis(record.asked_ms), millis(record.took_ms), button,
    ];
  });
  put("journal", rows.length
    ? table(["request", "came", "for", "from", "met", "answer", "because", "asked", "took", ""], rows)
    : nothing("No answers yet."));
};

export { left };
