/** The live-call dashboard: signing in, and painting the board that Live keeps true. */

import { ANSWERED_WITHIN_SECONDS, Board, LATE_SECONDS } from "./calls.js";
import { CallTable, View } from "./call-table.js";
import { Live } from "./live.js";
import { PartList, say } from "./parts.js";
import { signIn, signOut, token } from "./session.js";
import { clock, duration } from "./times.js";

const ARRANGE_MS = 500;
const ANNOUNCE_MS = 20_000;
const CHIPS = ["waiting", "connecting", "ringing", "dialing", "talking", "answered"];
const AGENT_SHAPES = { available: "shape-answered", busy: "shape-talking", ringing: "shape-ringing", offline: "shape-offline", "": "shape-offline" };
const AGENT_ORDER = ["available", "ringing", "busy", "away", "offline", ""];

const element = (id) => document.getElementById(id);
const board = new Board();
const view = new View(location.search);
const table = new CallTable(board, view, {
  scroller: element("scroller"),
  table: element("calls"),
  body: element("rows"),
  above: element("above"),
  below: element("below"),
  template: element("call-row"),
});
const queueList = new PartList(element("queue-rows"), element("queue-row"));
const agentList = new PartList(element("agent-rows"), element("agent-row"));
const chips = new Map();
const live = new Live(board, { changed, loaded, state: showConnection, denied, signedOut });

// --- Painting ---

let isPainting = false;
let arrangeDue = true;
let arrangedAt = 0;
let tickTimer = null;

/** Events came in: paint with the next frame, however many there are. */
function changed() {
  if (isPainting) return;
  isPainting = true;
  requestAnimationFrame(paint);
}

function paint() {
  isPainting = false;
  if (live.loadedAt === null) return;
  const now = live.now;
  table.paint(board.takeChanged(), now);
  // Rows move now and then and not with every event: whoever reads them must not lose the line.
  if (performance.now() - arrangedAt >= ARRANGE_MS) arrange(now);
  else arrangeDue = true;
}

function arrange(now) {
  arrangeDue = false;
  arrangedAt = performance.now();
  table.arrange(now);
  showSummary(now);
  showPeople(now);
}

function tick() {
  clearTimeout(tickTimer);
  tickTimer = setTimeout(tick, 1000 - (Date.now() % 1000) + 5);
  showConnection();
  if (live.loadedAt === null) return;
  const now = live.now;
  table.tick(now);
  arrange(now);
  showStale();
  announce();
}

let isScrolling = false;
function scrolled() {
  if (isScrolling) return;
  isScrolling = true;
  requestAnimationFrame(() => {
    isScrolling = false;
    table.scrolled(live.now);
  });
}

element("scroller").addEventListener("scroll", scrolled, { passive: true });
addEventListener("resize", scrolled);

// Between ticks, what events moved.
setInterval(() => arrangeDue && live.loadedAt !== null && arrange(live.now), ARRANGE_MS);

function showSummary(now) {
  const summary = board.summary(now);
  const { active, waiting, oldest, states, agents, samples } = summary;
  say(element("card-active"), String(active));
  say(element("card-active-note"), `${states.talking} talking, ${states.ringing + states.dialing} ringing`);
  say(element("card-waiting"), String(waiting));
  say(element("card-waiting-note"), waiting === 0 ? "nobody waits" : states.connecting ? `${states.connecting} being connected` : waiting === 1 ? "caller in a queue" : "callers in queues");
  level(element("card-waiting"), waiting === 0 ? null : "warn");
  const longest = oldest && now - oldest.place.since;
  say(element("card-longest"), oldest ? duration(longest) : "—");
  say(element("card-longest-note"), oldest ? board.queueName(oldest.place.queueId) : "nobody waits");
  level(element("card-longest"), !oldest ? null : longest > LATE_SECONDS * 1000 ? "bad" : longest > ANSWERED_WITHIN_SECONDS * 1000 ? "warn" : null);
  say(element("card-level"), samples ? percent(summary.level) : "—");
  say(element("card-level-note"), samples ? `${summary.inTime} of ${samples} in ${ANSWERED_WITHIN_SECONDS} s, last hour` : "no callers in the last hour");
  level(element("card-level"), !samples ? null : summary.level >= 0.8 ? "good" : summary.level >= 0.7 ? "warn" : "bad");
  say(element("card-abandoned"), samples ? percent(summary.abandonedShare) : "—");
  say(element("card-abandoned-note"), samples ? `${summary.abandoned} of ${samples}, last hour` : "no callers in the last hour");
  const here = agents.available + agents.busy + agents.away;
  say(element("card-available"), board.agents.size ? String(agents.available) : "—");
  say(element("card-available-note"), board.agents.size ? `${agents.busy} busy, ${agents.away} away, ${agents.offline} offline` : "no agents yet");
  level(element("card-available"), here && waiting && agents.available === 0 ? "bad" : null);
  showChips(states);
  showEmpty(active);
  say(element("shown"), view.isFiltered ? `${table.shown} of ${board.calls.size} calls shown` : `${table.shown} ${table.shown === 1 ? "call" : "calls"}`);
  document.title = waiting ? `(${waiting}) Live calls` : "Live calls";
  showQueues(summary, now);
}

function percent(share) {
  return `${Math.round(share * 100)} %`;
}

function level(target, name) {
  if (name === null) delete target.dataset.level;
  else if (target.dataset.level !== name) target.dataset.level = name;
}

function showQueues({ queues }, now) {
  const ids = [...queues.keys()].sort((one, other) => board.queueName(one).localeCompare(board.queueName(other)));
  queueList.arrange(ids, () => {});
  for (const [id, part] of queueList.parts) {
    const { waiting, talking, oldest } = queues.get(id);
    part.text("name", board.queueName(id));
    part.text("waiting", String(waiting));
    part.text("longest", oldest === null ? "—" : duration(now - oldest));
    part.text("talking", String(talking));
    part.attribute("data-busy", waiting ? "" : null);
    part.attribute("data-late", oldest !== null && now - oldest > LATE_SECONDS * 1000 ? "" : null);
  }
  element("no-queues").hidden = ids.length > 0;
}

function showPeople(now) {
  const rank = ({ status }) => (AGENT_ORDER.includes(status) ? AGENT_ORDER.indexOf(status) : 3);
  if (board.peopleChanged) {
    board.peopleChanged = false;
    const agents = [...board.agents.values()].sort((one, other) => rank(one) - rank(other) || one.name.localeCompare(other.name));
    agentList.arrange(agents.map(({ id }) => id), () => {});
    element("no-agents").hidden = agents.length > 0;
    offerQueues();
  }
  for (const [id, part] of agentList.parts) {
    const agent = board.agents.get(id);
    part.text("name", agent.name);
    part.text("status", agent.status || "offline");
    part.text("since", duration(now - agent.since));
    part.attribute("data-status", agent.status || "offline");
    part.shape(0, AGENT_SHAPES[agent.status] ?? "shape-away");
  }
}

function showEmpty(active) {
  const isEmpty = table.shown === 0;
  element("empty").hidden = !isEmpty;
  if (!isEmpty) return;
  say(element("empty-title"), active ? "No call fits the filters" : "No calls right now");
  say(
    element("empty-text"),
    active
      ? `${active} ${active === 1 ? "call is" : "calls are"} live, and hidden by the search or the filters.`
      : "The next one appears here by itself, the moment it rings. Nothing at all, though there should be? See that your platform publishes its events to this gateway.",
  );
  say(element("empty-button"), "Show all calls");
  element("empty-button").hidden = active === 0;
}

/** For who does not see the page: a word now and then, not with every event. */
let announcedAt = 0;
let announced = "";
function announce() {
  if (Date.now() - announcedAt < ANNOUNCE_MS) return;
  const { active, waiting } = board.summary(live.now);
  const text = `${active} active, ${waiting} waiting`;
  if (text === announced || live.connection.name !== "live") return;
  announced = text;
  announcedAt = Date.now();
  say(element("announcements"), text);
}

// --- The connection ---

let announcedConnection = "live";

function showConnection() {
  const { name, retryAt, message } = live.connection;
  const pill = element("connection");
  const seconds = retryAt === null ? 0 : Math.ceil((retryAt - Date.now()) / 1000);
  const texts = {
    connecting: "Connecting…",
    live: "Live",
    reconnecting: seconds > 0 ? `Reconnecting in ${seconds} s` : "Reconnecting…",
    offline: "Offline",
    failed: "Connection refused",
  };
  pill.dataset.state = name === "connecting" ? "reconnecting" : name;
  pill.title = message ?? "";
  say(element("connection-text"), texts[name]);
  if (name !== announcedConnection && name !== "connecting") {
    if (name === "live") say(element("announcements"), "The connection is back, everything shown is live");
    else if (announcedConnection === "live") say(element("announcements"), "The connection was lost");
    announcedConnection = name;
  }
  showStale();
}

function showStale() {
  const isStale = live.isStale;
  const root = element("board-view");
  if (isStale !== root.hasAttribute("data-stale")) {
    root.toggleAttribute("data-stale", isStale);
    element("stale-banner").hidden = !isStale;
    if (!isStale) changed();
  }
  if (isStale) say(element("stale-banner"), `No connection. What you see is as of ${clock(live.knownAt)}, and goes on by itself when the gateway answers again.`);
}

// --- Search, filters, order ---

function viewChanged() {
  const query = view.toString();
  history.replaceState(null, "", query ? `?${query}` : location.pathname);
  showView();
  if (live.loadedAt !== null) arrange(live.now);
}

function showView() {
  if (element("search").value !== view.words) element("search").value = view.words;
  element("queue-filter").value = view.queue;
  element("direction-filter").value = view.direction;
  for (const [state, chip] of chips) chip.button.setAttribute("aria-pressed", String(view.states.has(state)));
  for (const button of document.querySelectorAll("[data-sort]")) {
    const head = button.closest("th");
    if (button.dataset.sort === view.sort) head.setAttribute("aria-sort", view.descending ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
}

function makeChips() {
  for (const state of CHIPS) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "chip";
    button.dataset.state = state;
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("aria-hidden", "true");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    use.setAttribute("href", `#shape-${state}`);
    svg.append(use);
    const count = document.createElement("span");
    count.className = "count";
    button.append(svg, `${state[0].toUpperCase()}${state.slice(1)} `, count);
    button.addEventListener("click", () => {
      if (!view.states.delete(state)) view.states.add(state);
      viewChanged();
    });
    chips.set(state, { button, count });
    element("state-filter").append(button);
  }
}

function showChips(states) {
  for (const [state, { count, button }] of chips) {
    say(count, String(states[state]));
    // Rare states take no room while there is nothing in them.
    button.hidden = states[state] === 0 && ["connecting", "dialing", "answered"].includes(state) && !view.states.has(state);
  }
}

function offerQueues() {
  const select = element("queue-filter");
  const options = [...board.queues.values()].sort((one, other) => one.name.localeCompare(other.name)).map(({ id, name }) => new Option(name, id));
  select.replaceChildren(new Option("All queues", ""), ...options);
  select.value = view.queue;
}

makeChips();
showView();
element("search").addEventListener("input", ({ target }) => {
  view.words = target.value;
  viewChanged();
});
element("queue-filter").addEventListener("change", ({ target }) => {
  view.queue = target.value;
  viewChanged();
});
element("direction-filter").addEventListener("change", ({ target }) => {
  view.direction = target.value;
  viewChanged();
});
for (const button of document.querySelectorAll("[data-sort]")) {
  button.addEventListener("click", () => {
    view.descending = view.sort === button.dataset.sort && !view.descending;
    view.sort = button.dataset.sort;
    viewChanged();
  });
}
element("empty-button").addEventListener("click", () => {
  view.clear();
  viewChanged();
});
addEventListener("keydown", (event) => {
  const isTyping = event.target.matches?.("input, select, textarea");
  if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !element("board-view").hidden) {
    event.preventDefault();
    element("search").select();
  } else if (event.key === "Escape" && event.target === element("search") && view.words) {
    view.words = "";
    viewChanged();
  }
});

// --- Signing in and out ---

function show(id) {
  for (const each of ["login-view", "board-view"]) element(each).hidden = each !== id;
}

function askToSignIn(notice = "") {
  show("login-view");
  say(element("login-notice"), notice);
  element("login-notice").hidden = notice === "";
  element("password").value = "";
  element(element("username").value ? "password" : "username").focus();
}

function begin() {
  show("board-view");
  element("board").hidden = false;
  element("denied").hidden = true;
  live.start();
  tick();
}

function loaded(me) {
  showWho(me);
  arrange(live.now);
}

function showWho(me) {
  say(element("customer"), me.customer.name ?? "");
  say(element("person"), me.agent?.name ?? "");
  say(element("role"), me.role ?? "");
}

function denied(me) {
  showWho(me);
  live.stop();
  element("board").hidden = true;
  element("denied").hidden = false;
  element("connection").hidden = true;
  say(element("denied-who"), `${me.agent?.name ?? "this credential"}${me.role ? ` (${me.role})` : ""}`);
  const lines = me.topics.map((topic) => {
    const [scope, , resource] = topic.split(":");
    const item = document.createElement("li");
    item.textContent = scope === "agent_id" ? "whatever concerns you yourself: your calls, your queues, your status" : `every ${resource} of ${me.customer.name ?? "your customer"}`;
    return item;
  });
  element("denied-topics").replaceChildren(...lines);
}

/** Nothing of what was shown stays on the page. */
function leave(notice) {
  clearTimeout(tickTimer);
  board.load({ me: { queues: [], agents: [] }, calls: [], queues: [], agents: [], history: [] }, Date.now());
  board.calls.clear();
  arrange(Date.now());
  document.title = "Live calls";
  askToSignIn(notice);
}

function signedOut(message) {
  leave(`${message} Sign in again.`);
}

element("sign-out").addEventListener("click", () => {
  signOut();
  live.stop();
  leave("");
});

element("login-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = element("login-button");
  const failed = element("login-error");
  button.disabled = true;
  say(failed, "");
  try {
    await signIn(element("username").value, element("password").value);
    element("password").value = "";
    begin();
  } catch (error) {
    say(failed, error instanceof TypeError ? "The gateway does not answer. Is it running?" : error.message);
    element("password").select();
  } finally {
    button.disabled = false;
  }
});

if (token()) begin();
else askToSignIn();
