/** The panel with one call's timeline: what is stored of it, and what is heard as long as it is open. */

import { readTimeline, timelineTopics } from "../board-loader.js";
import { DIRECTIONS } from "../../shared/call.js";
import { element, setData, PartList, setText } from "../../shared/dom.js";
import { shares, Timeline } from "../call-timeline.js";
import { timeOfDay, duration } from "../../shared/time.js";

function sized(recording) {
  if (recording.isRunning) return "Recording now";
  return recording.seconds === null ? "Recording" : `Recording, ${duration(recording.seconds * 1000)}`;
}

export class TimelinePanel {
  #liveData;
  #board;
  #changed;
  #timeline = null;
  #unsubscribe = () => {};
  #me = null;
  #error = "";
  #isChanged = false;
  #facts = new PartList(element("story-facts"), element("story-fact"));
  #recordings = new PartList(element("story-recordings"), element("story-recording"));
  #steps = new PartList(element("story-steps"), element("story-step"));

  /** `board` knows the names; `close()` is called when the panel is to be closed, `changed()` when it is to be painted soon. */
  constructor(liveData, board, { close, changed }) {
    this.#liveData = liveData;
    this.#board = board;
    this.#changed = changed;
    element("story-close").addEventListener("click", close);
    // A raw event is written out when somebody asks for it.
    element("story-steps").addEventListener("toggle", ({ target }) => this.#writeOut(target), true);
  }

  get callId() {
    return this.#timeline?.callId ?? "";
  }

  /** Show the timeline of a call to whom `me` of /v1.0/me describes. */
  open(callId, me) {
    this.close();
    this.#me = me;
    this.#error = "";
    this.#timeline = new Timeline(callId, this.#board);
    this.#steps.arrange([], () => {});
    element("story").hidden = false;
    element("story").scrollTop = 0;
    this.show();
    this.#load();
    const topics = timelineTopics(me);
    // What comes between the reading and the first of these is read again.
    if (topics.length) this.#unsubscribe = this.#liveData.subscribe(topics, (event) => this.add(event), () => this.#load());
  }

  close() {
    this.#unsubscribe();
    this.#unsubscribe = () => {};
    this.#timeline = null;
    element("story").hidden = true;
  }

  /** Whatever was missed is read again. */
  reload() {
    if (this.#timeline) this.#load();
  }

  add(event) {
    if (!this.#timeline?.add(event)) return;
    this.#isChanged = true;
    this.#changed();
  }

  async #load() {
    const timeline = this.#timeline;
    try {
      const events = await readTimeline(this.#me, timeline.callId);
      if (timeline !== this.#timeline) return;
      timeline.load(events);
      this.#error = "";
    } catch (error) {
      if (timeline !== this.#timeline) return;
      this.#error = `The timeline cannot be read: ${error.message}`;
    }
    this.show();
  }

  /** Show what was heard since the last time. */
  showChanges() {
    if (this.#isChanged) this.show();
  }

  show() {
    if (!this.#timeline) return;
    this.#isChanged = false;
    const now = this.#liveData.now;
    const content = this.#timeline.read();
    const { call, steps } = content;
    const known = steps.length > 0;
    setText(element("story-title"), known ? nameOf(call) : "Timeline");
    setText(element("story-note"), this.#noteFor(content));
    element("story-parties").hidden = element("story-state").hidden = element("story-steps-title").hidden = !known;
    setText(element("story-from"), call.from.number || call.from.name || "unknown");
    setText(element("story-to"), call.to.number || call.to.name || "unknown");
    setData(element("story"), "state", call.state);
    setText(element("story-word"), call.stateLabel);
    element("story-shape").setAttribute("href", `#shape-${call.state}`);
    this.#showFacts(content);
    this.#showRecordings(content);
    this.#showSteps(steps);
    this.tick(now);
  }

  /** All times go on to `now`. */
  tick(now) {
    if (!this.#timeline) return;
    const { call, steps } = this.#timeline.read();
    setText(element("story-total"), steps.length ? duration((call.endedAt ?? now) - call.startedAt) : "");
    for (const { key, at, until, state } of steps) {
      const isTimed = state !== null && state !== "ended";
      this.#steps.parts.get(key)?.text("lasted", isTimed ? duration((until ?? now) - at) : "");
    }
    this.#showShares(shares({ steps }, now));
  }

  #noteFor({ steps, isWhole }) {
    if (this.#error) return this.#error;
    if (!this.#timeline.isLoaded) return "Reading what happened…";
    if (!steps.length) return "Nothing is kept of this call: it is older than what the gateway keeps, or there is no such call.";
    return isWhole ? "" : "Its beginning is not kept any more.";
  }

  #showFacts({ call, queues, agents, hangup, steps }) {
    const facts = new Map([
      ["Direction", DIRECTIONS.get(call.direction) ?? call.direction],
      [queues.length > 1 ? "Queues" : "Queue", queues.join(", ")],
      [agents.length > 1 ? "Agents" : "Agent", agents.join(", ")],
      ["Hung up", call.state === "ended" ? hangup || "no reason told" : ""],
      ["Call id", steps.length ? call.id : ""],
    ]);
    const names = [...facts.keys()].filter((name) => facts.get(name));
    this.#facts.arrange(names, (part, name) => part.text("name", name));
    for (const [name, part] of this.#facts.parts) part.text("value", facts.get(name));
  }

  #showRecordings({ recordings }) {
    this.#recordings.arrange(recordings.map(({ id }) => id), () => {});
    for (const recording of recordings) {
      const part = this.#recordings.parts.get(recording.id);
      part.text("text", sized(recording));
      const link = part.element.querySelector("a");
      link.hidden = recording.url === null;
      if (recording.url !== null) link.href = recording.url;
    }
  }

  #showSteps(steps) {
    this.#steps.arrange(steps.map(({ key }) => key), (part, key) => {
      part.element.dataset.key = key;
    });
    for (const { key, at, state, title, note, event } of steps) {
      const part = this.#steps.parts.get(key);
      part.attribute("data-state", state);
      part.shape(0, state === null ? "shape-dot" : `shape-${state}`);
      part.text("title", title);
      part.text("clock", timeOfDay(at));
      part.text("note", note);
      part.text("type", event.event_type);
    }
  }

  #showShares(parts) {
    const bar = element("story-shares");
    while (bar.childElementCount > parts.length) bar.lastElementChild.remove();
    while (bar.childElementCount < parts.length) bar.append(document.createElement("span"));
    for (const [index, { state, share }] of parts.entries()) {
      const piece = /** @type {HTMLElement} */ (bar.children[index]);
      piece.dataset.state = state;
      piece.style.flexGrow = share.toFixed(4);
    }
  }

  #writeOut(details) {
    if (!details.open) return;
    const { key } = details.closest("li").dataset;
    // It is told of late: the panel may be closed by then.
    const step = this.#timeline?.read().steps.find((each) => each.key === key);
    if (step) setText(details.querySelector("pre"), JSON.stringify(step.event, null, 2));
  }
}

/** Whom the call is with, seen from the contact centre. */
function nameOf({ direction, from, to }) {
  const other = direction === "outbound" ? to : from;
  return other.name || other.number || "Unknown caller";
}
