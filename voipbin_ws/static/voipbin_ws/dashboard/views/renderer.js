/** When the board is painted: with the next frame after events, every half second where rows have to move, and each second. */

import { ENDED_KEPT_MS } from "./call-table.js";
import { showEmptyState } from "./empty-state.js";
import { element, setText } from "../../shared/dom.js";

const ARRANGE_MS = 500;
const ANNOUNCE_MS = 20_000;

export class Renderer {
  #page;
  #isRendering = false;
  #isScrolling = false;
  #isDue = true;
  #arrangedAt = 0;
  #tickTimer = null;
  #announcedAt = 0;
  #announcement = "";

  /** `on` has what there is to render: board, liveData, connectionStatus, viewOptions, table, statCards, teamPanel, filters, timelinePanel, pause, wallboard. */
  constructor(page) {
    this.#page = page;
    element("scroller").addEventListener("scroll", () => this.scrolled(), { passive: true });
    addEventListener("resize", () => this.scrolled());
    // Between ticks, what events moved.
    setInterval(() => this.#isDue && this.#isLoaded && this.arrange(), ARRANGE_MS);
  }

  get #isLoaded() {
    return this.#page.liveData.loadedAt !== null;
  }

  /** What is shown, and when that was. */
  get #shown() {
    const { board, liveData, pause } = this.#page;
    return pause.isOn ? [pause.board, pause.now] : [board, liveData.now];
  }

  /** Something happened: render with the next frame, however much it is. */
  changed() {
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
    // Rows move now and then and not with every event: whoever reads them must not lose the line.
    if (performance.now() - this.#arrangedAt >= ARRANGE_MS) this.arrange();
    else this.#isDue = true;
  }

  #renderChanges() {
    const { board, liveData, pause, table } = this.#page;
    const ids = board.takeChanged();
    if (!pause.isOn) table.render(ids, liveData.now);
  }

  /** Everything is brought up to date: which rows there are, the numbers, the people. */
  arrange() {
    const { board, liveData, viewOptions, table, statCards, teamPanel, filters, pause } = this.#page;
    this.#isDue = false;
    this.#arrangedAt = performance.now();
    board.forgetEnded(Date.now() - ENDED_KEPT_MS);
    const [shownBoard, now] = this.#shown;
    const summary = shownBoard.summary(now);
    if (!pause.isOn && liveData.isLive && board.knowsLastHour) board.trends.note(summary, now);
    table.arrange(shownBoard, now);
    statCards.show(shownBoard, summary, now);
    teamPanel.show(shownBoard, summary, now);
    filters.offer(shownBoard, summary);
    showEmptyState(shownBoard, table.shownCount, summary, this.#page.me);
    const { active, waiting } = summary;
    setText(element("shown"), viewOptions.isFiltered ? `${table.shownCount} of ${shownBoard.calls.size} calls shown` : `${active} ${active === 1 ? "call" : "calls"}`);
    document.title = waiting ? `(${waiting}) Live calls` : "Live calls";
    this.#announce(summary);
  }

  arrangeIfLoaded() {
    if (this.#isLoaded) this.arrange();
  }

  /** All rows as they are now, for they were held still, or are held from now on. */
  rerender() {
    if (!this.#isLoaded) return;
    const [shownBoard, now] = this.#shown;
    this.arrange();
    this.#page.table.render(shownBoard.calls.keys(), now);
  }

  /** Begin to let the times go on, second by second. */
  start() {
    this.#tick();
  }

  /** Nothing is shown any more. */
  stop() {
    clearTimeout(this.#tickTimer);
    document.title = "Live calls";
  }

  #tick() {
    clearTimeout(this.#tickTimer);
    this.#tickTimer = setTimeout(() => this.#tick(), 1000 - (Date.now() % 1000) + 5);
    const { liveData, pause, timelinePanel, table, wallboard } = this.#page;
    this.showConnection();
    pause.show();
    wallboard.tick(Date.now());
    if (!this.#isLoaded) return;
    // In a tab that nobody looks at there are no frames, and changes would pile up.
    this.#renderChanges();
    table.tick(this.#shown[1]);
    timelinePanel.tick(liveData.now);
    this.arrange();
  }

  showConnection() {
    if (this.#page.connectionStatus.show()) this.changed();
  }

  /** Give rows to what came into sight. */
  scrolled() {
    if (this.#isScrolling) return;
    this.#isScrolling = true;
    requestAnimationFrame(() => {
      this.#isScrolling = false;
      this.#page.table.scrolled(this.#shown[1]);
    });
  }

  /** For who does not see the page: a word now and then, not with every event. */
  #announce({ active, waiting }) {
    const { liveData, pause } = this.#page;
    if (Date.now() - this.#announcedAt < ANNOUNCE_MS || !liveData.isLive || pause.isOn) return;
    const text = `${active} active, ${waiting} waiting`;
    if (text === this.#announcement) return;
    this.#announcement = text;
    this.#announcedAt = Date.now();
    setText(element("announcements"), text);
  }
}
