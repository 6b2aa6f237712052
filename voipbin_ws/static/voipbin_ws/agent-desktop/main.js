/** The agent desktop: signing in, the agent's status and calls, and who waits. Messages are in agent-messages.js. */

import { Sound, Title, Toasts } from "./alerts.js";
import { Desk } from "./desk.js";
import { Messages } from "./messages.js";
import { acceptCall, chooseStatus, hangUp, sendToVoicemail, transferCall } from "./requests.js";
import { ConnectionView } from "../shared/connection-status.js";
import { Link } from "../shared/live-data.js";
import { PartList, say } from "../shared/dom.js";
import { read, readAll, signOut } from "../shared/auth.js";
import { SignInForm, showWho } from "../shared/sign-in-form.js";
import { clock, duration } from "../shared/time.js";

const PAST_CALL_EVENTS = 300;
const PAST_MESSAGES = 1000;
const LATE_SECONDS = 60;
const SHIFT_KEY = "voipbin.shift";
const TITLE = "Agent desktop";
const PHASES = { offered: "Ringing", dialing: "Dialing", talking: "Talking" };
const SHAPES = { offered: "shape-ringing", dialing: "shape-dialing", talking: "shape-talking" };
const OUTCOMES = { missed: "Missed", abandoned: "Missed, caller hung up", transferred: "Transferred", voicemail: "Sent to voicemail", ended: "Ended" };
const OUTCOME_SHAPES = { missed: "shape-missed", abandoned: "shape-missed", transferred: "arrow-outbound", voicemail: "shape-voicemail", ended: "shape-ended" };
const IN_A_CALL = new Set(["ringing", "busy"]);
const STATUS_SHAPES = { available: "shape-answered", busy: "shape-talking", ringing: "shape-ringing", away: "shape-away" };

const element = (id) => document.getElementById(id);
/** @type {NodeListOf<HTMLButtonElement>} */
const statusChoices = document.querySelectorAll("[data-status-choice]");
const desk = new Desk();
const sound = new Sound();
const title = new Title(TITLE);
const toasts = new Toasts(element("toasts"));
const callList = new PartList(element("calls"), element("call-card"));
const waitingList = new PartList(element("waiting-rows"), element("waiting-row"));
const recentList = new PartList(element("recent-rows"), element("recent-row"));
const link = new Link({ load, event: onEvent, state: showConnection, signedOut });
const connectionView = new ConnectionView(link, element("desk-view"));
const signInForm = new SignInForm(element("desk-view"), begin);
const messages = new Messages({ link, toasts, refused: (error) => link.refused(error.message), changed });

let actions = { available: false, reason: "", message: false };
let orders = new Map(); // call id -> { action, error }: what was asked for and not yet seen
let isPainting = false;
let tickTimer = null;
let unseenSince = null; // a caller came while nobody looked at the page

// --- Loading and hearing ---

async function load(me, now) {
  const agentId = me.agent?.id;
  if (!agentId) return { topics: [], cursor: null, show: () => showNobody(me) };
  const messageTopic = `customer_id:${me.customer.id}:message:*`;
  const hearsMessages = me.topics.includes(messageTopic) || me.topics.includes(`customer_id:${me.customer.id}:*:*`);
  // The calls first: their cursor is the oldest, and what the others know beyond it comes again and changes nothing.
  const calls = await readAll("/v1.0/resources/call", { active: "true", agent_id: agentId });
  const [places, past, texts, lastStatus, status, may] = await Promise.all([
    readAll("/v1.0/resources/queue", { active: "true", agent_id: agentId }),
    read("/v1.0/events", { resource: "call", agent_id: agentId, order: "desc", limit: String(PAST_CALL_EVENTS) }),
    hearsMessages ? read("/v1.0/events", { resource: "message", order: "desc", limit: String(PAST_MESSAGES) }) : { content: { items: [] } },
    read("/v1.0/events", { type: "agent.status", agent_id: agentId, order: "desc", limit: "1" }),
    read(`/v1.0/agents/${agentId}/status`),
    read("/v1.0/actions"),
  ]);
  const show = () => {
    actions = may.content;
    orders = new Map();
    desk.load({ agentId, queues: me.queues, status: status.content, isByHand: Boolean(lastStatus.content.items[0]?.data.set_by), calls: calls.items, places: places.items, history: past.content.items.reverse() }, now);
    messages.load({ me, items: texts.content.items.reverse(), hearsMessages, may: actions, now });
    showDesk(me);
    offerTargets(me);
    changed();
  };
  const own = ["queue", "call", "agent"].map((resource) => `agent_id:${agentId}:${resource}:*`);
  return { topics: hearsMessages ? [...own, messageTopic] : own, cursor: calls.cursor, show };
}

function onEvent(event) {
  const now = Date.now() + link.clockAhead;
  desk.apply(event, now);
  messages.apply(event, now);
  tell(desk.takeNews());
  changed();
}

function tell(news) {
  for (const { kind, call, place } of news) {
    if (kind === "waiting") {
      const name = place.party.name || place.party.number || "A caller";
      toasts.show(`${name} waits in ${place.queueName}`, "waiting", place.callId);
      if (!desk.calls.size) sound.chime();
      if (document.hidden) unseenSince ??= Date.now();
    } else if (kind === "offered") {
      say(element("alarm"), `${call.who} is calling you`);
    } else if (kind === "missed") {
      toasts.show(`Missed: ${call.who}`, "missed");
    }
  }
}

// --- Painting ---

function changed() {
  if (isPainting) return;
  isPainting = true;
  requestAnimationFrame(paint);
}

function paint() {
  isPainting = false;
  if (link.loadedAt === null) return;
  const { now } = link;
  showStatus(now);
  showCalls(now);
  showWaiting(now);
  showRecent();
  messages.paint();
  showAttention();
}

function tick() {
  clearTimeout(tickTimer);
  tickTimer = setTimeout(tick, 1000 - (Date.now() % 1000) + 5);
  showConnection();
  paint();
}

function showStatus(now) {
  const { word, since } = desk.status;
  const shown = word || "offline";
  if (IN_A_CALL.has(shown)) {
    wordWhenSaid = shown;
  } else if (shown !== wordWhenSaid) {
    // What was said of a choice is settled, one way or another.
    wordWhenSaid = shown;
    say(element("status-note"), "");
    say(element("status-error"), "");
  }
  say(element("status-word"), shown.charAt(0).toUpperCase() + shown.slice(1));
  say(element("status-time"), since === null ? "" : duration(now - since));
  element("status").dataset.status = shown;
  element("status-shape").setAttribute("href", `#${STATUS_SHAPES[shown] ?? "shape-offline"}`);
  for (const button of statusChoices) {
    button.setAttribute("aria-pressed", String(button.dataset.statusChoice === (pendingStatus ?? shown)));
    button.disabled = !link.isLive || isChoosing;
  }
  const isOnShift = sound.isArmed;
  element("start-shift").hidden = isOnShift;
  element("sound").hidden = !isOnShift;
  say(element("sound"), sound.isMuted ? "Sound: off" : "Sound: on");
  element("sound").setAttribute("aria-pressed", String(!sound.isMuted));
  /** @type {HTMLButtonElement} */ (element("start-shift")).disabled = !link.isLive;
}

function showCalls(now) {
  const calls = [...desk.calls.values()].sort((one, other) => Object.keys(PHASES).indexOf(one.phase) - Object.keys(PHASES).indexOf(other.phase) || one.since - other.since);
  for (const id of orders.keys()) if (!desk.calls.has(id)) orders.delete(id);
  callList.arrange(calls.map(({ id }) => id), (part, id) => wire(part, id));
  for (const call of calls) {
    const part = callList.parts.get(call.id);
    part.attribute("data-call", call.id);
    part.attribute("data-phase", call.phase);
    part.attribute("aria-label", `${PHASES[call.phase]}: ${call.who}`);
    part.text("phase", PHASES[call.phase]);
    part.shape(0, SHAPES[call.phase]);
    part.text("time", duration(now - call.since));
    part.text("name", call.who);
    part.text("number", call.party.name ? call.party.number : "");
    part.text("direction", call.inbound ? "Inbound" : "Outbound");
    showCard(part.element.querySelector("dl"), call.card);
    showControls(part.element, call);
  }
  element("no-call").hidden = calls.length > 0;
  const status = desk.status.word;
  say(
    element("no-call-text"),
    status === "available" ? "You are available: the next call for you rings here." : status === "ringing" || status === "busy" ? "A call is on its way to you." : "You get no calls while you are " + (status || "offline") + ". Choose Available above when you are ready.",
  );
}

const cards = new WeakMap();
function showCard(list, card) {
  if (cards.get(list) === card) return;
  cards.set(list, card);
  const rows = card.map(([label, content]) => {
    const row = document.createElement("div");
    const name = document.createElement("dt");
    const value = document.createElement("dd");
    name.textContent = label;
    name.dir = value.dir = "auto";
    value.textContent = content.text ?? duration(content.seconds * 1000);
    row.append(name, value);
    return row;
  });
  list.replaceChildren(...rows);
  list.hidden = rows.length === 0;
}

const ACTIONS = {
  accept: { phases: ["offered"], usual: "Accept", doing: "Accepting…", act: (call) => acceptCall(call.id) },
  voicemail: { phases: ["offered", "talking"], usual: "Voicemail", doing: "Sending…", act: (call) => sendToVoicemail(call.id) },
  transfer: { phases: ["talking"], usual: "Transfer", doing: "Transferring…", act: (call, card) => transferCall(call.id, target(card)) },
  hangup: { phases: ["talking", "dialing"], usual: "Hang up", doing: "Hanging up…", act: (call) => hangUp(call.id) },
};

function target(card) {
  const [type, id] = card.querySelector("select").value.split(" ", 2);
  return { type, id };
}

function showControls(card, call) {
  const order = orders.get(call.id);
  const hadFocus = card.contains(document.activeElement);
  const isBlocked = !actions.available || !link.isLive;
  for (const [name, { phases, usual, doing }] of Object.entries(ACTIONS)) {
    const button = card.querySelector(`[data-act="${name}"]`);
    const isBusy = isUnderWay(call) && order.action === name;
    say(button, isBusy ? doing : usual);
    // One takes a call that rings, and hangs up the others.
    if (name === "accept") button.hidden = call.phase !== "offered";
    if (name === "hangup") button.hidden = call.phase === "offered";
    button.disabled = isBlocked || !phases.includes(call.phase) || isUnderWay(call);
  }
  const select = card.querySelector("select");
  const hasTargets = select.options.length > 0;
  select.disabled = card.querySelector('[data-act="transfer"]').disabled;
  if (!hasTargets) card.querySelector('[data-act="transfer"]').disabled = true;
  say(card.querySelector(".why"), actions.available ? (link.isLive ? "" : "Calls cannot be handled until the connection is back.") : actions.reason);
  say(card.querySelector(".error"), order?.error ?? "");
  // Who works by keys must not be thrown out of the card with the button that they pressed.
  const focused = /** @type {HTMLButtonElement} */ (document.activeElement);
  if (hadFocus && (focused === document.body || focused.hidden || focused.disabled)) card.focus();
}

function wire(part, id) {
  const card = part.element;
  const why = card.querySelector(".why");
  why.id = `why-${id}`;
  fillTargets(card.querySelector("select"));
  for (const name of Object.keys(ACTIONS)) {
    const button = card.querySelector(`[data-act="${name}"]`);
    button.setAttribute("aria-describedby", why.id);
    button.addEventListener("click", () => order(name, id, card));
  }
}

/** Whether something was asked for that has not shown yet. */
function isUnderWay(call) {
  const order = orders.get(call.id);
  return order?.action !== undefined && order.phase === call.phase;
}

async function order(name, id, card) {
  const call = desk.calls.get(id);
  if (!call || isUnderWay(call)) return;
  const { phase } = call;
  orders.set(id, { action: name, phase });
  changed();
  try {
    await ACTIONS[name].act(call, card);
    // Its event changes the call. Should it not come, one may try again.
    setTimeout(() => orders.get(id)?.action === name && orders.get(id).phase === phase && forget(id), 5000);
  } catch (error) {
    if (error.status === 401) link.refused(error.message);
    if (orders.get(id)?.action === name) orders.set(id, { error: error.message });
  }
  changed();
}

function forget(id) {
  orders.delete(id);
  changed();
}

let targets = [];
function offerTargets(me) {
  const queues = me.queues.map(({ id, name }) => [`queue ${id}`, name]);
  const colleagues = me.agents.filter(({ id, role }) => id !== me.agent.id && role === "agent").map(({ id, name }) => [`agent ${id}`, name]);
  targets = [["Queues", queues], ["Colleagues", colleagues]].filter(([, options]) => options.length);
  for (const { element: card } of callList.parts.values()) fillTargets(card.querySelector("select"));
}

function fillTargets(select) {
  const chosen = select.value;
  select.replaceChildren(
    ...targets.map(([label, options]) => {
      const group = document.createElement("optgroup");
      group.label = label;
      group.append(...options.map(([value, name]) => new Option(name, value)));
      return group;
    }),
  );
  if (chosen) select.value = chosen;
}

function showWaiting(now) {
  toasts.settle((callId) => !desk.waiting.has(callId) || desk.calls.has(callId));
  const places = [...desk.waiting.values()].filter(({ callId }) => !desk.calls.has(callId)).sort((one, other) => one.since - other.since);
  waitingList.arrange(places.map(({ callId }) => callId), () => {});
  for (const place of places) {
    const part = waitingList.parts.get(place.callId);
    const waited = now - place.since;
    part.text("name", place.party.name || place.party.number || "Unknown caller");
    part.text("queue", place.queueName);
    part.text("time", duration(waited));
    part.attribute("data-late", waited > LATE_SECONDS * 1000 ? "" : null);
  }
  say(element("waiting-count"), String(places.length));
  element("no-waiting").hidden = places.length > 0;
  title.usual = places.length ? `(${places.length}) ${TITLE}` : TITLE;
}

function showRecent() {
  recentList.arrange(desk.recent.map(({ id }) => id), () => {});
  for (const call of desk.recent) {
    const part = recentList.parts.get(call.id);
    part.text("name", call.who);
    part.text("outcome", OUTCOMES[call.outcome] ?? "Ended");
    part.shape(0, OUTCOME_SHAPES[call.outcome] ?? "shape-ended");
    part.text("time", clock(call.since).slice(0, 5));
    part.attribute("data-outcome", call.outcome);
  }
  element("no-recent").hidden = desk.recent.length > 0;
}

function showAttention() {
  const offered = [...desk.calls.values()].find(({ phase }) => phase === "offered");
  sound.ring(Boolean(offered) && link.isLive);
  const isUnseen = unseenSince !== null && desk.waiting.size > 0;
  title.call = offered ? `☎ ${offered.who} is calling` : isUnseen ? "● A caller waits" : null;
  if (!offered) say(element("alarm"), "");
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) unseenSince = null;
});

// --- The status ---

let isChoosing = false;
let pendingStatus = null;
let wordWhenSaid = null;

async function choose(status) {
  if (isChoosing || !link.isLive) return;
  isChoosing = true;
  pendingStatus = status;
  say(element("status-error"), "");
  say(element("status-note"), "");
  changed();
  try {
    const said = await chooseStatus(desk.agentId, status);
    if (said.next_status) say(element("status-note"), `${said.next_status.charAt(0).toUpperCase()}${said.next_status.slice(1)} after this call`);
    else desk.apply({ event_type: "agent.status", topic: `agent_id:${desk.agentId}:agent:${desk.agentId}`, timestamp: said.status_changed_at, data: { status: said.status, set_by: desk.agentId } }, Date.now() + link.clockAhead);
  } catch (error) {
    if (error.status === 401) link.refused(error.message);
    else say(element("status-error"), error.message);
  } finally {
    isChoosing = false;
    pendingStatus = null;
    wordWhenSaid = desk.status.word || "offline";
    changed();
  }
}

for (const button of statusChoices) {
  button.addEventListener("click", () => choose(button.dataset.statusChoice));
}

element("start-shift").addEventListener("click", async () => {
  if (!link.isLive) return;
  sessionStorage.setItem(SHIFT_KEY, "on");
  const isArmed = await sound.arm();
  if (isArmed) sound.chime();
  else toasts.show("This browser gives no sound: watch the title of the window");
  if (desk.status.word !== "busy" && desk.status.word !== "ringing") await choose("available");
  changed();
});

element("sound").addEventListener("click", () => {
  sound.isMuted = !sound.isMuted;
  changed();
});

/** After a reload the shift goes on: the first click or key gives the sound back. */
async function rearm() {
  if (sessionStorage.getItem(SHIFT_KEY) && !sound.isArmed && (await sound.arm())) changed();
}
addEventListener("pointerdown", rearm);
addEventListener("keydown", rearm);

addEventListener("keydown", (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey || event.code !== "KeyA") return;
  /** @type {HTMLButtonElement} */
  const offered = document.querySelector('[data-phase="offered"] [data-act="accept"]:not(:disabled)');
  if (!offered) return;
  event.preventDefault();
  offered.click();
});

// --- The connection ---

function showConnection() {
  connectionView.show();
  changed();
}

// --- Signing in and out ---

function showDesk(me) {
  showWho(me);
  element("desk").hidden = false;
  element("nobody").hidden = true;
}

/** An access key that belongs to no agent has no desk. */
function showNobody(me) {
  showWho(me);
  element("desk").hidden = true;
  element("nobody").hidden = false;
  element("connection").hidden = true;
}

function begin() {
  link.start();
  tick();
}

/** Nothing of what was shown stays on the page. */
function leave(notice) {
  clearTimeout(tickTimer);
  desk.clear("");
  messages.clear();
  orders = new Map();
  unseenSince = null;
  callList.arrange([], () => {});
  waitingList.arrange([], () => {});
  recentList.arrange([], () => {});
  toasts.clear();
  sound.ring(false);
  title.call = null;
  title.usual = TITLE;
  for (const id of ["alarm", "announcements", "status-error", "status-note", "person", "customer"]) say(element(id), "");
  signInForm.ask(notice);
}

function signedOut(message) {
  leave(`${message} Sign in again.`);
}

element("sign-out").addEventListener("click", () => {
  messages.dropDrafts();
  sessionStorage.removeItem(SHIFT_KEY);
  signOut();
  link.stop();
  leave("");
});

signInForm.start();
