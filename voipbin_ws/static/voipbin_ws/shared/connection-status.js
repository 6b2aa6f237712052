/** The state of the connection on the page: the pill, the banner over stale data, and announcements for screen readers. */

import { element, setShown, setTexts } from "./dom.js";
import { gettext } from "./gettext.js";
import { timeOfDay } from "./time.js";

export class ConnectionStatus {
  #liveData;
  #root;
  #announced = "live";

  /** @param {LiveData} liveData @param {HTMLElement} root Has `data-stale` while the data may be outdated. */
  constructor(liveData, root) {
    this.#liveData = liveData;
    this.#root = root;
    element("try-again").addEventListener("click", () => liveData.start());
  }

  /** Show the state, and return whether stale data has become current since the last call. */
  show() {
    const { name, retryAt, message } = this.#liveData.connection;
    const pill = element("connection");
    const seconds = retryAt === null ? 0 : Math.ceil((retryAt - Date.now()) / 1000);
    const texts = {
      connecting: gettext("Connecting…"),
      live: gettext("Live"),
      reconnecting: seconds > 0 ? gettext("Reconnecting in {seconds} s", { seconds }) : gettext("Reconnecting…"),
      offline: gettext("Offline"),
      failed: gettext("Connection refused"),
    };
    pill.dataset.state = name === "connecting" ? "reconnecting" : name;
    pill.title = message ?? "";
    setTexts({ "connection-text": texts[name] });
    if (name !== this.#announced && name !== "connecting") {
      if (name === "live") setTexts({ announcements: gettext("Connection restored. All data is live.") });
      else if (this.#announced === "live") setTexts({ announcements: gettext("Connection lost") });
      this.#announced = name;
    }
    const { isStale } = this.#liveData;
    const wasStale = this.#root.hasAttribute("data-stale");
    this.#root.toggleAttribute("data-stale", isStale);
    this.#showBanner();
    return wasStale && !isStale;
  }

  #showBanner() {
    const { connection, isLoaded, isStale, now } = this.#liveData;
    const { name, message } = connection;
    const isTrying = name === "live" || name === "connecting";
    const wasShown = !element("stale-banner").hidden;
    const isShown = isStale || name === "failed" || (!isLoaded && (!isTrying || wasShown));
    setShown({ "stale-banner": isShown, "try-again": !isTrying });
    // While a new attempt runs, the text of the last one stays: screen readers read each change.
    if (!isShown || (isTrying && wasShown)) return;
    const data = isLoaded ? gettext("Showing data from {time}.", { time: timeOfDay(now) }) : gettext("No data yet.");
    const next = name === "failed" ? gettext("The page does not try again by itself.") : gettext("Updates resume automatically.");
    const reason = isTrying ? "" : sentence(message ?? "");
    setTexts({ "stale-text": [reason || gettext("Connection lost."), data, next].join(" ") });
  }
}

/** End a text with a full stop. @param {string} text */
function sentence(text) {
  return text && !/[.!?]$/.test(text) ? `${text}.` : text;
}
