/** The live-call dashboard: connects the board, the views, the address and the session. */

import { readBoard, readMeForCustomer, summaryTopics } from "./board-loader.js";
import { Board } from "./board.js";
import { LookBack } from "./look-back.js";
import { ViewOptions } from "./view-options.js";
import { ActionMenu } from "./views/action-menu.js";
import { PageActions } from "./views/actions.js";
import { AgentsPanel } from "./views/agents-panel.js";
import { AlertPanel } from "./views/alert-panel.js";
import { CallTable } from "./views/call-table.js";
import { CustomerPicker } from "./views/customer-picker.js";
import { showDenied } from "./views/empty-state.js";
import { Filters } from "./views/filters.js";
import { HistoryPanel } from "./views/history-panel.js";
import { enableShortcuts } from "./views/keyboard-shortcuts.js";
import { LookBackPanel } from "./views/look-back-panel.js";
import { Pause } from "./views/pause-button.js";
import { QueueTable } from "./views/queue-table.js";
import { Renderer } from "./views/renderer.js";
import { enableTooltips, StatCards } from "./views/stat-cards.js";
import { TimelinePanel } from "./views/timeline-panel.js";
import { ViewMenu } from "./views/view-menu.js";
import { WallboardLinks } from "./views/wallboard-links.js";
import { Wallboard } from "./views/wallboard.js";
import { enableNavigation } from "../shared/navigation.js";
import { enableAccount } from "../shared/account.js";
import { ConnectionStatus } from "../shared/connection-status.js";
import { descendant, element, field, setData, setShown, setText, setTexts } from "../shared/dom.js";
import { gettext } from "../shared/gettext.js";
import { LiveData } from "../shared/live-data.js";
import { toggleFullScreen } from "../shared/screen.js";
import { exactTime } from "../shared/time.js";
import { showWho, SignInForm } from "../shared/sign-in-form.js";

const FAST = 5; // A rate of playing, from which rows move with every change.

const board = new Board();
const viewOptions = new ViewOptions(location.search);
const liveData = new LiveData({
  load,
  event: onEvent,
  state: () => renderer.showConnection(),
  signedIn: () => signInForm.open(),
  signedOut: (message) => showSignIn(message && `${message} ${gettext("Sign in again.")}`),
});
const pause = new Pause();
const lookBack = new LookBack();
const lookBackPanel = new LookBackPanel(lookBack, liveData, { shown: momentShown, figuresRead: pastFiguresRead, changed: pastChanged });
const menu = new ActionMenu();
const actions = new PageActions({ board, liveData, menu, isPaused: () => pause.isOn || lookBack.isOn, whyNot: () => lookBackPanel.reason, openCall, openTimeline, changed: actionsChanged });
const timelinePanel = new TimelinePanel(liveData, board, {
  close: closeTimeline,
  changed: () => renderer.changed(),
  shown: (call) => actions.calls.showForTimeline(call),
  moment: () => (lookBack.isOn ? lookBack.now : null),
});
const table = new CallTable(viewOptions, {
  open: openTimeline,
  openMenu: (button, id) => actions.calls.openMenu(button, id),
  pendingOf: (call) => actions.calls.pendingOf(call),
});
const alertPanel = new AlertPanel(liveData, openAlert);
const historyPanel = new HistoryPanel(viewOptions, board, liveData, { open: openTimeline, changed: viewChanged });
const statCards = new StatCards();
const filters = new Filters(viewOptions, viewChanged);
const customerPicker = new CustomerPicker(chooseCustomer);
const wallboard = new Wallboard();
const wallboardLinks = new WallboardLinks(board, actions.confirmation);
export const page = {
  ...{ board, liveData, viewOptions, table, statCards, filters, timelinePanel, pause, lookBack, lookBackPanel, wallboard, actions, alertPanel },
  connectionStatus: new ConnectionStatus(liveData, element("board-view")),
  queueTable: new QueueTable(filterByQueue),
  agentsPanel: new AgentsPanel(viewOptions, { changed: viewChanged, actions: actions.agents }),
  me: /** @type {Me | null} */ (null), // The answer of /v1.0/me for the shown customer.
};
const renderer = new Renderer(page);
const signInForm = new SignInForm(element("board-view"), begin);

// --- Data ---

/** @param {Me} own @returns {Promise<Loaded>} */
async function load(own) {
  const me = await readMeForCustomer(own, viewOptions.customer);
  const state = await readBoard(me);
  if (!state) return { topics: [], cursor: null, show: () => showDeniedPage(me) };
  const show = () => {
    page.me = me;
    keepCustomer(me.customer.id === own.customer.id ? "" : me.customer.id);
    board.load(state.content, liveData.clock.now);
    actions.load(state.actions, me);
    historyPanel.load(me);
    alertPanel.load(me);
    wallboardLinks.load(me);
    showWho(me);
    customerPicker.show(me);
    lookBackPanel.load(me, exactTime(viewOptions.at));
    renderer.arrange();
    followFigures(me);
    if (timelinePanel.callId === viewOptions.call) timelinePanel.load();
    else if (!viewOptions.isWallboard) openTimeline(viewOptions.call);
  };
  return { topics: state.topics, cursor: state.cursor, show };
}

let unfollowFigures = () => {};

/** Receive the figures of the customer's queues, now and with each change. @param {Me} me */
function followFigures(me) {
  unfollowFigures();
  const topics = summaryTopics(me);
  // Without queues, those who are limited to some receive none.
  board.figures.isComing = topics.length > 0 && me.queues.length > 0;
  unfollowFigures = topics.length ? liveData.subscribe({ topics, event: onFigures, onLive: () => {} }) : () => {};
}

/** @param {GatewayEvent} event */
function onFigures(event) {
  const isFirst = board.figures.whole === null;
  board.figures.apply(event);
  if (isFirst) redraw();
  renderer.changed();
}

/** Draw the charts with the next numbers. */
function redraw() {
  statCards.redraw();
  page.queueTable.redraw();
}

/** @param {GatewayEvent} event */
function onEvent(event) {
  board.apply(event, liveData.clock.now);
  if (board.isIncomplete) liveData.start();
  timelinePanel.add(event);
  pause.count(event);
  renderer.changed();
}

// --- View options, stored in the address ---

function address() {
  const query = viewOptions.toString();
  return query ? `?${query}` : location.pathname;
}

function viewChanged() {
  history.replaceState(null, "", address());
  showView();
}

function showHeading() {
  const live = lookBack.isOn ? gettext("Past calls") : gettext("Live calls");
  setText(descendant(element("board-view"), "h1"), viewOptions.isHistory ? gettext("Call history") : live);
}

function showView() {
  showHeading();
  filters.show();
  page.agentsPanel.showOptions();
  wallboard.show(viewOptions.isWallboard);
  if (viewOptions.isHistory) setData(element("board-view"), "view", "history");
  historyPanel.show();
  renderer.arrangeIfLoaded();
}

// The browser's Back and Forward lead through the timelines that were open.
addEventListener("popstate", () => {
  const { customer, at } = viewOptions;
  viewOptions.read(location.search);
  showView();
  if (at !== viewOptions.at) lookBackPanel.open(exactTime(viewOptions.at));
  if (customer !== viewOptions.customer) liveData.start();
  else if (viewOptions.call) openTimeline(viewOptions.call);
  else closeTimeline();
});

/** @param {string} callId */
function openTimeline(callId) {
  if (page.me === null) return;
  if (viewOptions.call !== callId) {
    viewOptions.call = callId;
    history.pushState(null, "", address());
  }
  timelinePanel.open(callId, page.me);
  table.markOpen(callId);
  historyPanel.markOpen(callId);
  element("story").focus({ preventScroll: true });
  renderer.scrolled();
}

function closeTimeline() {
  const hadFocus = element("story").contains(document.activeElement);
  timelinePanel.close();
  table.markOpen("");
  historyPanel.markOpen("");
  if (viewOptions.call) {
    viewOptions.call = "";
    history.pushState(null, "", address());
  }
  renderer.scrolled();
  if (!hadFocus) return;
  if (viewOptions.isHistory) historyPanel.focus();
  else if (!table.focus()) element("scroller").focus();
}

/** Return the call of the open timeline, or of the row with the focus. */
function openCall() {
  return board.calls.get(table.focused || timelinePanel.callId) ?? null;
}

/** Show a saved view of the present customer. @param {string} query */
function openView(query) {
  const { customer, at } = viewOptions;
  closeTimeline();
  viewOptions.read(query);
  Object.assign(viewOptions, { customer, at });
  history.pushState(null, "", address());
  showView();
}

/** Show what an alert is about. @param {import("./alert-rules.js").Alert} alert */
function openAlert({ kind, id, name }) {
  lookBackPanel.end();
  viewOptions.clear();
  viewOptions.isHistory = viewOptions.isWallboard = false;
  if (kind === "away") {
    viewOptions.agentGroups.clear();
    viewOptions.team = "";
    viewOptions.agentWords = name;
  } else viewOptions.queue = id;
  viewChanged();
}

function actionsChanged() {
  renderer.rerender();
  timelinePanel.show();
}

/** Show the calls of one queue, or again of all. @param {string} id */
function filterByQueue(id) {
  viewOptions.queue = viewOptions.queue === id ? "" : id;
  viewChanged();
}

/** @param {string} id */
function chooseCustomer(id) {
  closeTimeline();
  pause.end();
  lookBackPanel.end();
  viewOptions.clear();
  viewOptions.customer = id;
  viewChanged();
  liveData.start();
}

/** Store the customer in the address; "" for the token's own. @param {string} customer */
function keepCustomer(customer) {
  if (customer === viewOptions.customer) return;
  viewOptions.customer = customer;
  viewChanged();
}

/** Show another moment of the past, or again the present. @param {number | null} at */
function momentShown(at) {
  const moment = at === null ? "" : new Date(at).toISOString();
  if (at !== null) {
    pause.end();
    viewOptions.isHistory = false;
  }
  if (moment !== viewOptions.at) {
    viewOptions.at = moment;
    viewChanged();
  } else showHeading();
  redraw();
  renderer.rerender();
  timelinePanel.show();
}

function pastChanged() {
  renderer.changed();
  // Half a second is half a minute there: rows that only move then would be over.
  if (lookBack.clock.rate > FAST) renderer.arrangeIfLoaded();
}

function pastFiguresRead() {
  redraw();
  renderer.changed();
}

function togglePause() {
  if (lookBack.isOn) return lookBackPanel.togglePlay();
  if (pause.isOn) pause.end();
  else if (liveData.isLoaded) pause.begin(board, liveData.now);
  else return;
  setTexts({ announcements: pause.isOn ? gettext("Paused") : gettext("Live again") });
  renderer.rerender();
}

function toggleWallboard() {
  viewOptions.isWallboard = !viewOptions.isWallboard;
  viewOptions.isHistory = false;
  if (viewOptions.isWallboard) closeTimeline();
  viewChanged();
  if (viewOptions.isWallboard !== Boolean(document.fullscreenElement)) toggleFullScreen();
}

function toggleHistory() {
  viewOptions.isHistory = !viewOptions.isHistory;
  viewOptions.isWallboard = false;
  closeTimeline();
  history.pushState(null, "", address());
  lookBackPanel.end(); // After the new entry: Back leads to the moment.
  showView();
  if (viewOptions.isHistory) element("history-words").focus();
}

/** @param {EventTarget | null} target */
function escape(target) {
  if (target === element("search") && viewOptions.words) {
    viewOptions.words = "";
    viewChanged();
  } else if (viewOptions.call) closeTimeline();
  else if (lookBack.isOn) lookBackPanel.end();
  else if (pause.isOn) togglePause();
}

element("pause").addEventListener("click", togglePause);
element("resume").addEventListener("click", togglePause);
element("wall").addEventListener("click", toggleWallboard);
for (const id of ["history-button", "empty-history"]) element(id).addEventListener("click", toggleHistory);
element("story-look-back").addEventListener("click", () => lookBackPanel.open(timelinePanel.beganAt));
element("full-screen").addEventListener("click", toggleFullScreen);
new ViewMenu(viewOptions, menu, openView, wallboardLinks);
enableTooltips();
enableShortcuts(
  { t: () => actions.calls.ask("transfer", openCall()), v: () => actions.calls.ask("voicemail", openCall()), h: () => actions.calls.ask("hangup", openCall()),
    "/": () => field("search").select(), j: () => table.step(1), k: () => table.step(-1), p: togglePause, b: () => lookBackPanel.ask(), w: toggleWallboard, f: toggleFullScreen },
  escape,
  () => !element("board-view").hidden && !element("board").hidden,
);

/** Return the calls as commands of the palette. */
function commandsOfCalls() {
  return [...board.calls.values()].map(({ id, from, to, stateLabel }) => ({
    title: [from.name, from.number, to.name].filter(Boolean).join(" ") || id, kind: stateLabel, isFoundOnly: true, run: () => openTimeline(id),
  }));
}

// --- Session ---

function begin() {
  setShown({ board: true, denied: false });
  liveData.start();
  renderer.start();
}

/** @param {Me} me */
function showDeniedPage(me) {
  liveData.stop();
  forget();
  showWho(me);
  setShown({ board: false, denied: true, connection: false });
  showDenied(me);
}

/** @param {string} notice */
function showSignIn(notice) {
  forget();
  signInForm.ask(notice);
}

/** Remove all data from the page. */
function forget() {
  page.me = null;
  wallboardLinks.load(null);
  unfollowFigures();
  timelinePanel.close();
  actions.clear();
  alertPanel.clear();
  pause.end();
  lookBackPanel.end();
  customerPicker.forget();
  board.load({ me: { queues: [], agents: [] }, calls: [], queues: [], agents: [] }, Date.now());
  board.calls.clear();
  historyPanel.load(null);
  renderer.arrange();
  renderer.stop();
}

element("sign-out").addEventListener("click", () => liveData.signOut());
enableAccount(liveData);
enableNavigation({ isShown: () => !element("board-view").hidden, sources: [commandsOfCalls] });

showView();
signInForm.start();
