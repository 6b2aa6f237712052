/** The agent's status, the choice of another, the shift and its sound. */

import { chooseStatus } from "./requests.js";
import { element, field, say } from "../shared/dom.js";
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
  #wordWhenSaid = null;

  constructor({ desk, link, sound, toasts, changed }) {
    this.desk = desk;
    this.link = link;
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
      this.#wordWhenSaid = shown;
    } else if (shown !== this.#wordWhenSaid) {
      // What was said of a choice is settled, one way or another.
      this.#wordWhenSaid = shown;
      say(element("status-note"), "");
      say(element("status-error"), "");
    }
    say(element("status-word"), capital(shown));
    say(element("status-time"), since === null ? "" : duration(now - since));
    element("status").dataset.status = shown;
    element("status-shape").setAttribute("href", `#${SHAPES[shown] ?? "shape-offline"}`);
    for (const button of this.#choices) {
      button.setAttribute("aria-pressed", String(button.dataset.statusChoice === (this.#pending ?? shown)));
      button.disabled = !this.link.isLive || this.#isChoosing;
    }
    const isOnShift = this.sound.isArmed;
    element("start-shift").hidden = isOnShift;
    element("sound").hidden = !isOnShift;
    say(element("sound"), this.sound.isMuted ? "Sound: off" : "Sound: on");
    element("sound").setAttribute("aria-pressed", String(!this.sound.isMuted));
    field("start-shift").disabled = !this.link.isLive;
  }

  async #choose(status) {
    if (this.#isChoosing || !this.link.isLive) return;
    const { desk } = this;
    this.#isChoosing = true;
    this.#pending = status;
    say(element("status-error"), "");
    say(element("status-note"), "");
    this.changed();
    try {
      const said = await chooseStatus(desk.agentId, status);
      if (said.next_status) say(element("status-note"), `${capital(said.next_status)} after this call`);
      else desk.apply({ event_type: "agent.status", topic: `agent_id:${desk.agentId}:agent:${desk.agentId}`, timestamp: said.status_changed_at, data: { status: said.status, set_by: desk.agentId } }, Date.now() + this.link.clockAhead);
    } catch (error) {
      if (error.status === 401) this.link.refused(error.message);
      else say(element("status-error"), error.message);
    } finally {
      this.#isChoosing = false;
      this.#pending = null;
      this.#wordWhenSaid = desk.status.word || "offline";
      this.changed();
    }
  }

  async #startShift() {
    if (!this.link.isLive) return;
    sessionStorage.setItem(SHIFT_KEY, "on");
    if (await this.sound.arm()) this.sound.chime();
    else this.toasts.show("This browser gives no sound: watch the title of the window");
    if (!IN_A_CALL.has(this.desk.status.word)) await this.#choose("available");
    this.changed();
  }
}
