/** The live-call dashboard: what belongs together, what is looked at, and who looks. */

import { lookAt, readBoard, readLastHour } from "./board-loader.js";
import { Board } from "./board.js";
import { CallTable } from "./views/call-table.js";
import { Cards, heedTips } from "./views/stat-cards.js";
import { ConnectionView } from "../shared/connection-status.js";
import { CustomerChoice } from "./views/customer-picker.js";
import { showDenied } from "./views/empty-state.js";
import { Filters } from "./views/filters.js";
import { FloorView } from "./views/team-panel.js";
import { heedKeys } from "./views/keyboard-shortcuts.js";
import { Link } from "../shared/live-data.js";
import { Painter } from "./views/renderer.js";
import { element, say } from "../shared/dom.js";
import { Pause } from "./views/pause-button.js";
import { signOut } from "../shared/auth.js";
import { SignInForm, showWho } from "../shared/sign-in-form.js";
import { StoryPanel } from "./views/timeline-panel.js";
import { View } from "./view-options.js";
import { toggleFullScreen, Wall } from "./views/wallboard.js";

const board = new Board();
const view = new View(location.search);
const link = new Link({ load, event: hear, state: () => painter.showConnection(), signedOut: (message) => leave(`${message} Sign in again.`) });
const story = new StoryPanel(link, board, { close: closeStory, changed: () => painter.changed() });
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
const filters = new Filters(view, viewChanged);
const customers = new CustomerChoice(chooseCustomer);
const pause = new Pause();
const wall = new Wall();
const shown = {
  ...{ board, link, view, table, cards, filters, story, pause, wall },
  connectionView: new ConnectionView(link, element("board-view")),
  floor: new FloorView(),
  whose: null, // what /v1.0/me says, of the customer that is looked at
};
const painter = new Painter(shown);
const signInForm = new SignInForm(element("board-view"), begin);

// --- Loading and hearing ---

async function load(asked, now) {
  const me = await lookAt(asked, view.customer);
  const state = await readBoard(me);
  if (!state) return { topics: [], cursor: null, show: () => denied(me) };
  const show = () => {
    shown.whose = me;
    keepCustomer(me.customer.id === asked.customer.id ? "" : me.customer.id);
    board.load(state.content, Date.now() + link.clockAhead);
    showWho(me);
    customers.show(me);
    cards.redraw();
    painter.arrange();
    learnLastHour(me, now);
    if (story.callId === view.call) story.reload();
    else if (!view.isWall) openStory(view.call);
  };
  return { topics: state.topics, cursor: state.cursor, needsAll: true, show };
}

/** The live calls do not wait for it. */
async function learnLastHour(me, now) {
  let known = { events: [], since: now };
  try {
    known = await readLastHour(me, now);
  } catch (error) {
    console.warn(error); // The numbers begin with now, then; the next load tries again.
  }
  if (me !== shown.whose || board.knowsLastHour) return;
  board.remember(known.events, known.since, link.now);
  cards.redraw();
  painter.arrangeIfLoaded();
}

function hear(event) {
  board.apply(event, Date.now() + link.clockAhead);
  story.hear(event);
  pause.count(event);
  painter.changed();
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
  painter.arrangeIfLoaded();
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
  if (shown.whose === null) return;
  if (view.call !== callId) {
    view.call = callId;
    history.pushState(null, "", address());
  }
  story.open(callId, shown.whose);
  table.mark(callId);
  element("story").focus({ preventScroll: true });
  painter.scrolled();
}

function closeStory() {
  const hadFocus = element("story").contains(document.activeElement);
  story.close();
  table.mark("");
  if (view.call) {
    view.call = "";
    history.pushState(null, "", address());
  }
  painter.scrolled();
  if (hadFocus && !table.focus()) element("scroller").focus();
}

function chooseCustomer(id) {
  closeStory();
  pause.end();
  view.clear();
  view.customer = id;
  viewChanged();
  link.start();
}

/** The address names the customer where it is not the credential's own. */
function keepCustomer(customer) {
  if (customer === view.customer) return;
  view.customer = customer;
  viewChanged();
}

function togglePause() {
  if (pause.isOn) pause.end();
  else if (link.loadedAt !== null) pause.begin(board, link.now);
  else return;
  say(element("announcements"), pause.isOn ? "Paused" : "Live again");
  painter.repaint();
}

function toggleWall() {
  view.isWall = !view.isWall;
  if (view.isWall) closeStory();
  viewChanged();
  if (view.isWall !== Boolean(document.fullscreenElement)) toggleFullScreen();
}

function escape(target) {
  if (target === element("search") && view.words) {
    view.words = "";
    viewChanged();
  } else if (view.call) closeStory();
  else if (pause.isOn) togglePause();
}

element("pause").addEventListener("click", togglePause);
element("resume").addEventListener("click", togglePause);
element("wall").addEventListener("click", toggleWall);
element("full-screen").addEventListener("click", toggleFullScreen);
heedTips();
heedKeys(
  {
    "/": () => /** @type {HTMLInputElement} */ (element("search")).select(),
    j: () => table.step(1),
    k: () => table.step(-1),
    p: togglePause,
    w: toggleWall,
    f: toggleFullScreen,
  },
  escape,
  () => !element("board-view").hidden && !element("board").hidden,
);

// --- Signing in and out ---

function begin() {
  element("board").hidden = false;
  element("denied").hidden = true;
  link.start();
  painter.start();
}

function denied(me) {
  showWho(me);
  link.stop();
  element("board").hidden = true;
  element("denied").hidden = false;
  element("connection").hidden = true;
  showDenied(me);
}

/** Nothing of what was shown stays on the page. */
function leave(notice) {
  shown.whose = null;
  story.close();
  pause.end();
  customers.forget();
  board.load({ me: { queues: [], agents: [] }, calls: [], queues: [], agents: [] }, Date.now());
  board.calls.clear();
  painter.arrange();
  painter.stop();
  signInForm.ask(notice);
}

element("sign-out").addEventListener("click", () => {
  signOut();
  link.stop();
  leave("");
});

showView();
signInForm.start();
