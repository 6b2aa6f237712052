/** The page as a wallboard: large type, a screen that stays on, and full screen. */

import { element, setData, setShown, setTexts } from "../../shared/dom.js";
import { gettext } from "../../shared/gettext.js";
import { timeOfDay } from "../../shared/time.js";

export async function toggleFullScreen() {
  try {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await document.documentElement.requestFullscreen();
  } catch {
    // Some browsers have no full screen, or forbid it to the page.
  }
}

export class Wallboard {
  #isOn = false;
  /** @type {WakeLockSentinel | null} */ #lock = null;

  constructor() {
    // The browser releases the lock of a hidden page.
    document.addEventListener("visibilitychange", () => this.#keepScreenOn());
    document.addEventListener("fullscreenchange", () => setTexts({ "full-screen": document.fullscreenElement ? gettext("Leave full screen") : gettext("Full screen") }));
  }

  /** @param {boolean} isOn */
  show(isOn) {
    setData(element("board-view"), "view", isOn ? "wall" : null);
    element("wall").setAttribute("aria-pressed", String(isOn));
    setTexts({ wall: isOn ? gettext("Leave wallboard") : gettext("Wallboard") });
    if (isOn === this.#isOn) return;
    this.#isOn = isOn;
    this.#keepScreenOn();
  }

  /** @param {number} now */
  tick(now) {
    setTexts({ "wall-clock": this.#isOn ? timeOfDay(now) : "" });
  }

  async #keepScreenOn() {
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
    setShown({ "wall-note": isWanted && this.#lock === null });
    setTexts({ "wall-note": gettext("The screen may turn off. Set it to stay on, or open this page over HTTPS.") });
  }
}
