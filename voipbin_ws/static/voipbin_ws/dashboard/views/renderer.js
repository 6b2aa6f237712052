/** When the board is rendered: in the next frame after events, every half second if rows move, and every second. */

import { ENDED_KEPT_MS } from "./call-table.js";
import { showEmptyState } from "./empty-state.js";
import { element, setTexts } from "../../shared/dom.js";
import { gettext, ngettext } from "../../shared/gettext.js";

const ARRANGE_MS = 500;
const ANNOUNCE_MS = 20_000;

export class Renderer {
  #page;
  #isRendering = false;
  #isScrolling = false;
  #isDue = true;
  #arrangedAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #tickTimer;
  #announcedAt = 0;
  #announcement = "";

  /** @param {typeof import("../main.js").page} page */
  constructor(page) {
    this.#page = page;
    element("scroller").addEventListener("scroll", () => this.scrolled(), { passive: true });
    addEventListener("resize", () => this.scrolled());
    // Moves rows that events changed between two ticks.
    setInterval(() => this.#isDue && this.#isLoaded && this.arrange(), ARRANGE_MS);
  }

  get #isLoaded() {
    return this.#page.liveData.isLoaded;
  }

  /** The shown board, and its time. */
  get #shown() {
    const { board, liveData, lookBack, pause } = this.#page;
    if (lookBack.board) return { board: lookBack.board, now: lookBack.now };
    return pause.board ? { board: pause.board, now: pause.now } : { board, now: liveData.now };
  }

  /** Render the changes of any number of events in the next frame. */
  changed() {
    // A hidden tab has no frames, and its timers may run once a minute.
    if (document.hidden && this.#isLoaded) this.#checkAlerts();
    if (this.#isRendering) return;
    this.#isRendering = true;
    requestAnimationFrame(() => this.#render());
  }

  #render() {
    this.#isRendering = false;
    if (!this.#isLoaded) return;
    this.#page.timelinePanel.showChanges();
    this.#renderChanges();
    if (this.#page.pause.isOn) return;
    // Rows do not move with every event: a reader must not lose the line.
    if (performance.now() - this.#arrangedAt >= ARRANGE_MS) this.arrange();
    else this.#isDue = true;
  }

  #renderChanges() {
    const { board, liveData, lookBack, pause, table } = this.#page;
    const ids = board.takeChanged();
    if (lookBack.board) table.render(lookBack.board.takeChanged(), lookBack.now);
    else if (!pause.isOn) table.render(ids, liveData.now);
  }

  /** Update the rows, the numbers and the team. */
  arrange() {
    const { liveData, lookBack, viewOptions, table, statCards, queueTable, agentsPanel, filters, me } = this.#page;
    this.#isDue = false;
    this.#arrangedAt = performance.now();
    this.#page.board.forgetEnded(liveData.clock.now - ENDED_KEPT_MS);
    const { board, now } = this.#shown;
    board.forgetEnded(now - ENDED_KEPT_MS);
    const summary = board.summary();
    const { active } = summary;
    table.arrange(board, now);
    statCards.show(board, summary, now);
    queueTable.show(board, summary, now, viewOptions.queue);
    agentsPanel.show(board, now);
    filters.offer(board, summary);
    showEmptyState(board, table.shownCount, active, me, viewOptions.words.trim() !== "", lookBack.isOn);
    setTexts({ shown: viewOptions.isFiltered ? ngettext("{shown} of {count} call shown", "{shown} of {count} calls shown", Math.max(active, table.shownCount), { shown: table.shownCount }) : ngettext("{count} call", "{count} calls", active) });
    this.#showTitle(summary);
    this.#announce(summary);
  }

  arrangeIfLoaded() {
    if (this.#isLoaded) this.arrange();
  }

  /** Update all rows, after the start or the end of a pause. */
  rerender() {
    if (!this.#isLoaded) return;
    this.arrange();
    const { board, now } = this.#shown;
    this.#page.table.render(board.calls.keys(), now);
  }

  stop() {
    clearTimeout(this.#tickTimer);
    document.title = gettext("Live calls");
  }

  /** Update the times, now and every second. */
  start() {
    clearTimeout(this.#tickTimer);
    this.#tickTimer = setTimeout(() => this.start(), 1000 - (Date.now() % 1000) + 5);
    const { actions, liveData, lookBack, pause, timelinePanel, table, wallboard } = this.#page;
    this.showConnection();
    pause.show();
    wallboard.tick(lookBack.board ? lookBack.now : liveData.clock.now);
    liveData.checkClock();
    if (!this.#isLoaded) return;
    // It pings as late: whether its data is current is known after the answer.
    if (document.hidden && liveData.isStale && liveData.connection.name === "live") liveData.confirm().then(() => this.start(), () => {});
    // A hidden tab has no frames, and would collect changes.
    this.#renderChanges();
    table.tick(this.#shown.now);
    timelinePanel.tick();
    actions.tick();
    this.#checkAlerts();
    this.arrange();
  }

  /** Whatever is shown: a pause does not hide what is the case now. */
  #checkAlerts() {
    const { alertPanel, board, liveData } = this.#page;
    alertPanel.check(board, board.summary(), liveData.now);
    this.#showTitle(this.#shown.board.summary());
  }

  /** @param {Summary} summary */
  #showTitle({ waiting }) {
    const { alertPanel, lookBackPanel, viewOptions } = this.#page;
    const title = viewOptions.isHistory ? gettext("Call history") : gettext("Live calls");
    document.title = lookBackPanel.title || `${alertPanel.title}${waiting ? `(${waiting}) ` : ""}${title}`;
  }

  showConnection() {
    if (this.#page.connectionStatus.show()) this.changed();
  }

  /** Create the rows of calls that became visible. */
  scrolled() {
    if (this.#isScrolling) return;
    this.#isScrolling = true;
    requestAnimationFrame(() => {
      this.#isScrolling = false;
      this.#page.table.scrolled(this.#shown.now);
    });
  }

  /** Announce the numbers to screen readers, at most every 20 seconds. @param {Summary} summary */
  #announce({ active, waiting }) {
    const { liveData, lookBack, pause } = this.#page;
    if (lookBack.isOn) return;
    if (Date.now() - this.#announcedAt < ANNOUNCE_MS || !liveData.isLive || pause.isOn) return;
    const text = gettext("{active} active, {waiting} waiting", { active, waiting });
    if (text === this.#announcement) return;
    this.#announcement = text;
    this.#announcedAt = Date.now();
    setTexts({ announcements: text });
  }
}
