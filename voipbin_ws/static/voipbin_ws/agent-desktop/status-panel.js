/** The agent's status, the choice of another, the shift and its sound. */

import { chooseStatus } from "./requests.js";
import { element, field, setText } from "../shared/dom.js";
import { duration } from "../shared/time.js";

const SHIFT_KEY = "voipbin.shift";
const IN_A_CALL = new Set(["ringing", "busy"]);
const SHAPES = { available: "shape-answered", busy: "shape-talking", ringing: "shape-ringing", away: "shape-away" };

function capital(word) {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

export class StatusPanel {
  /** @type {NodeListOf<HTMLButtonElement>} */
  #choices = document.querySelectorAll("[data-status-choice]");
  #isChoosing = false;
  #pending = null;
  #statusOfNote = null;

  constructor({ desk, liveData, sound, toasts, changed }) {
    this.desk = desk;
    this.liveData = liveData;
    this.sound = sound;
    this.toasts = toasts;
    this.changed = changed;
    for (const button of this.#choices) button.addEventListener("click", () => this.#choose(button.dataset.statusChoice));
    element("start-shift").addEventListener("click", () => this.#startShift());
    element("sound").addEventListener("click", () => {
      sound.isMuted = !sound.isMuted;
      changed();
    });
    // After a reload the shift goes on: the first click or key gives the sound back.
    const rearm = async () => {
      if (sessionStorage.getItem(SHIFT_KEY) && !sound.isArmed && (await sound.arm())) changed();
    };
    addEventListener("pointerdown", rearm);
    addEventListener("keydown", rearm);
  }

  endShift() {
    sessionStorage.removeItem(SHIFT_KEY);
  }

  show(now) {
    const { word, since } = this.desk.status;
    const shown = word || "offline";
    if (IN_A_CALL.has(shown)) {
      this.#statusOfNote = shown;
    } else if (shown !== this.#statusOfNote) {
      // What was said of a choice is settled, one way or another.
      this.#statusOfNote = shown;
      setText(element("status-note"), "");
      setText(element("status-error"), "");
    }
    setText(element("status-word"), capital(shown));
    setText(element("status-time"), since === null ? "" : duration(now - since));
    element("status").dataset.status = shown;
    element("status-shape").setAttribute("href", `#${SHAPES[shown] ?? "shape-offline"}`);
    for (const button of this.#choices) {
      button.setAttribute("aria-pressed", String(button.dataset.statusChoice === (this.#pending ?? shown)));
      button.disabled = !this.liveData.isLive || this.#isChoosing;
    }
    const isOnShift = this.sound.isArmed;
    element("start-shift").hidden = isOnShift;
    element("sound").hidden = !isOnShift;
    setText(element("sound"), this.sound.isMuted ? "Sound: off" : "Sound: on");
    element("sound").setAttribute("aria-pressed", String(!this.sound.isMuted));
    field("start-shift").disabled = !this.liveData.isLive;
  }

  async #choose(status) {
    if (this.#isChoosing || !this.liveData.isLive) return;
    const { desk } = this;
    this.#isChoosing = true;
    this.#pending = status;
    setText(element("status-error"), "");
    setText(element("status-note"), "");
    this.changed();
    try {
      const reply = await chooseStatus(desk.agentId, status);
      if (reply.next_status) setText(element("status-note"), `${capital(reply.next_status)} after this call`);
      else desk.apply({ event_type: "agent.status", topic: `agent_id:${desk.agentId}:agent:${desk.agentId}`, timestamp: reply.status_changed_at, data: { status: reply.status, set_by: desk.agentId } }, Date.now() + this.liveData.clockOffset);
    } catch (error) {
      if (error.status === 401) this.liveData.refused(error.message);
      else setText(element("status-error"), error.message);
    } finally {
      this.#isChoosing = false;
      this.#pending = null;
      this.#statusOfNote = desk.status.word || "offline";
      this.changed();
    }
  }

  async #startShift() {
    if (!this.liveData.isLive) return;
    sessionStorage.setItem(SHIFT_KEY, "on");
    if (await this.sound.arm()) this.sound.chime();
    else this.toasts.show("This browser gives no sound: watch the title of the window");
    if (!IN_A_CALL.has(this.desk.status.word)) await this.#choose("available");
    this.changed();
  }
}
