/** How sure a page is of what it shows: the connection's pill, the banner over what may be old, a word for who sees neither. */

import { element, setText } from "./dom.js";
import { timeOfDay } from "./time.js";

export class ConnectionStatus {
  #liveData;
  #root;
  #announced = "live";

  /** `root` is marked with data-stale while what `liveData` brought may not be true any more. */
  constructor(liveData, root) {
    this.#liveData = liveData;
    this.#root = root;
  }

  /** Returns whether all is sure again since the last time. */
  show() {
    const { name, retryAt, message } = this.#liveData.connection;
    const pill = element("connection");
    const seconds = retryAt === null ? 0 : Math.ceil((retryAt - Date.now()) / 1000);
    const texts = {
      connecting: "Connecting…",
      live: "Live",
      reconnecting: seconds > 0 ? `Reconnecting in ${seconds} s` : "Reconnecting…",
      offline: "Offline",
      failed: "Connection refused",
    };
    pill.dataset.state = name === "connecting" ? "reconnecting" : name;
    pill.title = message ?? "";
    setText(element("connection-text"), texts[name]);
    if (name !== this.#announced && name !== "connecting") {
      if (name === "live") setText(element("announcements"), "The connection is back, everything shown is live");
      else if (this.#announced === "live") setText(element("announcements"), "The connection was lost");
      this.#announced = name;
    }
    return this.#showStale();
  }

  #showStale() {
    const { isStale, confirmedAt } = this.#liveData;
    const hasChanged = isStale !== this.#root.hasAttribute("data-stale");
    if (hasChanged) {
      this.#root.toggleAttribute("data-stale", isStale);
      element("stale-banner").hidden = !isStale;
    }
    if (isStale) setText(element("stale-banner"), `No connection. What you see is as of ${timeOfDay(confirmedAt)}, and goes on by itself when the gateway answers again.`);
    return hasChanged && !isStale;
  }
}
