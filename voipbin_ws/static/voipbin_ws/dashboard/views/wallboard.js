/** The dashboard in large type, for a person who is signed in; the screen stays on. An unattended screen has a wallboard link. */

import { element, setData, setShown, setTexts } from "../../shared/dom.js";
import { gettext } from "../../shared/gettext.js";
import { ScreenLock } from "../../shared/screen.js";
import { timeOfDay } from "../../shared/time.js";

export class Wallboard {
  #isOn = false;
  #screenLock = new ScreenLock((isMissing) => {
    setShown({ "wall-note": isMissing });
    setTexts({ "wall-note": gettext("The screen may turn off. Set it to stay on, or open this page over HTTPS.") });
  });

  constructor() {
    document.addEventListener("fullscreenchange", () => setTexts({ "full-screen": document.fullscreenElement ? gettext("Leave full screen") : gettext("Full screen") }));
  }

  /** @param {boolean} isOn */
  show(isOn) {
    setData(element("board-view"), "view", isOn ? "wall" : null);
    element("wall").setAttribute("aria-pressed", String(isOn));
    setTexts({ wall: isOn ? gettext("Leave large type") : gettext("Large type") });
    this.#isOn = isOn;
    this.#screenLock.keep(isOn);
  }

  /** @param {number} now */
  tick(now) {
    setTexts({ "wall-clock": this.#isOn ? timeOfDay(now) : "" });
  }
}
