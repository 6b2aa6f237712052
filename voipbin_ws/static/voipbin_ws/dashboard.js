/** The live-call dashboard: signing in, and painting the board that its link keeps true. */

import { readBoard } from "./board-state.js";
import { ANSWERED_WITHIN_SECONDS, Board, LATE_SECONDS } from "./calls.js";
import { CallTable, View } from "./call-table.js";
import { ConnectionView } from "./connection-view.js";
import { Link } from "./link.js";
import { PartList, say } from "./parts.js";
import { signOut } from "./session.js";
import { SignInForm, showWho } from "./sign-in-form.js";
import { duration } from "./times.js";

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
const link = new Link({ load, event: onEvent, state: showConnection, signedOut });
const connectionView = new ConnectionView(link, element("board-view"));
const signInForm = new SignInForm(element("board-view"), begin);

// --- Loading and hearing ---

async function load(me, now) {
  const state = await readBoard(me, now);
  if (!state) return { topics: [], cursor: null, show: () => denied(me) };
  const show = () => {
    const loadedAt = Date.now() + link.clockAhead;
    board.load(state.content, loadedAt);
    showWho(me);
    arrange(loadedAt);
  };
  return { topics: state.topics, cursor: state.cursor, needsAll: true, show };
}

function onEvent(event) {
  board.apply(event, Date.now() + link.clockAhead);
  changed();
}

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
  if (link.loadedAt === null) return;
  const now = link.now;
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
  if (link.loadedAt === null) return;
  const now = link.now;
  table.tick(now);
  arrange(now);
  announce();
}

let isScrolling = false;
function scrolled() {
  if (isScrolling) return;
  isScrolling = true;
  requestAnimationFrame(() => {
    isScrolling = false;
    table.scrolled(link.now);
  });
}

element("scroller").addEventListener("scroll", scrolled, { passive: true });
addEventListener("resize", scrolled);

// Between ticks, what events moved.
setInterval(() => arrangeDue && link.loadedAt !== null && arrange(link.now), ARRANGE_MS);

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
  const { active, waiting } = board.summary(link.now);
  const text = `${active} active, ${waiting} waiting`;
  if (text === announced || link.connection.name !== "live") return;
  announced = text;
  announcedAt = Date.now();
  say(element("announcements"), text);
}

// --- The connection ---

function showConnection() {
  if (connectionView.show()) changed();
}

// --- Search, filters, order ---

function viewChanged() {
  const query = view.toString();
  history.replaceState(null, "", query ? `?${query}` : location.pathname);
  showView();
  if (link.loadedAt !== null) arrange(link.now);
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

function begin() {
  element("board").hidden = false;
  element("denied").hidden = true;
  link.start();
  tick();
}

function denied(me) {
  showWho(me);
  link.stop();
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
  signInForm.ask(notice);
}

function signedOut(message) {
  leave(`${message} Sign in again.`);
}

element("sign-out").addEventListener("click", () => {
  signOut();
  link.stop();
  leave("");
});

signInForm.start();
