/** The page as a wallboard: large, awake, on the whole screen. */

import { element, setData, setText } from "../../shared/dom.js";
import { timeOfDay } from "../../shared/time.js";

export async function toggleFullScreen() {
  try {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await document.documentElement.requestFullscreen();
  } catch {
    // Some browsers have none, and a page may be forbidden it.
  }
}

export class Wallboard {
  #isOn = false;
  #lock = null;

  constructor() {
    // The browser takes it away from a page that is hidden.
    document.addEventListener("visibilitychange", () => this.#stayAwake());
    document.addEventListener("fullscreenchange", () => setText(element("full-screen"), document.fullscreenElement ? "Leave full screen" : "Full screen"));
  }

  show(isOn) {
    setData(element("board-view"), "view", isOn ? "wall" : null);
    element("wall").setAttribute("aria-pressed", String(isOn));
    setText(element("wall"), isOn ? "Leave the wallboard" : "Wallboard");
    if (isOn === this.#isOn) return;
    this.#isOn = isOn;
    this.#stayAwake();
  }

  tick(now) {
    setText(element("wall-clock"), this.#isOn ? timeOfDay(now) : "");
  }

  async #stayAwake() {
    const isWanted = this.#isOn && document.visibilityState === "visible";
    if (!isWanted) {
      await this.#lock?.release();
      this.#lock = null;
    } else if (this.#lock === null || this.#lock.released) {
      try {
        this.#lock = await navigator.wakeLock.request("screen");
      } catch {
        this.#lock = null;
      }
    }
    element("wall-note").hidden = !(isWanted && this.#lock === null);
    setText(element("wall-note"), "This browser may let the screen go dark: set it to stay on, or open the page by HTTPS.");
  }
}
