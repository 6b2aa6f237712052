/** When the board is painted: with the next frame after events, every half second where rows have to move, and each second. */

import { ENDED_KEPT_MS } from "./call-table.js";
import { showEmpty } from "./empty-state.js";
import { element, say } from "../../shared/dom.js";

const ARRANGE_MS = 500;
const ANNOUNCE_MS = 20_000;

export class Painter {
  #on;
  #isPainting = false;
  #isScrolling = false;
  #isDue = true;
  #arrangedAt = 0;
  #tickTimer = null;
  #announcedAt = 0;
  #announced = "";

  /** `on` has what there is to paint: board, link, connectionView, view, table, cards, floor, filters, story, pause, wall. */
  constructor(on) {
    this.#on = on;
    element("scroller").addEventListener("scroll", () => this.scrolled(), { passive: true });
    addEventListener("resize", () => this.scrolled());
    // Between ticks, what events moved.
    setInterval(() => this.#isDue && this.#isLoaded && this.arrange(), ARRANGE_MS);
  }

  get #isLoaded() {
    return this.#on.link.loadedAt !== null;
  }

  /** What is shown, and when that was. */
  get #present() {
    const { board, link, pause } = this.#on;
    return pause.isOn ? [pause.board, pause.now] : [board, link.now];
  }

  /** Something happened: paint with the next frame, however much it is. */
  changed() {
    if (this.#isPainting) return;
    this.#isPainting = true;
    requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    this.#isPainting = false;
    if (!this.#isLoaded) return;
    this.#on.story.showChanges();
    this.#paintChanges();
    if (this.#on.pause.isOn) return;
    // Rows move now and then and not with every event: whoever reads them must not lose the line.
    if (performance.now() - this.#arrangedAt >= ARRANGE_MS) this.arrange();
    else this.#isDue = true;
  }

  #paintChanges() {
    const { board, link, pause, table } = this.#on;
    const ids = board.takeChanged();
    if (!pause.isOn) table.paint(ids, link.now);
  }

  /** Everything is brought up to date: which rows there are, the numbers, the people. */
  arrange() {
    const { board, link, view, table, cards, floor, filters, pause } = this.#on;
    this.#isDue = false;
    this.#arrangedAt = performance.now();
    board.forgetEnded(Date.now() - ENDED_KEPT_MS);
    const [shownBoard, now] = this.#present;
    const summary = shownBoard.summary(now);
    if (!pause.isOn && link.isLive && board.knowsLastHour) board.trends.note(summary, now);
    table.arrange(shownBoard, now);
    cards.show(shownBoard, summary, now);
    floor.show(shownBoard, summary, now);
    filters.offer(shownBoard, summary);
    showEmpty(shownBoard, table.shown, summary, this.#on.whose);
    const { active, waiting } = summary;
    say(element("shown"), view.isFiltered ? `${table.shown} of ${shownBoard.calls.size} calls shown` : `${active} ${active === 1 ? "call" : "calls"}`);
    document.title = waiting ? `(${waiting}) Live calls` : "Live calls";
    this.#announce(summary);
  }

  arrangeIfLoaded() {
    if (this.#isLoaded) this.arrange();
  }

  /** All rows as they are now, for they were held still, or are held from now on. */
  repaint() {
    if (!this.#isLoaded) return;
    const [shownBoard, now] = this.#present;
    this.arrange();
    this.#on.table.paint(shownBoard.calls.keys(), now);
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
    const { link, pause, story, table, wall } = this.#on;
    this.showConnection();
    pause.show();
    wall.tick(Date.now());
    if (!this.#isLoaded) return;
    // In a tab that nobody looks at there are no frames, and changes would pile up.
    this.#paintChanges();
    table.tick(this.#present[1]);
    story.tick(link.now);
    this.arrange();
  }

  showConnection() {
    if (this.#on.connectionView.show()) this.changed();
  }

  /** Give rows to what came into sight. */
  scrolled() {
    if (this.#isScrolling) return;
    this.#isScrolling = true;
    requestAnimationFrame(() => {
      this.#isScrolling = false;
      this.#on.table.scrolled(this.#present[1]);
    });
  }

  /** For who does not see the page: a word now and then, not with every event. */
  #announce({ active, waiting }) {
    const { link, pause } = this.#on;
    if (Date.now() - this.#announcedAt < ANNOUNCE_MS || !link.isLive || pause.isOn) return;
    const text = `${active} active, ${waiting} waiting`;
    if (text === this.#announced) return;
    this.#announced = text;
    this.#announcedAt = Date.now();
    say(element("announcements"), text);
  }
}
