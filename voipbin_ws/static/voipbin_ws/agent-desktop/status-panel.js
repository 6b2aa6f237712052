/** The agent's status, the buttons that choose another, the shift, and its sound. */

import { chooseStatus } from "../shared/requests.js";
import { capitalized, statusName } from "../shared/call.js";
import { element, field, setShown, setTexts } from "../shared/dom.js";
import { gettext } from "../shared/gettext.js";
import { tabData } from "../shared/site-data.js";
import { duration, timeOfDay } from "../shared/time.js";

const SHIFT_KEY = "voipbin.shift";
const IN_A_CALL = new Set(["ringing", "busy"]);
const SHAPES = new Map(Object.entries({ available: "shape-answered", busy: "shape-talking", ringing: "shape-ringing", away: "shape-away" }));

/** @typedef {import("../shared/sound.js").Sound} Sound */
/** @typedef {import("./call-notifications.js").CallNotifications} CallNotifications */

export class StatusPanel {
  #parts;
  /** @type {NodeListOf<HTMLButtonElement>} */ #choices = document.querySelectorAll("[data-status-choice]");
  /** @type {AwayReason[]} */ #reasons = [];
  /** @type {string | null} */ #pending = null; // The status that is being set.
  /** @type {string | null} */ #noteStatus = null; // The status at which the note was written.

  /** @param {{ desk: Desk, liveData: LiveData, sound: Sound, notifications: CallNotifications, toasts: Toasts, changed: () => void }} parts `changed` renders soon. */
  constructor(parts) {
    this.#parts = parts;
    const { sound, changed } = parts;
    for (const button of this.#choices) button.addEventListener("click", () => this.choose(button.dataset.statusChoice ?? ""));
    element("away-reasons").addEventListener("click", ({ target }) => {
      const code = /** @type {HTMLElement} */ (target).closest("button")?.dataset.reason;
      if (code) this.choose("away", { away_reason: code });
    });
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

  /** Start again with the customer's reasons for being away. @param {Me} me */
  load(me) {
    this.#reasons = me.desk?.away_reasons ?? [];
    const buttons = this.#reasons.map(({ code, label, minutes }) => {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "chip" });
      button.dataset.reason = code;
      const name = document.createElement("bdi");
      name.textContent = label;
      button.append(name, minutes === null ? "" : ` ${minutes} min`);
      return button;
    });
    element("away-reasons").replaceChildren(...buttons);
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
    setTexts({ "status-word": capitalized(statusName(status)), "status-time": since === null ? "" : duration(now - since) });
    element("status").dataset.status = status;
    element("status-shape").setAttribute("href", `#${SHAPES.get(status) ?? "shape-offline"}`);
    for (const button of this.#choices) {
      button.setAttribute("aria-pressed", String(button.dataset.statusChoice === (this.#pending ?? status)));
      button.disabled = !liveData.isLive || this.#pending !== null;
    }
    this.#showDetails(now);
    setShown({ "start-shift": !sound.isArmed, sound: sound.isArmed });
    setTexts({ sound: sound.isMuted ? gettext("Sound: off") : gettext("Sound: on") });
    element("sound").setAttribute("aria-pressed", String(!sound.isMuted));
    field("start-shift").disabled = !liveData.isLive;
  }

  /** Show why the agent is away and until when, and who else chose the status. @param {number} now */
  #showDetails(now) {
    const { desk, liveData } = this.#parts;
    const { status, awayReason, returnsAt, setBy, setByName } = desk.presence;
    const isLate = returnsAt !== null && returnsAt < now;
    const back = returnsAt === null ? "" : isLate ? gettext("expected back {time} ago", { time: duration(now - returnsAt) }) : gettext("back at {time}", { time: timeOfDay(returnsAt).slice(0, 5) });
    const other = setBy && setBy !== desk.agentId ? gettext("set by {name}", { name: setByName || gettext("another person") }) : "";
    setTexts({ "status-detail": [awayReason, back, other].filter(Boolean).join(" · ") });
    element("status-detail").toggleAttribute("data-late", isLate);
    setShown({ "away-reasons": status === "away" && this.#reasons.length > 0 });
    for (const button of element("away-reasons").querySelectorAll("button")) {
      const reason = this.#reasons.find(({ code }) => code === button.dataset.reason);
      button.setAttribute("aria-pressed", String(reason?.label === awayReason));
      button.disabled = !liveData.isLive || this.#pending !== null;
    }
  }

  /** Set the agent's status. @param {string} status @param {{ away_reason?: string }} details */
  async choose(status, details = {}) {
    const { desk, liveData, changed } = this.#parts;
    if (this.#pending !== null || !liveData.isLive) return;
    this.#pending = status;
    setTexts({ "status-note": "", "status-error": "" });
    changed();
    try {
      const reply = await chooseStatus(desk.agentId, status, details);
      if (reply.next_status) setTexts({ "status-note": gettext("{status} after this call", { status: capitalized(statusName(reply.next_status)) }) });
      else {
        const { away_reason, returns_at, set_by, set_by_name } = reply;
        const data = { status: reply.status, away_reason, returns_at, set_by, set_by_name };
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
    else toasts.show(gettext("This browser plays no sound. Watch the window’s title for calls."));
  }
}
