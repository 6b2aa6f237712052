/** The page as a wallboard: large type, a screen that stays on, and full screen. */

import { element, setData, setShown, setTexts } from "../../shared/dom.js";
import { ScreenLock } from "../../shared/screen.js";
import { timeOfDay } from "../../shared/time.js";

export class Wallboard {
  #isOn = false;
  #screenLock = new ScreenLock((isMissing) => {
    setShown({ "wall-note": isMissing });
    setTexts({ "wall-note": "The screen may turn off. Set it to stay on, or open this page over HTTPS." });
  });

  constructor() {
    document.addEventListener("fullscreenchange", () => setTexts({ "full-screen": document.fullscreenElement ? "Leave full screen" : "Full screen" }));
  }

  /** @param {boolean} isOn */
  show(isOn) {
    setData(element("board-view"), "view", isOn ? "wall" : null);
    element("wall").setAttribute("aria-pressed", String(isOn));
    setTexts({ wall: isOn ? "Leave wallboard" : "Wallboard" });
    this.#isOn = isOn;
    this.#screenLock.keep(isOn);
  }

  /** @param {number} now */
  tick(now) {
    setTexts({ "wall-clock": this.#isOn ? timeOfDay(now) : "" });
  }
}
