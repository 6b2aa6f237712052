/** Notifications of the computer's desktop, one for each offered call. */

import { gettext } from "../shared/gettext.js";

export class CallNotifications {
  /** @type {Map<string, Notification>} */ #shown = new Map(); // By call id.

  /** Ask for the permission; browsers allow it only in a click. */
  request() {
    if (typeof Notification !== "function" || Notification.permission !== "default") return;
    // Older browsers return no promise. A rejection is an answer, too.
    Promise.resolve(Notification.requestPermission()).catch(() => {});
  }

  /** Show exactly these calls. @param {DeskCall[]} calls */
  show(calls) {
    const ids = new Set(calls.map(({ id }) => id));
    for (const [id, notification] of this.#shown) {
      if (ids.has(id)) continue;
      notification.close();
      this.#shown.delete(id);
    }
    for (const call of calls) if (!this.#shown.has(call.id)) this.#notify(call);
  }

  /** @param {DeskCall} call */
  #notify({ id, displayName, party }) {
    // The agent sees the page.
    if (typeof Notification !== "function" || Notification.permission !== "granted" || (document.hasFocus() && !document.hidden)) return;
    try {
      const notification = new Notification(gettext("{name} is calling", { name: displayName }), { tag: id, body: party.number, requireInteraction: true });
      notification.addEventListener("click", () => {
        window.focus();
        notification.close();
      });
      this.#shown.set(id, notification);
    } catch {
      // Android's browsers allow it only to service workers.
    }
  }
}
