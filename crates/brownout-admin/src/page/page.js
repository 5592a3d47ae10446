// The live page: follows the events of a service, and shows each as it comes.
import { showControls, setUp } from "./controls.js";
import { showCourse } from "./course.js";
import { showClients, showJournal, showLatency, showLedger, showLimits, showNumbers, showOutcomes, showTimeline, verdict } from "./panels.js";
import { at, clock, make, say, span } from "./show.js";
import { follow, keep } from "./stream.js";

// How old news may be, in milliseconds, before it is told that there are none.
const OLD = 3500;

let stop = () => {};
let paused = false;
let latest;
let came = 0;
let trouble = "";

const show = (event) => {
  const [mood, sign, word, sentence] = verdict(event);
  at("said").className = "said " + mood;
  say("sign", sign);
  say("word", word);
  say("sentence", event.reload_refused === null ? sentence : sentence + " The scenario was not read again: " + event.reload_refused);
  document.title = sign + " " + word + " – " + event.scenario + " – brownout live";
  say("title", "brownout, live: " + event.scenario + ", seed " + event.seed + ", " + event.name + " at " + event.url +
    "; " + span(event.time_s) + " of the run" + (event.time_scale === 1 ? "" : ", " + event.time_scale + " times as fast as real time; rates and latencies are in its time"));
  for (const part of [showNumbers, showCourse, showControls, showTimeline, showOutcomes, showLatency, showClients, showLimits, showJournal, showLedger]) {
    part(event);
  }
  showServices(event);
};

const showServices = (event) => {
  const select = at("service");
  if (select.options.length !== event.services.length) {
    select.replaceChildren(...event.services.map(({ name }) => make("option", { value: name, selected: name === event.name }, name)));
  }
  at("which").hidden = event.services.length < 2;
  for (const [place, own] of event.services.entries()) {
    const all = own.well + own.refused + own.failed + own.broken + own.left;
    const text = own.name + (all === 0 ? " (quiet)" : own.well / all < 0.99 ? " (fails in part)" : " (answers well)");
    const option = select.options[place];
    if (option.textContent !== text) option.textContent = text;
  }
};

const showNews = () => {
  const age = performance.now() - came;
  const isOld = latest !== undefined && age > OLD;
  document.body.classList.toggle("old", isOld || paused);
  if (paused) say("news", "Paused; what you see is of " + pausedAt + ".");
  else if (isOld || trouble) say("news", "No news" + (latest ? " for " + span(Math.round(age / 1000)) : "") + (trouble ? ": " + trouble : "") + ".");
  else say("news", "Live: every second.");
};

let pausedAt = "";

const begin = (service) => {
  stop();
  stop = follow(service, {
    told: (event) => {
      latest = event;
      came = performance.now();
      trouble = "";
      at("token").hidden = true;
      at("bar").hidden = at("main").hidden = at("said").hidden = false;
      if (!paused) show(event);
      showNews();
    },
    lost: (why) => {
      trouble = why;
      at("bar").hidden = false;
      if (latest === undefined) say("word", "Not connected");
      showNews();
    },
    refused: (wrong) => {
      at("said").hidden = at("main").hidden = at("bar").hidden = true;
      at("token").hidden = false;
      say("token-told", wrong ? "That is not the token." : "");
      at("token-text").focus();
    },
  });
};

at("token").addEventListener("submit", (event) => {
  event.preventDefault();
  keep(at("token-text").value);
  at("token-text").value = "";
  begin();
});

at("pause").addEventListener("click", () => {
  paused = !paused;
  pausedAt = clock(0);
  at("pause").setAttribute("aria-pressed", String(paused));
  at("pause").textContent = paused ? "Go on" : "Pause";
  if (!paused && latest) show(latest);
  showNews();
});

at("service").addEventListener("change", () => begin(at("service").value));

addEventListener("resize", () => latest && !paused && showCourse(latest));

setInterval(showNews, 1000);
setUp();
begin();
