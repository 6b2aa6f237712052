/** The agent desktop: connects the desk, its views, the alerts and the session. */

import { Title, Toasts } from "./alerts.js";
import { CallCards } from "./call-cards.js";
import { CallNotifications } from "./call-notifications.js";
import { Desk } from "./desk.js";
import { EarlierCalls } from "./earlier-calls.js";
import { Messages, THREADS_AT_ONCE } from "./messages.js";
import { MyDay } from "./my-day.js";
import { NotePanel } from "./note-panel.js";
import { Sound } from "../shared/sound.js";
import { StatusPanel } from "./status-panel.js";
import { TabLock } from "../shared/tab-lock.js";
import { enableAccount } from "../shared/account.js";
import { read, readAll } from "../shared/auth.js";
import { callerName } from "../shared/call.js";
import { enableNavigation } from "../shared/navigation.js";
import { inOrder } from "../shared/resource-state.js";
import { ConnectionStatus } from "../shared/connection-status.js";
import { descendant, element, PartList, setShown, setTexts } from "../shared/dom.js";
import { gettext, shownNumber } from "../shared/gettext.js";
import { refusalText } from "../shared/refusals.js";
import { LiveData } from "../shared/live-data.js";
import { showWho, SignInForm } from "../shared/sign-in-form.js";
import { duration, timeOfDay } from "../shared/time.js";

const PAST_EVENTS = "300";
const LONG_SECONDS = 20;
const LATE_SECONDS = 60;
const TITLE = gettext("Agent desktop");
const MAX_SHOWN_NOTE = 120;
const OUTCOMES = { missed: gettext("Missed"), abandoned: gettext("Missed, caller hung up"), transferred: gettext("Transferred"), voicemail: gettext("Sent to voicemail"), ended: gettext("Ended") };
const OUTCOME_SHAPES = { missed: "shape-missed", abandoned: "shape-missed", transferred: "arrow-outbound", voicemail: "shape-voicemail", ended: "shape-ended" };

const desk = new Desk();
const sound = new Sound(changed);
const notifications = new CallNotifications();
// Of several tabs one rings, which has sound, and one shows notifications.
const soundLock = new TabLock("voipbin.sound", changed);
const notificationLock = new TabLock("voipbin.notifications", changed);
const title = new Title(TITLE);
const toasts = new Toasts(element("toasts"));
const waitingList = new PartList(element("waiting-rows"), element("waiting-row"));
const recentList = new PartList(element("recent-rows"), element("recent-row"));
const liveData = new LiveData({
  load,
  event: onEvent,
  state: showConnection,
  signedIn: () => signInForm.open(),
  signedOut: (message) => showSignIn(message && `${message} ${gettext("Sign in again.")}`),
});
const connectionStatus = new ConnectionStatus(liveData, element("desk-view"));
const signInForm = new SignInForm(element("desk-view"), begin);
const statusPanel = new StatusPanel({ desk, liveData, sound, notifications, toasts, changed });
const notePanel = new NotePanel({ desk, liveData, changed });
const earlier = new EarlierCalls((code) => notePanel.labelOf(code), changed);
const callCards = new CallCards({ desk, liveData, earlier, ready, changed });
const myDay = new MyDay();
const messages = new Messages({ liveData, toasts, changed });

let isRendering = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let tickTimer;
let hasUnseenCaller = false; // Whether a caller began to wait while the page was hidden.

// --- Data ---

/** @param {Me} me @param {number} now @returns {Promise<Loaded>} */
async function load(me, now) {
  const agentId = me.agent?.id;
  if (!agentId) return { topics: [], cursor: null, show: () => showDesk(me) };
  const messageTopic = `customer_id:${me.customer.id}:message:*`;
  const isPermitted = me.topics.includes(messageTopic) || me.topics.includes(`customer_id:${me.customer.id}:*:*`);
  // The calls first: theirs is the oldest cursor. Events that the other answers already contain change nothing.
  const calls = await readAll("/v1.0/resources/call", { active: "true", agent_id: agentId });
  const past = { agent_id: agentId, order: "desc", limit: PAST_EVENTS };
  const [places, pastCalls, pastPlaces, conversations, status, actions] = await Promise.all([
    readAll("/v1.0/resources/queue", { active: "true", agent_id: agentId }),
    read("/v1.0/events", { resource: "call", ...past }),
    read("/v1.0/events", { resource: "queue", ...past }),
    isPermitted ? read("/v1.0/conversations", { limit: THREADS_AT_ONCE }) : { content: { items: [], cursor: "", next: null } },
    read(`/v1.0/agents/${agentId}/status`),
    read("/v1.0/actions"),
  ]);
  const permitted = { ...actions.content, reason: refusalText(actions.content.reason ?? "") };
  const show = () => {
    const history = inOrder([...pastCalls.content.items, ...pastPlaces.content.items]);
    desk.load({ agentId, queues: me.queues, status: status.content, calls: calls.items, places: places.items, history }, now);
    messages.load({ me, page: conversations.content, isPermitted, actions: permitted, now });
    callCards.load(me, permitted);
    notePanel.load(me);
    statusPanel.load(me);
    myDay.load(agentId);
    showDesk(me);
    changed();
  };
  const own = ["queue", "call", "agent"].map((resource) => `agent_id:${agentId}:${resource}:*`);
  return { topics: isPermitted ? [...own, messageTopic] : own, cursor: calls.cursor, show };
}

/** @param {GatewayEvent} event */
function onEvent(event) {
  const now = liveData.clock.now;
  const had = new Set(desk.calls.keys());
  desk.apply(event, now);
  if ([...had].some((id) => !desk.calls.has(id))) myDay.load(desk.agentId);
  if (desk.isIncomplete) liveData.start();
  messages.apply(event, now);
  for (const id of desk.takeUnread()) readCall(id);
  if (desk.mayServeOthers) readQueues();
  for (const notice of desk.takeNotices()) notify(notice);
  changed();
}

/** Store what the agent has written about the last call, and make the agent available. The agent stays where a note could not be stored. */
async function ready() {
  if (await notePanel.save()) statusPanel.choose("available");
}

/** Read which queues the agent serves. */
async function readQueues() {
  desk.mayServeOthers = false;
  const { agentId } = desk;
  try {
    const { content } = await read("/v1.0/me");
    if (desk.agentId !== agentId) return;
    desk.serve(content.queues);
    for (const notice of desk.takeNotices()) notify(notice);
    changed();
  } catch (error) {
    console.warn(error); // The queues are read again after the next such event.
  }
}

/** Read what was published of a call before it came to the agent, such as the caller. @param {string} id */
async function readCall(id) {
  try {
    const { content } = await read("/v1.0/resources/call", { resource_id: id, agent_id: desk.agentId });
    for (const item of content.items) desk.complete(item);
    changed();
  } catch (error) {
    console.warn(error); // The card shows what its events say.
  }
}

/** @param {import("./desk.js").Notice} notice */
function notify(notice) {
  if (notice.kind === "waiting") {
    const { party, queueName, callId } = notice.place;
    toasts.show(gettext("{name} is waiting in {queue}", { name: callerName(party), queue: queueName }), "waiting", callId);
    if (!desk.calls.size && soundLock.isHeld) sound.chime();
    hasUnseenCaller ||= document.hidden;
  } else if (notice.kind === "offered") {
    setTexts({ alarm: gettext("{name} is calling you", { name: notice.call.displayName }) });
  } else {
    toasts.show(gettext("Missed: {name}", { name: notice.call.displayName }), "missed");
  }
}

// --- Rendering ---

/** Alert at once, since a hidden tab has no frames and its timers are late; render in the next frame. */
function changed() {
  showAlerts();
  if (isRendering) return;
  isRendering = true;
  requestAnimationFrame(render);
}

function render() {
  isRendering = false;
  if (!liveData.isLoaded) return;
  const { now } = liveData;
  statusPanel.show(now);
  callCards.show(now);
  notePanel.show();
  showWaiting(now);
  showRecent();
  messages.render();
}

function tick() {
  clearTimeout(tickTimer);
  tickTimer = setTimeout(tick, 1000 - (Date.now() % 1000) + 5);
  showConnection();
  liveData.checkClock();
  render();
}

function showConnection() {
  connectionStatus.show();
  changed();
}

/** @param {number} now */
function showWaiting(now) {
  toasts.settle((callId) => !desk.waiting.has(callId) || desk.calls.has(callId));
  const places = [...desk.waiting.values()].filter(({ callId }) => !desk.calls.has(callId)).sort((one, other) => one.since - other.since);
  waitingList.arrange(places.map(({ callId }) => callId));
  for (const { callId, party, queueName, since } of places) {
    const part = waitingList.part(callId);
    const waited = now - since;
    part.texts({ name: callerName(party), queue: queueName, time: duration(waited) });
    part.attributes({ "data-wait": waited > LATE_SECONDS * 1000 ? "late" : waited > LONG_SECONDS * 1000 ? "long" : null });
  }
  setTexts({ "waiting-count": shownNumber(places.length) });
  setShown({ "no-waiting": places.length === 0 });
}

function showRecent() {
  recentList.arrange(desk.recent.map(({ id }) => id), ({ element: row }, id) => {
    descendant(row, "[data-act=note]").addEventListener("click", () => notePanel.open(id));
    descendant(row, "[data-act=message]").addEventListener("click", () => messages.write(desk.recent.find((call) => call.id === id)?.party));
  });
  for (const call of desk.recent) {
    const { id, displayName, outcome, since, party } = call;
    const part = recentList.part(id);
    const lasted = call.duration === null || call.isMissed ? "" : ` · ${duration(call.duration)}`;
    part.texts({ name: displayName, outcome: OUTCOMES[outcome ?? "ended"] + lasted, time: timeOfDay(since).slice(0, 5) });
    part.texts({ disposition: call.disposition ? notePanel.labelOf(call.disposition) : "", note: call.note.slice(0, MAX_SHOWN_NOTE) });
    part.shape(0, OUTCOME_SHAPES[outcome ?? "ended"]);
    part.attributes({ "data-outcome": outcome });
    descendant(part.element, "[data-act=message]").hidden = !messages.canWrite(party);
    descendant(part.element, "[data-act=note]").setAttribute("aria-label", gettext("Note on the call with {name}", { name: displayName }));
    descendant(part.element, "[data-act=message]").setAttribute("aria-label", gettext("Message to {name}", { name: displayName }));
  }
  setShown({ "no-recent": desk.recent.length === 0 });
}

/** Return the notes of the last calls as commands of the palette. */
function commandsOfCalls() {
  return desk.recent.map(({ id, displayName, since }) => ({
    title: `${displayName}, ${timeOfDay(since).slice(0, 5)}`, kind: gettext("Note on a call"), isFoundOnly: true, run: () => notePanel.open(id),
  }));
}

function showAlerts() {
  if (!liveData.isLoaded) return;
  // A hidden tab often has stale data, because its pings are late; the events come in time.
  const offered = liveData.connection.name === "live" ? [...desk.calls.values()].filter(({ phase }) => phase === "offered") : [];
  soundLock.want(sound.isArmed);
  sound.ring(offered.length > 0 && soundLock.isHeld);
  notifications.show(notificationLock.isHeld ? offered : []);
  const waiting = [...desk.waiting.keys()].filter((callId) => !desk.calls.has(callId)).length;
  title.usual = waiting ? `(${waiting}) ${TITLE}` : TITLE;
  const isUnseen = hasUnseenCaller && desk.waiting.size > 0;
  title.alert = offered.length ? `☎ ${gettext("{name} is calling", { name: offered[0].displayName })}` : isUnseen ? `● ${gettext("A caller is waiting")}` : null;
  if (!offered.length) setTexts({ alarm: "" });
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) hasUnseenCaller = false;
  changed();
});

// --- Session ---

/** Show the desk, or that the account has none: it is an access key that belongs to no agent. @param {Me} me */
function showDesk(me) {
  const hasDesk = Boolean(me.agent?.id);
  showWho(me);
  setShown({ desk: hasDesk, nobody: !hasDesk, connection: hasDesk });
}

function begin() {
  notificationLock.want(true);
  liveData.start();
  tick();
}

/** Remove all data from the page, and show the sign-in form. @param {string} notice */
function showSignIn(notice) {
  clearTimeout(tickTimer);
  desk.clear("");
  messages.clear();
  callCards.clear();
  notePanel.clear();
  myDay.clear();
  hasUnseenCaller = false;
  waitingList.arrange([]);
  recentList.arrange([]);
  toasts.clear();
  sound.ring(false);
  notifications.show([]);
  soundLock.want(false);
  notificationLock.want(false);
  title.alert = null;
  title.usual = TITLE;
  setTexts({ alarm: "", announcements: "", "status-error": "", "status-note": "", "status-detail": "", person: "", customer: "" });
  signInForm.ask(notice);
}

element("sign-out").addEventListener("click", () => {
  messages.dropDrafts();
  notePanel.dropDrafts();
  statusPanel.endShift();
  liveData.signOut();
});

enableAccount(liveData);
enableNavigation({ isShown: () => !element("desk-view").hidden, sources: [() => messages.commands(), commandsOfCalls] });

signInForm.start();
