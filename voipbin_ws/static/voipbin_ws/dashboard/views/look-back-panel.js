/** Looking back: the choice of a moment, and the bar with which it is played. */

import { readEventsAfter, readFigures, readMoment } from "../board-loader.js";
import { RATES } from "../look-back.js";
import { element, field, setData, setShown, setTexts } from "../../shared/dom.js";
import { gettext } from "../../shared/gettext.js";
import { dateAndTime, exactTime, shownDateAndTime, timeOfDay } from "../../shared/time.js";

const STEP_MS = 60_000;
const TICK_MS = 200;
const RETRY_MS = 2000;
const FIGURES_MS = 5000;
const FIRST_MS = 5 * STEP_MS; // The moment that is offered first is so long ago.

export class LookBackPanel {
  #lookBack;
  #liveData;
  #shown;
  #figuresRead;
  #changed;
  /** @type {Me | null} */ #me = null;
  #dialog = /** @type {HTMLDialogElement} */ (element("look-back-dialog"));
  #rates = /** @type {HTMLSelectElement} */ (element("look-back-rate"));
  #seek = field("look-back-seek");
  #isSeeking = false;
  /** @type {number | null} */ #loading = null; // The moment that is being loaded.
  #offered = 0; // The moment that the dialog offered.
  #figuresAt = 0; // Of `performance.now()`: when the figures were last read.
  #isReading = false; // Whether a page of events is being read.
  #generation = 0; // Grows with every moment; results for an earlier one are ignored.
  /** @type {ReturnType<typeof setInterval> | undefined} */ #timer;

  /**
   * @param {import("../look-back.js").LookBack} lookBack @param {LiveData} liveData
   * @param {{ shown: (at: number | null) => void, figuresRead: () => void, changed: () => void }} callbacks `shown` is called with the moment that is shown, `null` for the present.
   */
  constructor(lookBack, liveData, { shown, figuresRead, changed }) {
    this.#lookBack = lookBack;
    this.#liveData = liveData;
    this.#shown = shown;
    this.#figuresRead = figuresRead;
    this.#changed = changed;
    this.#rates.append(...RATES.map((rate) => new Option(gettext("{rate}×", { rate }), String(rate))));
    this.#rates.addEventListener("change", () => lookBack.isPlaying && this.#play());
    element("look-back-button").addEventListener("click", () => this.ask());
    element("look-back-other").addEventListener("click", () => this.ask());
    element("look-back-cancel").addEventListener("click", () => this.#cancel());
    this.#dialog.addEventListener("cancel", () => this.#cancel());
    element("look-back-form").addEventListener("submit", (event) => this.#submit(event));
    element("look-back-play").addEventListener("click", () => this.togglePlay());
    element("look-back-earlier").addEventListener("click", () => this.#step(-STEP_MS));
    element("look-back-later").addEventListener("click", () => this.#step(STEP_MS));
    element("look-back-end").addEventListener("click", () => this.end());
    this.#seek.addEventListener("input", () => {
      this.#isSeeking = true;
      this.show();
    });
    this.#seek.addEventListener("change", () => {
      this.#isSeeking = false;
      this.open(Number(this.#seek.value));
    });
  }

  /** The page's title while it looks back, else "". */
  get title() {
    return this.#lookBack.isOn ? this.#text(this.#lookBack.now) : "";
  }

  /** Why nothing can be done, "" while the page is live. */
  get reason() {
    return this.#lookBack.isOn ? gettext("Not live: nothing can be changed in the past.") : "";
  }

  /** Take over the account and the moment of the address. @param {Me} me @param {number | null} at `null` for the present. */
  load(me, at) {
    this.#me = me;
    // Again, if it is shown: what the account may see has perhaps changed.
    const moment = this.#lookBack.isOn ? this.#lookBack.now : at;
    if (moment !== null) this.open(moment);
  }

  /** Ask for a moment. */
  ask() {
    this.#offered = this.#lookBack.isOn ? this.#lookBack.now : this.#liveData.now - FIRST_MS;
    field("look-back-at").value = dateAndTime(this.#offered).replace(" ", "T");
    field("look-back-at").defaultValue = field("look-back-at").value; // As the browser writes it: without seconds of 00.
    field("look-back-at").max = dateAndTime(this.#liveData.now).replace(" ", "T");
    setTexts({ "look-back-error": "" });
    this.#dialog.showModal();
  }

  /** @param {SubmitEvent} event */
  #submit(event) {
    event.preventDefault();
    const { value, defaultValue } = field("look-back-at");
    // The text does not say which, if the clock was set back.
    const at = value === defaultValue ? this.#offered : exactTime(value);
    const problem = at === null ? gettext("Enter a date and a time.") : at > this.#liveData.now ? gettext("This moment is still to come.") : "";
    setTexts({ "look-back-error": problem });
    if (!problem) this.open(at);
  }

  /** Close the dialog, and forget the moment that is being loaded. */
  #cancel() {
    this.#generation += 1;
    this.#loading = null;
    setTexts({ "look-back-note": "", "look-back-wait": "" });
    this.#dialog.close();
  }

  /** Show a moment so much later than the one that is shown, or is being loaded. @param {number} milliseconds */
  #step(milliseconds) {
    this.open((this.#loading ?? this.#lookBack.now) + milliseconds);
  }

  /** Show a moment; one that is still to come, and `null`, is the present. @param {number | null} at */
  async open(at) {
    const me = this.#me;
    if (at === null || at >= this.#liveData.now) {
      const wasOn = this.#lookBack.isOn;
      this.end();
      if (!wasOn) this.#shown(null);
      return;
    }
    if (!me) return;
    const generation = ++this.#generation;
    const isFromDialog = this.#dialog.open;
    this.#loading = at;
    setTexts({ "look-back-note": gettext("Loading…"), "look-back-wait": gettext("Loading…"), announcements: gettext("Loading…") });
    try {
      const { content, cursor } = await readMoment(me, at);
      if (generation !== this.#generation) return;
      this.#loading = null;
      if (isFromDialog) this.#dialog.close();
      this.#lookBack.begin(content, at, cursor);
      setTexts({ "look-back-wait": "", "look-back-note": this.#lookBack.isBeforeLog ? gettext("The gateway had not stored any event yet.") : "" });
      this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
      this.show();
      this.#shown(at);
      this.#readFigures();
    } catch (error) {
      if (generation !== this.#generation) return;
      this.#loading = null;
      setTexts({ "look-back-wait": "" });
      this.#fail(error);
    }
  }

  /** Show the present. */
  end() {
    this.#generation += 1;
    this.#loading = null;
    clearInterval(this.#timer);
    this.#timer = undefined;
    const wasOn = this.#lookBack.isOn;
    const hadFocus = element("look-back").contains(document.activeElement);
    this.#lookBack.end();
    this.show();
    if (hadFocus) element("look-back-button").focus();
    if (!wasOn) return;
    setTexts({ announcements: gettext("Live again") });
    this.#shown(null);
  }

  togglePlay() {
    if (this.#lookBack.isPlaying) {
      this.#lookBack.clock.run(0);
      this.#shown(this.#lookBack.now);
    } else this.#play();
    this.show();
  }

  #play() {
    this.#lookBack.clock.run(Number(this.#rates.value));
    this.#read();
  }

  #tick() {
    if (!this.#lookBack.isPlaying) return;
    if (this.#lookBack.advance()) this.#changed();
    if (this.#lookBack.board?.isIncomplete) this.open(this.#lookBack.now);
    else if (this.#lookBack.now >= this.#liveData.now - TICK_MS) this.end();
    else this.#read();
    if (performance.now() - this.#figuresAt > FIGURES_MS) this.#readFigures();
    this.show();
  }

  /** Read the events that are needed soon. */
  async #read() {
    const lookBack = this.#lookBack;
    const me = this.#me;
    const generation = this.#generation;
    if (this.#isReading || !lookBack.isDue || !me) return;
    this.#isReading = true;
    try {
      const page = await readEventsAfter(me, lookBack.cursor, lookBack.next);
      if (generation === this.#generation) lookBack.add(page);
      setTexts({ "look-back-note": "" });
    } catch (error) {
      if (generation === this.#generation) this.#fail(error);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    } finally {
      this.#isReading = false;
    }
  }

  /** Read the figures of the moment; while it is played, again every few seconds. */
  async #readFigures() {
    const { board, now } = this.#lookBack;
    if (!this.#me || !board) return;
    this.#figuresAt = performance.now();
    try {
      const figures = await readFigures(this.#me, now);
      if (board !== this.#lookBack.board) return;
      board.figures.load(figures);
      this.#figuresRead();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** @param {import("../../shared/auth.js").ApiError} error */
  #fail(error) {
    if (error.isUnauthorized) this.#liveData.endSession(error.message);
    else if (this.#lookBack.isOn && !this.#dialog.open) setTexts({ "look-back-note": error.message });
    else {
      if (!this.#dialog.open) this.ask();
      setTexts({ "look-back-error": error.message, "look-back-note": "" });
      if (!this.#lookBack.isOn) this.#shown(null);
    }
  }

  /** @param {number} at */
  #text(at) {
    return gettext("Not live: {moment}", { moment: shownDateAndTime(at) });
  }

  /** Show the moment in the bar. */
  show() {
    const lookBack = this.#lookBack;
    setShown({ "look-back": lookBack.isOn });
    setData(element("board-view"), "past", lookBack.isOn ? "" : null);
    element("look-back-button").setAttribute("aria-pressed", String(lookBack.isOn));
    if (!lookBack.isOn) return;
    const { begin, end } = lookBack.hour(this.#liveData.now);
    if (!this.#isSeeking) Object.assign(this.#seek, { min: String(begin), max: String(end), value: String(lookBack.now) });
    const at = this.#isSeeking ? Number(this.#seek.value) : lookBack.now;
    this.#seek.setAttribute("aria-valuetext", timeOfDay(at));
    setTexts({ "look-back-text": this.#text(at), "look-back-begin": timeOfDay(begin), "look-back-until": timeOfDay(end) });
    setTexts({ "look-back-play": lookBack.isPlaying ? gettext("Stop") : gettext("Play") });
  }
}
