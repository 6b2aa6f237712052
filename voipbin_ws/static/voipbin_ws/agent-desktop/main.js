/** The agent desktop: signing in, the agent's status and calls, and who waits. Messages are in agent-messages.js. */

import { Sound, Title, Toasts } from "./alerts.js";
import { CallCards } from "./call-cards.js";
import { Desk } from "./desk.js";
import { Messages } from "./messages.js";
import { StatusPanel } from "./status-panel.js";
import { ConnectionStatus } from "../shared/connection-status.js";
import { LiveData } from "../shared/live-data.js";
import { element, PartList, setText } from "../shared/dom.js";
import { read, readAll, signOut } from "../shared/auth.js";
import { SignInForm, showWho } from "../shared/sign-in-form.js";
import { timeOfDay, duration } from "../shared/time.js";

const PAST_CALL_EVENTS = 300;
const PAST_MESSAGES = 1000;
const LATE_SECONDS = 60;
const TITLE = "Agent desktop";
const OUTCOMES = { missed: "Missed", abandoned: "Missed, caller hung up", transferred: "Transferred", voicemail: "Sent to voicemail", ended: "Ended" };
const OUTCOME_SHAPES = { missed: "shape-missed", abandoned: "shape-missed", transferred: "arrow-outbound", voicemail: "shape-voicemail", ended: "shape-ended" };

const desk = new Desk();
const sound = new Sound();
const title = new Title(TITLE);
const toasts = new Toasts(element("toasts"));
const waitingList = new PartList(element("waiting-rows"), element("waiting-row"));
const recentList = new PartList(element("recent-rows"), element("recent-row"));
const liveData = new LiveData({ load, event: onEvent, state: showConnection, signedOut });
const connectionStatus = new ConnectionStatus(liveData, element("desk-view"));
const signInForm = new SignInForm(element("desk-view"), begin);
const statusPanel = new StatusPanel({ desk, liveData, sound, toasts, changed });
const callCards = new CallCards({ desk, liveData, changed });
const messages = new Messages({ liveData, toasts, refused: (error) => liveData.refused(error.message), changed });

let isRendering = false;
let tickTimer = null;
let unseenSince = null; // a caller came while nobody looked at the page

// --- Loading and hearing ---

async function load(me, now) {
  const agentId = me.agent?.id;
  if (!agentId) return { topics: [], cursor: null, show: () => showNobody(me) };
  const messageTopic = `customer_id:${me.customer.id}:message:*`;
  const receivesMessages = me.topics.includes(messageTopic) || me.topics.includes(`customer_id:${me.customer.id}:*:*`);
  // The calls first: their cursor is the oldest, and what the others know beyond it comes again and changes nothing.
  const calls = await readAll("/v1.0/resources/call", { active: "true", agent_id: agentId });
  const [places, past, texts, lastStatus, status, actions] = await Promise.all([
    readAll("/v1.0/resources/queue", { active: "true", agent_id: agentId }),
    read("/v1.0/events", { resource: "call", agent_id: agentId, order: "desc", limit: String(PAST_CALL_EVENTS) }),
    receivesMessages ? read("/v1.0/events", { resource: "message", order: "desc", limit: String(PAST_MESSAGES) }) : { content: { items: [] } },
    read("/v1.0/events", { type: "agent.status", agent_id: agentId, order: "desc", limit: "1" }),
    read(`/v1.0/agents/${agentId}/status`),
    read("/v1.0/actions"),
  ]);
  const show = () => {
    desk.load({ agentId, queues: me.queues, status: status.content, isByHand: Boolean(lastStatus.content.items[0]?.data.set_by), calls: calls.items, places: places.items, history: past.content.items.reverse() }, now);
    messages.load({ me, items: texts.content.items.reverse(), receivesMessages, actions: actions.content, now });
    callCards.load({ me, actions: actions.content });
    showDesk(me);
    changed();
  };
  const own = ["queue", "call", "agent"].map((resource) => `agent_id:${agentId}:${resource}:*`);
  return { topics: receivesMessages ? [...own, messageTopic] : own, cursor: calls.cursor, show };
}

function onEvent(event) {
  const now = Date.now() + liveData.clockOffset;
  desk.apply(event, now);
  messages.apply(event, now);
  notify(desk.takeNotices());
  changed();
}

function notify(notices) {
  for (const { kind, call, place } of notices) {
    if (kind === "waiting") {
      const name = place.party.name || place.party.number || "A caller";
      toasts.show(`${name} waits in ${place.queueName}`, "waiting", place.callId);
      if (!desk.calls.size) sound.chime();
      if (document.hidden) unseenSince ??= Date.now();
    } else if (kind === "offered") {
      setText(element("alarm"), `${call.displayName} is calling you`);
    } else if (kind === "missed") {
      toasts.show(`Missed: ${call.displayName}`, "missed");
    }
  }
}

// --- Painting ---

function changed() {
  if (isRendering) return;
  isRendering = true;
  requestAnimationFrame(render);
}

function render() {
  isRendering = false;
  if (liveData.loadedAt === null) return;
  const { now } = liveData;
  statusPanel.show(now);
  callCards.show(now);
  showWaiting(now);
  showRecent();
  messages.render();
  showAttention();
}

function tick() {
  clearTimeout(tickTimer);
  tickTimer = setTimeout(tick, 1000 - (Date.now() % 1000) + 5);
  showConnection();
  render();
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
  setText(element("waiting-count"), String(places.length));
  element("no-waiting").hidden = places.length > 0;
  title.usual = places.length ? `(${places.length}) ${TITLE}` : TITLE;
}

function showRecent() {
  recentList.arrange(desk.recent.map(({ id }) => id), () => {});
  for (const call of desk.recent) {
    const part = recentList.parts.get(call.id);
    part.text("name", call.displayName);
    part.text("outcome", OUTCOMES[call.outcome] ?? "Ended");
    part.shape(0, OUTCOME_SHAPES[call.outcome] ?? "shape-ended");
    part.text("time", timeOfDay(call.since).slice(0, 5));
    part.attribute("data-outcome", call.outcome);
  }
  element("no-recent").hidden = desk.recent.length > 0;
}

function showAttention() {
  const offered = [...desk.calls.values()].find(({ phase }) => phase === "offered");
  sound.ring(Boolean(offered) && liveData.isLive);
  const isUnseen = unseenSince !== null && desk.waiting.size > 0;
  title.call = offered ? `☎ ${offered.displayName} is calling` : isUnseen ? "● A caller waits" : null;
  if (!offered) setText(element("alarm"), "");
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) unseenSince = null;
});

// --- The connection ---

function showConnection() {
  connectionStatus.show();
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
  liveData.start();
  tick();
}

/** Nothing of what was shown stays on the page. */
function showSignIn(notice) {
  clearTimeout(tickTimer);
  desk.clear("");
  messages.clear();
  callCards.clear();
  unseenSince = null;
  waitingList.arrange([], () => {});
  recentList.arrange([], () => {});
  toasts.clear();
  sound.ring(false);
  title.call = null;
  title.usual = TITLE;
  for (const id of ["alarm", "announcements", "status-error", "status-note", "person", "customer"]) setText(element(id), "");
  signInForm.ask(notice);
}

function signedOut(message) {
  showSignIn(`${message} Sign in again.`);
}

element("sign-out").addEventListener("click", () => {
  messages.dropDrafts();
  statusPanel.endShift();
  signOut();
  liveData.stop();
  showSignIn("");
});

signInForm.start();
