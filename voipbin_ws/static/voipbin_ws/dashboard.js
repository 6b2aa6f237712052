/** The live-call dashboard: what belongs together, and when it is painted. */

import { lookAt, readBoard, readLastHour } from "./board-state.js";
import { Board } from "./board.js";
import { CallTable, ENDED_KEPT_MS } from "./call-table.js";
import { Cards, heedTips } from "./cards.js";
import { ConnectionView } from "./connection-view.js";
import { CustomerChoice } from "./customer-choice.js";
import { showDenied, showEmpty } from "./emptiness.js";
import { Filters } from "./filters.js";
import { FloorView } from "./floor-view.js";
import { heedKeys } from "./keys.js";
import { Link } from "./link.js";
import { say } from "./parts.js";
import { Pause } from "./pause.js";
import { signOut } from "./session.js";
import { SignInForm, showWho } from "./sign-in-form.js";
import { StoryPanel } from "./story-panel.js";
import { View } from "./view.js";
import { toggleFullScreen, Wall } from "./wall.js";

const ARRANGE_MS = 500;
const ANNOUNCE_MS = 20_000;

const element = (id) => document.getElementById(id);
const board = new Board();
const view = new View(location.search);
const link = new Link({ load, event: onEvent, state: showConnection, signedOut });
const connectionView = new ConnectionView(link, element("board-view"));
const signInForm = new SignInForm(element("board-view"), begin);
const story = new StoryPanel(link, board, { close: closeStory, changed });
const table = new CallTable(view, {
  scroller: element("scroller"),
  table: element("calls"),
  body: element("rows"),
  above: element("above"),
  below: element("below"),
  template: element("call-row"),
  open: openStory,
});
const cards = new Cards();
const floor = new FloorView();
const filters = new Filters(view, viewChanged);
const customers = new CustomerChoice(lookAtCustomer);
const pause = new Pause();
const wall = new Wall();
let me = null; // what /v1.0/me says, of the customer that is looked at

// --- Loading and hearing ---

async function load(asked, now) {
  const seen = await lookAt(asked, view.customer);
  const state = await readBoard(seen);
  if (!state) return { topics: [], cursor: null, show: () => denied(seen) };
  const show = () => {
    me = seen;
    keepCustomer(asked);
    const loadedAt = Date.now() + link.clockAhead;
    board.load(state.content, loadedAt);
    showWho(me);
    customers.show(me);
    cards.redraw();
    arrange();
    learnLastHour(seen, now);
    if (view.call && story.callId !== view.call) openStory(view.call);
    else story.reload();
  };
  return { topics: state.topics, cursor: state.cursor, needsAll: true, show };
}

/** The live calls do not wait for it. */
async function learnLastHour(whose, now) {
  try {
    const { events, since } = await readLastHour(whose, now);
    if (whose !== me || board.knowsLastHour) return;
    board.remember(events, since, link.now);
    cards.redraw();
    if (link.loadedAt !== null) arrange();
  } catch (error) {
    console.warn(error); // The numbers begin with now, then; the next load tries again.
    if (whose === me) board.remember([], link.now, link.now);
  }
}

function onEvent(event) {
  board.apply(event, Date.now() + link.clockAhead);
  story.hear(event);
  pause.count(event);
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
  story.showChanges();
  const ids = board.takeChanged();
  if (pause.isOn) return;
  const now = link.now;
  table.paint(ids, now);
  // Rows move now and then and not with every event: whoever reads them must not lose the line.
  if (performance.now() - arrangedAt >= ARRANGE_MS) arrange();
  else arrangeDue = true;
}

/** What is shown, and when that was. */
function present() {
  return pause.isOn ? [pause.board, pause.now] : [board, link.now];
}

function arrange() {
  arrangeDue = false;
  arrangedAt = performance.now();
  board.forgetEnded(Date.now() - ENDED_KEPT_MS);
  const [shownBoard, now] = present();
  const summary = shownBoard.summary(now);
  if (!pause.isOn && link.isLive && board.knowsLastHour) board.trends.note(summary, now);
  table.arrange(shownBoard, now);
  cards.show(shownBoard, summary, now);
  floor.show(shownBoard, summary, now);
  filters.offer(shownBoard, summary);
  showEmpty(shownBoard, table.shown, summary, me);
  const { active } = summary;
  say(element("shown"), view.isFiltered ? `${table.shown} of ${shownBoard.calls.size} calls shown` : `${active} ${active === 1 ? "call" : "calls"}`);
  document.title = summary.waiting ? `(${summary.waiting}) Live calls` : "Live calls";
  announce(summary);
}

function tick() {
  clearTimeout(tickTimer);
  tickTimer = setTimeout(tick, 1000 - (Date.now() % 1000) + 5);
  showConnection();
  pause.show();
  wall.tick(Date.now());
  if (link.loadedAt === null) return;
  table.tick(present()[1]);
  story.tick(link.now);
  arrange();
}

let isScrolling = false;
function scrolled() {
  if (isScrolling) return;
  isScrolling = true;
  requestAnimationFrame(() => {
    isScrolling = false;
    table.scrolled(present()[1]);
  });
}

element("scroller").addEventListener("scroll", scrolled, { passive: true });
addEventListener("resize", scrolled);

// Between ticks, what events moved.
setInterval(() => arrangeDue && link.loadedAt !== null && arrange(), ARRANGE_MS);

/** For who does not see the page: a word now and then, not with every event. */
let announcedAt = 0;
let announced = "";
function announce({ active, waiting }) {
  if (Date.now() - announcedAt < ANNOUNCE_MS || !link.isLive || pause.isOn) return;
  const text = `${active} active, ${waiting} waiting`;
  if (text === announced) return;
  announced = text;
  announcedAt = Date.now();
  say(element("announcements"), text);
}

function showConnection() {
  if (connectionView.show()) changed();
}

// --- What is looked at, kept in the address ---

function address() {
  const query = view.toString();
  return query ? `?${query}` : location.pathname;
}

function viewChanged() {
  history.replaceState(null, "", address());
  showView();
}

function showView() {
  filters.show();
  wall.show(view.isWall);
  if (link.loadedAt !== null) arrange();
}

/** Forwards and back through the timelines that were open. */
addEventListener("popstate", () => {
  const { customer } = view;
  view.read(location.search);
  showView();
  if (customer !== view.customer) link.start();
  else if (view.call) openStory(view.call);
  else closeStory();
});

function openStory(callId) {
  if (me === null) return;
  if (view.call !== callId) {
    view.call = callId;
    history.pushState(null, "", address());
  }
  story.open(callId, me);
  table.mark(callId);
  element("story").focus({ preventScroll: true });
  scrolled();
}

function closeStory() {
  const hadFocus = element("story").contains(document.activeElement);
  story.close();
  table.mark("");
  if (view.call) {
    view.call = "";
    history.pushState(null, "", address());
  }
  scrolled();
  if (hadFocus && !table.focus()) element("scroller").focus();
}

function lookAtCustomer(id) {
  closeStory();
  pause.end();
  view.clear();
  view.customer = id;
  viewChanged();
  link.start();
}

/** The address names the customer where it is not the credential's own. */
function keepCustomer(asked) {
  const customer = me.customer.id === asked.customer.id ? "" : me.customer.id;
  if (customer === view.customer) return;
  view.customer = customer;
  viewChanged();
}

function togglePause() {
  if (pause.isOn) resume();
  else if (link.loadedAt !== null) {
    pause.begin(board, link.now);
    table.tick(pause.now);
    say(element("announcements"), "Paused");
    arrange();
  }
}

function resume() {
  pause.end();
  say(element("announcements"), "Live again");
  if (link.loadedAt === null) return;
  arrange();
  table.paint(board.calls.keys(), link.now);
}

function toggleWall() {
  view.isWall = !view.isWall;
  if (view.isWall) closeStory();
  viewChanged();
  if (view.isWall !== Boolean(document.fullscreenElement)) toggleFullScreen();
}

element("pause").addEventListener("click", togglePause);
element("resume").addEventListener("click", togglePause);
element("wall").addEventListener("click", toggleWall);
element("full-screen").addEventListener("click", toggleFullScreen);
heedTips();
heedKeys(
  {
    "/": () => element("search").select(),
    j: () => table.step(1),
    k: () => table.step(-1),
    p: togglePause,
    w: toggleWall,
    f: toggleFullScreen,
  },
  (target) => {
    if (target === element("search") && view.words) {
      view.words = "";
      viewChanged();
    } else if (view.call) closeStory();
    else if (pause.isOn) resume();
  },
  () => !element("board-view").hidden && !element("board").hidden,
);

// --- Signing in and out ---

function begin() {
  element("board").hidden = false;
  element("denied").hidden = true;
  link.start();
  tick();
}

function denied(asked) {
  showWho(asked);
  link.stop();
  element("board").hidden = true;
  element("denied").hidden = false;
  element("connection").hidden = true;
  showDenied(asked);
}

/** Nothing of what was shown stays on the page. */
function leave(notice) {
  clearTimeout(tickTimer);
  me = null;
  story.close();
  pause.end();
  customers.forget();
  board.load({ me: { queues: [], agents: [] }, calls: [], queues: [], agents: [] }, Date.now());
  board.calls.clear();
  arrange();
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

showView();
signInForm.start();
