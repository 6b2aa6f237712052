/** The page as a wallboard: large, awake, on the whole screen. */

import { element, mark, say } from "../../shared/dom.js";
import { clock } from "../../shared/time.js";

export async function toggleFullScreen() {
  try {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await document.documentElement.requestFullscreen();
  } catch {
    // Some browsers have none, and a page may be forbidden it.
  }
}

export class Wall {
  #isOn = false;
  #lock = null;

  constructor() {
    // The browser takes it away from a page that is hidden.
    document.addEventListener("visibilitychange", () => this.#stayAwake());
    document.addEventListener("fullscreenchange", () => say(element("full-screen"), document.fullscreenElement ? "Leave full screen" : "Full screen"));
  }

  show(isOn) {
    mark(element("board-view"), "view", isOn ? "wall" : null);
    element("wall").setAttribute("aria-pressed", String(isOn));
    say(element("wall"), isOn ? "Leave the wallboard" : "Wallboard");
    if (isOn === this.#isOn) return;
    this.#isOn = isOn;
    this.#stayAwake();
  }

  tick(now) {
    say(element("wall-clock"), this.#isOn ? clock(now) : "");
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
    say(element("wall-note"), "This browser may let the screen go dark: set it to stay on, or open the page by HTTPS.");
  }
}
