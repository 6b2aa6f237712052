/** The messages of the agent desktop: the list of threads, the open conversation, and the reply. */

import { Drafts } from "./drafts.js";
import { sendMessage } from "../shared/requests.js";
import { Threads } from "./threads.js";
import { labelOf } from "../shared/call.js";
import { descendant, element, field, PartList, setShown, setTexts } from "../shared/dom.js";
import { timeOfDay } from "../shared/time.js";

const MAX_TEXT = 1600;
const NEAR_MAX_TEXT = MAX_TEXT - 200;
const MAX_PREVIEW = 120;
const AT_END_PIXELS = 60;
const DAY_MS = 86_400_000;

/** @param {number} at @param {number} now */
function timeText(at, now) {
  const time = timeOfDay(at).slice(0, 5);
  return now - at < DAY_MS ? time : `${new Date(at).toLocaleDateString(undefined, { day: "numeric", month: "short" })}, ${time}`;
}

/** @param {string} text */
function lengthText({ length }) {
  if (length > MAX_TEXT) return `${length - MAX_TEXT} characters too many`;
  return length > NEAR_MAX_TEXT ? `${MAX_TEXT - length} characters left` : "";
}

/** @param {Thread} thread */
const senderOf = (thread) => labelOf(thread) || "Unknown sender";

export class Messages {
  #parts;
  #threads = new Threads();
  #drafts = new Drafts();
  #list = new PartList(element("thread-rows"), element("thread-row"));
  #bubbles = new PartList(element("bubbles"), element("bubble"));
  /** @type {string | null} */ #open = null; // The key of the open conversation's thread.
  /** @type {number | null} */ #shownVersion = null;
  /** @type {Set<string>} */ #sending = new Set(); // Numbers.
  /** @type {Map<string, string>} */ #errors = new Map(); // By key.
  /** @type {Actions} */ #actions = { available: false, reason: "", message: false };
  #isPermitted = false;

  /** @param {{ liveData: LiveData, toasts: Toasts, changed: () => void }} parts `changed` renders soon. */
  constructor(parts) {
    this.#parts = parts;
    element("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    element("draft").addEventListener("input", () => {
      if (this.#open !== null) this.#drafts.keep(this.#open, field("draft").value);
      parts.changed();
    });
    element("draft").addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#send();
    });
    element("back").addEventListener("click", () => {
      const part = this.#list.parts.get(this.#open ?? "");
      this.#show(null);
      if (part) descendant(part.element, "button").focus();
    });
    for (const button of element("quick-replies").querySelectorAll("button")) {
      button.addEventListener("click", () => {
        const draft = field("draft");
        draft.value = draft.value.trim() ? `${draft.value.trimEnd()} ${button.textContent}` : button.textContent;
        draft.dispatchEvent(new Event("input"));
        draft.focus();
      });
    }
    document.addEventListener("visibilitychange", () => parts.changed());
  }

  /**
   * Start again with the stored messages. The numbers of unread messages and the open conversation stay.
   * @param {{ agentId: string, events: GatewayEvent[], isPermitted: boolean, actions: Actions, dialing: Dialing | null, now: number }} content
   */
  load({ agentId, events, isPermitted, actions, dialing, now }) {
    const unread = [...this.#threads.byNumber.values()].map((thread) => /** @type {const} */ ([thread.key, thread.unread]));
    this.#threads.clear();
    this.#threads.dialing = dialing;
    this.#drafts.open(agentId);
    for (const event of events) this.#threads.apply(event, now, { isNew: false });
    for (const [key, count] of unread) {
      const thread = this.#threads.byNumber.get(key);
      if (thread) thread.unread = count;
    }
    this.#actions = actions;
    this.#isPermitted = isPermitted;
    this.#shownVersion = null;
    this.#show(this.#threads.byNumber.has(this.#open ?? "") ? this.#open : null);
  }

  /** Remove all messages from memory and from the page. */
  clear() {
    this.#threads.clear();
    this.#list.arrange([]);
    this.#errors.clear();
    this.#show(null);
  }

  dropDrafts() {
    this.#drafts.drop();
  }

  /** @param {GatewayEvent} event @param {number} now */
  apply(event, now) {
    const thread = this.#threads.apply(event, now);
    if (thread && !this.#isVisible(thread)) this.#parts.toasts.show(`Message from ${senderOf(thread)}`, "message");
  }

  /** @param {Thread} thread */
  #isVisible(thread) {
    return thread.key === this.#open && !document.hidden;
  }

  // --- Rendering ---

  render() {
    const { now } = this.#parts.liveData;
    const threads = this.#threads.sorted;
    this.#list.arrange(threads.map(({ key }) => key), (part, key) => {
      descendant(part.element, "button").addEventListener("click", () => this.#show(key, { focus: true }));
    });
    for (const thread of threads) this.#renderThread(thread, now);
    const unread = threads.reduce((sum, thread) => sum + thread.unread, 0);
    const noMessages = "No messages yet. New messages appear here.";
    const notPermitted = "You do not have access to messages. An admin can grant you the resource “message” at /admin.";
    setTexts({ "unread-count": unread ? String(unread) : "", "no-threads-text": this.#isPermitted ? noMessages : notPermitted });
    setShown({ "no-threads": threads.length === 0 });
    this.#renderOpen(now);
  }

  /** @param {Thread} thread @param {number} now */
  #renderThread(thread, now) {
    if (this.#isVisible(thread)) thread.unread = 0;
    const part = this.#list.part(thread.key);
    const isOpen = thread.key === this.#open;
    const last = thread.messages.at(-1);
    const draft = isOpen ? "" : this.#drafts.of(thread.key);
    const sent = last && !last.isInbound ? (last.isAutomatic ? "Automatic: " : "Sent: ") : "";
    part.texts({ name: senderOf(thread), time: last ? timeText(last.at, now) : "", stopped: thread.optedOutAt === null ? "" : "Opted out" });
    part.texts({ mark: draft ? "Draft: " : sent, last: (draft || (last?.text ?? "")).slice(0, MAX_PREVIEW) });
    part.texts({ unread: thread.unread ? `${thread.unread}` : "", "unread-words": thread.unread ? " unread" : "" });
    part.attributes({ "data-number": thread.key, "data-unread": thread.unread ? "" : null, "data-open": isOpen ? "" : null });
    descendant(part.element, "button").setAttribute("aria-current", String(isOpen));
  }

  /** @param {number} now */
  #renderOpen(now) {
    const thread = this.#threads.byNumber.get(this.#open ?? "");
    setShown({ conversation: Boolean(thread), "no-conversation": !thread && this.#threads.byNumber.size > 0 });
    element("messages").toggleAttribute("data-reading", Boolean(thread));
    if (!thread) return;
    setTexts({ "thread-name": senderOf(thread), "thread-number": thread.name ? thread.number : "" });
    if (this.#shownVersion !== thread.version) {
      this.#shownVersion = thread.version;
      const box = element("scroll");
      const wasAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight < AT_END_PIXELS;
      this.#bubbles.arrange(thread.messages.map(({ id }) => id));
      for (const message of thread.messages) this.#renderBubble(message, now);
      if (wasAtEnd) box.scrollTop = box.scrollHeight;
    }
    this.#renderComposer(thread, now);
  }

  /** @param {Message} message @param {number} now */
  #renderBubble(message, now) {
    const part = this.#bubbles.part(message.id);
    const status = message.isInbound ? "" : message.status;
    const who = message.isInbound ? "" : message.isAutomatic ? "Automatic" : "Sent";
    part.texts({ text: message.text || "(no text)", who, time: timeText(message.at, now), status: status === "sent" ? "on its way" : status });
    part.attributes({ "data-side": message.isInbound ? "in" : "out", "data-automatic": message.isAutomatic ? "" : null });
    part.attributes({ "data-failed": /^(undelivered|failed|rejected)/.test(status) ? "" : null });
  }

  /** @param {Thread} thread @param {number} now */
  #renderComposer(thread, now) {
    const { optedOutAt } = thread;
    const isSending = this.#sending.has(thread.key);
    const isAnonymous = thread.number === "";
    setShown({ composer: optedOutAt === null && !isAnonymous, "opted-out": optedOutAt !== null || isAnonymous });
    if (isAnonymous) setTexts({ "opted-out": "This text came without a number: it cannot be answered." });
    else if (optedOutAt !== null) {
      const text = `${senderOf(thread)} wrote STOP (${timeText(optedOutAt, now)}) and wants no messages. You can reply after this number sends START.`;
      setTexts({ "opted-out": text });
    }
    const reason = this.#reasonNotToSend();
    const { value } = field("draft");
    field("send").disabled = reason !== "" || isSending || !value.trim() || value.length > MAX_TEXT;
    const error = this.#errors.get(thread.key) ?? "";
    setTexts({ send: isSending ? "Sending…" : "Send", "composer-why": reason || lengthText(value), "composer-error": error });
  }

  #reasonNotToSend() {
    if (!this.#actions.available) return this.#actions.reason;
    if (!this.#actions.message) return "You do not have permission to send messages.";
    return this.#parts.liveData.isLive ? "" : "You cannot send messages until the connection is restored. Your draft is kept.";
  }

  // --- Actions ---

  /** Open a conversation; `null` closes it. @param {string | null} key */
  #show(key, { focus = false } = {}) {
    if (this.#open !== key || key === null) {
      this.#bubbles.arrange([]);
      this.#shownVersion = null;
    }
    this.#open = key;
    field("draft").value = key === null ? "" : this.#drafts.of(key);
    this.render();
    if (key === null) return;
    element("scroll").scrollTop = element("scroll").scrollHeight;
    if (focus) (element("composer").hidden ? element("scroll") : element("draft")).focus();
  }

  async #send() {
    const key = this.#open;
    const text = field("draft").value.trim();
    this.render(); // Enter may come before the button was updated.
    if (key === null || !this.#threads.byNumber.get(key)?.number || field("send").disabled || !text) return;
    const { liveData, changed } = this.#parts;
    this.#sending.add(key);
    this.#errors.delete(key);
    changed();
    try {
      await sendMessage(key, text); // In E.164: a platform need not know every spelling.
      // A text that was typed meanwhile stays.
      if (this.#drafts.of(key).trim() === text) {
        this.#drafts.keep(key, "");
        if (this.#open === key) field("draft").value = "";
      }
    } catch (error) {
      if (error.isUnauthorized) liveData.endSession(error.message);
      const thread = this.#threads.byNumber.get(key);
      if (error.code === "OPTED_OUT" && thread) thread.optedOutAt ??= liveData.now;
      this.#errors.set(key, error.message);
    } finally {
      this.#sending.delete(key);
      changed();
    }
  }
}
