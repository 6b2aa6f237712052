/** The panel with one call's timeline: the stored events, and the live ones while the panel is open. */

import { readTimeline, timelineTopics } from "../board-loader.js";
import { callerName, DIRECTIONS } from "../../shared/call.js";
import { descendant, element, PartList, setData, setShown, setText, setTexts } from "../../shared/dom.js";
import { gettext } from "../../shared/gettext.js";
import { shares, Timeline } from "../call-timeline.js";
import { RevealedNumbers } from "../../shared/reveal.js";
import { duration, timeOfDay } from "../../shared/time.js";

/** @param {Recording} recording */
function recordingText({ isRunning, seconds }) {
  if (isRunning) return gettext("Recording now");
  return seconds === null ? gettext("Recording") : gettext("Recording, {time}", { time: duration(seconds * 1000) });
}

export class TimelinePanel {
  #liveData;
  #board;
  #changed;
  #shown;
  #moment;
  /** @type {Timeline | null} */ #timeline = null;
  #unsubscribe = () => {};
  /** @type {Me | null} */ #me = null;
  #error = "";
  #revealed = new RevealedNumbers("calls");
  #isChanged = false;
  #facts = new PartList(element("story-facts"), element("story-fact"));
  #recordings = new PartList(element("story-recordings"), element("story-recording"));
  #steps = new PartList(element("story-steps"), element("story-step"));

  /**
   * @param {LiveData} liveData @param {Board} board
   * @param {{ close: () => void, changed: () => void, shown: (call: Call | null) => void, moment: () => number | null }} callbacks `changed` renders soon; `shown` is called with the board's call, also every second; `moment` returns the past moment that is shown, `null` for the present.
   */
  constructor(liveData, board, { close, changed, shown, moment }) {
    this.#liveData = liveData;
    this.#board = board;
    this.#changed = changed;
    this.#shown = shown;
    this.#moment = moment;
    element("story-close").addEventListener("click", close);
    element("story-reveal").addEventListener("click", () => this.#reveal());
    // The JSON of an event is written when its details open.
    element("story-steps").addEventListener("toggle", ({ target }) => this.#showJson(/** @type {HTMLDetailsElement} */ (target)), true);
  }

  get callId() {
    return this.#timeline?.callId ?? "";
  }

  /** When the call began; `null` if that is not known. */
  get beganAt() {
    const content = this.#timeline?.read();
    return content?.steps.length ? content.call.startedAt : null;
  }

  /** Show a call's timeline. @param {string} callId @param {Me} me */
  open(callId, me) {
    this.close();
    if (this.#me !== me) this.#revealed.load(me);
    this.#me = me;
    this.#error = "";
    this.#timeline = new Timeline(callId, this.#board);
    this.#steps.arrange([]);
    element("story").hidden = false;
    element("story").scrollTop = 0;
    this.show();
    this.load();
    const topics = timelineTopics(me);
    // Loads again once live, for the events between the first load and the subscription.
    if (topics.length) this.#unsubscribe = this.#liveData.subscribe({ topics, event: (event) => this.add(event), onLive: () => this.load() });
  }

  close() {
    this.#unsubscribe();
    this.#unsubscribe = () => {};
    this.#timeline = null;
    element("story").hidden = true;
  }

  /** @param {GatewayEvent} event */
  add(event) {
    if (!this.#timeline?.add(event)) return;
    this.#isChanged = true;
    this.#changed();
  }

  /** Load the stored events. */
  async load() {
    const timeline = this.#timeline;
    if (!timeline || !this.#me) return;
    try {
      const events = await readTimeline(this.#me, timeline.callId);
      if (timeline !== this.#timeline) return;
      timeline.load(events);
      this.#error = "";
    } catch (error) {
      if (timeline !== this.#timeline) return;
      this.#error = gettext("Cannot load the timeline: {reason}", { reason: error.message });
    }
    this.show();
  }

  async #reveal() {
    const { callId } = this;
    try {
      await this.#revealed.reveal(callId, this.#me?.customer.id);
      element("story").focus(); // The button is hidden now.
    } catch (error) {
      if (callId === this.callId) this.#error = gettext("Cannot show the number: {reason}", { reason: error.message });
    }
    this.show();
  }

  /** Show the events since the last time. */
  showChanges() {
    if (this.#isChanged) this.show();
  }

  show() {
    if (!this.#timeline) return;
    this.#isChanged = false;
    const content = this.#read(this.#timeline);
    const { call, steps } = content;
    const known = steps.length > 0;
    setTexts({ "story-title": known ? callerName(call.otherParty) : gettext("Timeline"), "story-note": this.#noteFor(this.#timeline, content), "story-word": call.stateLabel });
    const revealed = this.#revealed.of(call.id);
    setTexts({ "story-from": revealed?.source ?? sideOf(call, call.from), "story-to": revealed?.destination ?? sideOf(call, call.to) });
    setShown({ "story-reveal": known && this.#revealed.canReveal(call.id, call.from.number, call.to.number) });
    setShown({ "story-look-back": known, "story-parties": known, "story-state": known, "story-steps-title": known });
    setData(element("story"), "state", call.state);
    element("story-shape").setAttribute("href", `#shape-${call.state}`);
    this.#showFacts(content);
    this.#showRecordings(content);
    this.#showSteps(content);
    this.#showTimes(content, this.#now);
  }

  /** Update all durations; while the past is played, also the steps. */
  tick() {
    if (this.#moment() !== null) this.show();
    else if (this.#timeline) this.#showTimes(this.#timeline.read(), this.#now);
  }

  /** Return the content up to the shown moment. @param {Timeline} timeline */
  #read(timeline) {
    return timeline.read(this.#moment() ?? Infinity);
  }

  get #now() {
    return this.#moment() ?? this.#liveData.now;
  }

  /** @param {TimelineContent} content @param {number} now */
  #showTimes({ call, steps }, now) {
    // The board's call has the state with which its row is shown.
    this.#shown(this.#board.calls.get(call.id) ?? null);
    setTexts({ "story-total": steps.length ? duration((call.endedAt ?? now) - call.startedAt) : "" });
    for (const { key, at, until, state } of steps) {
      const isTimed = state !== null && state !== "ended";
      this.#steps.parts.get(key)?.texts({ lasted: isTimed ? duration((until ?? now) - at) : "" });
    }
    this.#showShares(shares({ steps }, now));
  }

  /** @param {Timeline} timeline @param {TimelineContent} content */
  #noteFor(timeline, { steps, isWhole }) {
    if (this.#error) return this.#error;
    if (!timeline.isLoaded) return gettext("Loading the timeline…");
    if (!steps.length && this.#moment() !== null && timeline.read().steps.length) return gettext("This call began later than the moment that is shown.");
    if (!steps.length) return gettext("No events of this call are stored: it is older than the event log, or does not exist.");
    return isWhole ? "" : gettext("The call’s first events are no longer stored.");
  }

  /** @param {TimelineContent} content */
  #showFacts({ call, queues, agents, hangup, steps }) {
    const facts = new Map([
      [gettext("Direction"), DIRECTIONS.get(call.direction) ?? call.direction],
      [queues.length > 1 ? gettext("Queues") : gettext("Queue"), queues.join(", ")],
      [agents.length > 1 ? gettext("Agents") : gettext("Agent"), agents.join(", ")],
      [gettext("Hung up"), call.state === "ended" ? hangup || gettext("no reason given") : ""],
      [gettext("Call id"), steps.length ? call.id : ""],
    ]);
    this.#facts.arrange([...facts.keys()].filter((name) => facts.get(name)));
    for (const [name, part] of this.#facts.parts) part.texts({ name, value: facts.get(name) ?? "" });
  }

  /** @param {TimelineContent} content */
  #showRecordings({ recordings }) {
    this.#recordings.arrange(recordings.map(({ id }) => id));
    for (const recording of recordings) {
      const part = this.#recordings.part(recording.id);
      part.texts({ text: recordingText(recording) });
      const link = /** @type {HTMLAnchorElement} */ (part.element.querySelector("a"));
      link.hidden = recording.url === null;
      if (recording.url !== null) link.href = recording.url;
    }
  }

  /** @param {TimelineContent} content */
  #showSteps({ steps }) {
    this.#steps.arrange(steps.map(({ key }) => key), (part, key) => setData(part.element, "key", key));
    for (const { key, at, state, title, note, event } of steps) {
      const part = this.#steps.part(key);
      part.attributes({ "data-state": state });
      part.shape(0, state === null ? "shape-dot" : `shape-${state}`);
      part.texts({ title, clock: timeOfDay(at), note, type: event.event_type });
    }
  }

  /** @param {ReturnType<typeof shares>} parts */
  #showShares(parts) {
    const bar = element("story-shares");
    while (bar.childElementCount > parts.length) bar.lastElementChild?.remove();
    while (bar.childElementCount < parts.length) bar.append(document.createElement("span"));
    for (const [index, { state, share }] of parts.entries()) {
      const piece = /** @type {HTMLElement} */ (bar.children[index]);
      setData(piece, "state", state);
      piece.style.flexGrow = share.toFixed(4);
    }
  }

  /** @param {HTMLDetailsElement} details */
  #showJson(details) {
    const key = details.open && details.closest("li")?.dataset.key;
    // The browser sends `toggle` late: the panel may be closed by then.
    const step = this.#timeline?.read().steps.find((each) => each.key === key);
    if (step) setText(descendant(details, "pre"), JSON.stringify(step.event, null, 2));
  }
}

/** Return the number of one side of a call. @param {Call} call @param {Party} party */
function sideOf({ otherParty }, party) {
  return party.number || (party === otherParty ? callerName(party) : party.name || gettext("unknown"));
}
