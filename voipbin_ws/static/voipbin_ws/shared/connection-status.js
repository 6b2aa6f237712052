/** The state of the connection on the page: the pill, the banner over stale data, and announcements for screen readers. */

import { element, setShown, setTexts } from "./dom.js";
import { timeOfDay } from "./time.js";

export class ConnectionStatus {
  #liveData;
  #root;
  #announced = "live";

  /** @param {LiveData} liveData @param {HTMLElement} root Has `data-stale` while the data may be outdated. */
  constructor(liveData, root) {
    this.#liveData = liveData;
    this.#root = root;
  }

  /** Show the state, and return whether stale data has become current since the last call. */
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
    setTexts({ "connection-text": texts[name] });
    if (name !== this.#announced && name !== "connecting") {
      if (name === "live") setTexts({ announcements: "Connection restored. All data is live." });
      else if (this.#announced === "live") setTexts({ announcements: "Connection lost" });
      this.#announced = name;
    }
    const { isStale, confirmedAt } = this.#liveData;
    const wasStale = this.#root.hasAttribute("data-stale");
    this.#root.toggleAttribute("data-stale", isStale);
    setShown({ "stale-banner": isStale });
    if (isStale) setTexts({ "stale-banner": `Connection lost. Showing data from ${timeOfDay(confirmedAt)}. Updates resume automatically.` });
    return wasStale && !isStale;
  }
}
