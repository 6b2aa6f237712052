/** The agent's status, the buttons that choose another, the shift, and its sound. */

import { chooseStatus } from "../shared/requests.js";
import { capitalized } from "../shared/call.js";
import { element, field, setShown, setTexts } from "../shared/dom.js";
import { tabData } from "../shared/site-data.js";
import { duration } from "../shared/time.js";

const SHIFT_KEY = "voipbin.shift";
const IN_A_CALL = new Set(["ringing", "busy"]);
const SHAPES = new Map(Object.entries({ available: "shape-answered", busy: "shape-talking", ringing: "shape-ringing", away: "shape-away" }));

/** @typedef {import("../shared/sound.js").Sound} Sound */
/** @typedef {import("./call-notifications.js").CallNotifications} CallNotifications */

export class StatusPanel {
  #parts;
  /** @type {NodeListOf<HTMLButtonElement>} */ #choices = document.querySelectorAll("[data-status-choice]");
  /** @type {string | null} */ #pending = null; // The status that is being set.
  /** @type {string | null} */ #noteStatus = null; // The status at which the note was written.

  /** @param {{ desk: Desk, liveData: LiveData, sound: Sound, notifications: CallNotifications, toasts: Toasts, changed: () => void }} parts `changed` renders soon. */
  constructor(parts) {
    this.#parts = parts;
    const { sound, changed } = parts;
    for (const button of this.#choices) button.addEventListener("click", () => this.choose(button.dataset.statusChoice ?? ""));
    element("start-shift").addEventListener("click", () => this.#startShift());
    element("sound").addEventListener("click", () => {
      sound.isMuted = !sound.isMuted;
      changed();
    });
    // A reload keeps the shift: the first click or key enables the sound again.
    const rearm = () => {
      if (tabData.get(SHIFT_KEY) && !sound.isArmed) sound.arm();
    };
    addEventListener("pointerdown", rearm);
    addEventListener("keydown", rearm);
  }

  endShift() {
    tabData.remove(SHIFT_KEY);
  }

  /** @param {number} now */
  show(now) {
    const { desk, liveData, sound } = this.#parts;
    const { since } = desk.presence;
    const status = desk.presence.status || "offline";
    // The note about a chosen status lasts until the status changes, except to one of a call.
    if (status !== this.#noteStatus && !IN_A_CALL.has(status)) setTexts({ "status-note": "", "status-error": "" });
    this.#noteStatus = status;
    setTexts({ "status-word": capitalized(status), "status-time": since === null ? "" : duration(now - since) });
    element("status").dataset.status = status;
    element("status-shape").setAttribute("href", `#${SHAPES.get(status) ?? "shape-offline"}`);
    for (const button of this.#choices) {
      button.setAttribute("aria-pressed", String(button.dataset.statusChoice === (this.#pending ?? status)));
      button.disabled = !liveData.isLive || this.#pending !== null;
    }
    setShown({ "start-shift": !sound.isArmed, sound: sound.isArmed });
    setTexts({ sound: sound.isMuted ? "Sound: off" : "Sound: on" });
    element("sound").setAttribute("aria-pressed", String(!sound.isMuted));
    field("start-shift").disabled = !liveData.isLive;
  }

  /** Set the agent's status. @param {string} status */
  async choose(status) {
    const { desk, liveData, changed } = this.#parts;
    if (this.#pending !== null || !liveData.isLive) return;
    this.#pending = status;
    setTexts({ "status-note": "", "status-error": "" });
    changed();
    try {
      const reply = await chooseStatus(desk.agentId, status);
      if (reply.next_status) setTexts({ "status-note": `${capitalized(reply.next_status)} after this call` });
      else {
        const data = { status: reply.status, set_by: desk.agentId };
        const topic = `agent_id:${desk.agentId}:agent:${desk.agentId}`;
        const event = { id: "", cursor: "", event_type: "agent.status", topic, timestamp: reply.status_changed_at, data };
        desk.apply(event, liveData.clock.now);
      }
    } catch (error) {
      if (error.isUnauthorized) liveData.endSession(error.message);
      else setTexts({ "status-error": error.message });
    } finally {
      this.#pending = null;
      this.#noteStatus = desk.presence.status || "offline";
      changed();
    }
  }

  async #startShift() {
    const { desk, liveData, sound, notifications, toasts } = this.#parts;
    if (!liveData.isLive) return;
    tabData.set(SHIFT_KEY, "on");
    notifications.request();
    if (!IN_A_CALL.has(desk.presence.status)) this.choose("available");
    if (await sound.arm()) sound.chime();
    else toasts.show("This browser plays no sound. Watch the window’s title for calls.");
  }
}
