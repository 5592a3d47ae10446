// What can be changed, for a while: each change is a request of the API, and says what it did.
import { at, clock, make, percent, say, span } from "./show.js";
import { ask } from "./stream.js";
import { left } from "./panels.js";

const OUTAGE = "live outage";
const KINDS = {
  503: { outcomes: { status: [{ rate: 1, code: 503 }] } },
  500: { outcomes: { error: 1 } },
  hang: { outcomes: { hang: 1 } },
  reset: { outcomes: { connection_reset: 1 } },
  refuse: { refuse: true },
};
const DAY = 86400;

let now;
// The changes that were seen, by service and number, so that one that is over is told of, once.
const known = new Map();

// Real seconds, and the same in the time of the scenario, which is the API's.
const ttl = () => Math.min(DAY, Math.max(0.001, Number(at("ttl").value) * now.time_scale)) + "s";

const query = (more) => "?" + new URLSearchParams({ service: now.name, ...more });

const log = (text) => {
  at("log").prepend(make("li", {}, make("time", {}, clock(0)), " " + text));
  while (at("log").children.length > 8) at("log").lastChild.remove();
};

// What a change made of what held before.
const difference = (before, after) => {
  const names = [...new Set([...Object.keys(before.outcomes), ...Object.keys(after.outcomes)])];
  const of = (force, name) => force.outcomes[name] ?? 0;
  const changed = names.filter((name) => Math.abs(of(before, name) - of(after, name)) > 1e-9);
  const parts = changed.map((name) => name + " " + percent(of(before, name)) + " → " + percent(of(after, name)));
  const other = (key, text) => {
    if (before[key] !== after[key]) parts.push(text(before[key]) + " → " + text(after[key]));
  };
  other("slowdown", (factor) => "latency × " + Number(factor.toFixed(3)));
  other("intake", (share) => percent(share) + " let in");
  other("workers", (workers) => workers + " workers");
  other("refuses", (refuses) => (refuses ? "connections refused" : "connections accepted"));
  return parts.length ? parts.join(", ") : "nothing at once";
};

// Makes a change, and says what came of it.
const change = async (name, method, path, body) => {
  try {
    const made = await ask(method, path, body);
    const what = difference(made.before, made.after);
    const lasts = made.until_s === null ? 0 : (made.until_s - made.from_s) / now.time_scale;
    const until = method === "POST" && made.did === "begun" ? "; until " + clock(lasts) + ", in " + span(lasts) : "";
    // Of what was undone from here there is no more to tell.
    known.set(now.name + " " + made.number, method === "POST" && made.did === "begun" ? made : undefined);
    at("told").classList.remove("wrong");
    say("told", name + ": " + what + until + ".");
    log(now.name + ", " + name + ": " + what + until);
  } catch (error) {
    at("told").classList.add("wrong");
    say("told", name + " was not done: " + error.message);
  }
};

const undo = (own) => change("change " + own.number + " (" + own.phase + ") undone", "DELETE", "/changes/" + own.number + query({}));

// The changes by which a phase is on.
const begunOf = (phase) => now.changes.filter((own) => own.phase === phase && own.did === "begun");

const undoAll = async (changes) => {
  for (const own of changes.toReversed()) await undo(own);
};

// Rows by key, made anew only where they are, so that whoever has come to a button keeps it.
const keep = (id, items, key, fresh, update, none) => {
  const list = at(id);
  const old = new Map([...list.children].filter((row) => row.dataset.key).map((row) => [row.dataset.key, row]));
  const rows = items.map((item) => {
    const row = old.get(key(item)) ?? fresh(item);
    row.dataset.key = key(item);
    update(row, item);
    return row;
  });
  const same = rows.length === list.children.length && rows.every((row, place) => row === list.children[place]);
  if (!same || !rows.length) list.replaceChildren(...(rows.length ? rows : none ? [make("li", { class: "nothing" }, none)] : []));
};

const row = (text, act) => {
  const made = make("li", {}, make("span", { class: "what" }), make("button", { type: "button", class: "small" }, text));
  made.querySelector("button").addEventListener("click", act);
  return made;
};

const write = (own, text) => {
  const place = own.querySelector(".what");
  if (place.textContent !== text) place.textContent = text;
};

const showChanges = (event) => {
  keep("changes", event.changes, (own) => event.name + " " + own.number + own.did,
    (own) => row("Undo", () => undo(own)),
    (element, own) => {
      const ends = own.until_s === null ? "" : ", ends by itself in " + left(event, own.until_s) + ", at " + clock((own.until_s - event.time_s) / event.time_scale);
      write(element, "Change " + own.number + ": " + own.phase + (own.did === "begun" ? " is on" : " was ended, and does not come again") + ends);
      element.querySelector("button").setAttribute("aria-label", "Undo change " + own.number);
    },
    "Nothing: the service does what its scenario says.");
  const there = new Map(event.changes.map((own) => [event.name + " " + own.number, own]));
  for (const [key, own] of known) {
    // An event may be older than what was done since.
    if (own && own.service === event.name && own.from_s < event.time_s && !there.has(key)) {
      const how = own.until_s <= event.time_s ? "has ended by itself" : "was undone elsewhere";
      log(event.name + ", change " + own.number + " (" + own.phase + ") " + how);
      known.set(key, undefined);
    }
  }
  for (const [key, own] of there) if (!known.has(key) && own.did === "begun") known.set(key, own);
  at("outage-end").hidden = !begunOf(OUTAGE).length;
};

// What can be chosen, made anew only where it changes, so that a choice stays.
const offer = (id, names, chosen) => {
  const select = at(id);
  const same = select.options.length === names.length && names.every((name, place) => select.options[place].value === name);
  if (!same) select.replaceChildren(...names.map((name) => make("option", { value: name, selected: name === chosen }, name)));
  return select.value;
};

const isOn = (phase) => now.phases.some((own) => own.name === phase);

const showPhases = (event) => {
  at("phase").hidden = !event.known_phases.length;
  const name = offer("phase-name", event.known_phases);
  const text = isOn(name) ? "End it" : "Begin it";
  if (at("phase-turn").textContent !== text) at("phase-turn").textContent = text;
  say("phase-now", name + (isOn(name) ? " is on." : " is off."));
};

const showRates = (event) => {
  const outcome = offer("rate-outcome", event.known_outcomes, "error");
  const asked = event.holding.outcomes[outcome] ?? 0;
  say("rate-now", "Asked for now: " + outcome + " " + percent(asked) + ". The others keep their rates, success takes what is left" +
    (event.own_routes.length ? "; on every route, those with outcomes of their own too" : "") + ".");
};

export const showControls = (event) => {
  now = event;
  showChanges(event);
  showPhases(event);
  showRates(event);
  say("scale-note", event.time_scale === 1 ? "" : "Seconds here are real ones; the scenario goes " + event.time_scale + " times as fast. A change lasts a day of it at the most.");
};

// Enter, or a press of the button, of a form whose fields are filled in.
const on = (form, act) => at(form).addEventListener("submit", (event) => {
  event.preventDefault();
  if (now && at("ttl").reportValidity()) act();
});

export const setUp = () => {
  at("ttl").form.addEventListener("submit", (event) => event.preventDefault());
  on("outage", () => {
    const kind = at("outage-kind");
    const text = "outage (" + kind.selectedOptions[0].textContent + ") started";
    change(text, "POST", "/changes", { for: ttl(), name: OUTAGE, service: now.name, ...KINDS[kind.value] });
  });
  at("outage-end").addEventListener("click", () => undoAll(begunOf(OUTAGE)));
  on("rate", () => {
    const [outcome, percents] = [at("rate-outcome").value, at("rate-percent").value];
    change("rate of " + outcome + " set", "POST", "/outcomes/" + outcome + query({ rate: percents + "%", for: ttl() }));
  });
  on("slow", () => {
    const factor = Number(at("slow-factor").value);
    change("latency times " + factor, "POST", "/changes", { for: ttl(), name: "live slowdown", service: now.name, slowdown: factor });
  });
  on("phase", () => {
    const name = at("phase-name").value;
    const path = "/phases/" + encodeURIComponent(name);
    if (!isOn(name)) return change("phase " + name + " begun", "POST", path + "/begin" + query({ for: ttl() }));
    // What was begun is undone. To end the phase itself would keep it from coming when it is due.
    const begun = begunOf(name);
    return begun.length ? undoAll(begun) : change("phase " + name + " ended", "POST", path + "/end" + query({}));
  });
  for (const id of ["rate-outcome", "phase-name"]) at(id).addEventListener("change", () => now && showControls(now));
};
