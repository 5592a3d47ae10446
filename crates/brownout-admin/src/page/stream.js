// The events of the API, and whatever else is asked of it. The token, where one is needed, goes along as a header and never into an address.

const KEPT = "brownout-token";
let token = sessionStorage.getItem(KEPT) ?? "";

export const keep = (text) => {
  token = text;
  if (text) sessionStorage.setItem(KEPT, text); else sessionStorage.removeItem(KEPT);
};

const headers = (more) => (token ? { ...more, authorization: "Bearer " + token } : more);

// Asks the API: what it answers, or an error that says why not.
export const ask = async (method, path, body) => {
  const carried = body === undefined ? {} : { "content-type": "application/json" };
  const sent = body === undefined ? undefined : JSON.stringify(body);
  const answer = await fetch(path, { method, body: sent, headers: headers(carried), cache: "no-store" });
  const text = await answer.text();
  const isJson = answer.headers.get("content-type")?.startsWith("application/json");
  const told = isJson ? JSON.parse(text) : text;
  if (!answer.ok) throw new Error(told.error ?? "the API answers " + answer.status);
  return told;
};

const wait = (millis) => new Promise((done) => setTimeout(done, millis));

// Follows the events of a service until it is told to stop: `told` gets each, `lost` why there are none, `refused` that a token is wanted.
export const follow = (service, { told, lost, refused }) => {
  const stop = new AbortController();
  const once = async () => {
    const query = service ? "?service=" + encodeURIComponent(service) : "";
    const answer = await fetch("/events" + query, { headers: headers({}), cache: "no-store", signal: stop.signal });
    if (answer.status === 401) {
      stop.abort();
      return refused(token !== "");
    }
    if (!answer.ok) throw new Error((await answer.json()).error);
    const reader = answer.body.getReader();
    const decoder = new TextDecoder();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) throw new Error("the stream has ended");
      text += decoder.decode(value, { stream: true });
      const events = text.split("\n\n");
      text = events.pop();
      // Each is all there is to know: of several, the last will do.
      const last = events.pop();
      if (last !== undefined) told(JSON.parse(last.slice("data: ".length)));
    }
  };
  const again = async () => {
    while (!stop.signal.aborted) {
      try {
        await once();
      } catch (error) {
        if (stop.signal.aborted) return;
        lost(error instanceof TypeError ? "the API does not answer" : error.message);
        await wait(2000);
      }
    }
  };
  again();
  return () => stop.abort();
};
