/** The message side of the desk: threads, one open conversation, drafts that outlive a reload, quick replies. */

import { Drafts } from "./drafts.js";
import { sendMessage } from "./requests.js";
import { Threads } from "./threads.js";
import { element, field, PartList, setText } from "../shared/dom.js";
import { timeOfDay } from "../shared/time.js";

const MAX_TEXT = 1600;
const QUICK_REPLIES = [
  "Thanks for writing! I am looking into it.",
  "Could you tell me your order number?",
  "We will call you back shortly.",
  "You are welcome. Have a good day!",
];
const DAY_MS = 86_400_000;

function when(at, now) {
  const time = timeOfDay(at).slice(0, 5);
  return now - at < DAY_MS ? time : `${new Date(at).toLocaleDateString(undefined, { day: "numeric", month: "short" })}, ${time}`;
}

export class Messages {
  #threads = new Threads();
  #drafts = new Drafts();
  #list = new PartList(element("thread-rows"), element("thread-row"));
  #bubbles = new PartList(element("bubbles"), element("bubble"));
  #open = null; // number
  #shownVersion = null;
  #sending = new Set(); // numbers
  #errors = new Map(); // number -> what went wrong
  #actions = { available: false, reason: "", message: false };
  #receivesMessages = false;

  constructor({ liveData, toasts, refused, changed }) {
    this.liveData = liveData;
    this.toasts = toasts;
    this.refused = refused;
    this.changed = changed;
    element("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    element("draft").addEventListener("input", () => {
      this.#drafts.keep(this.#open, field("draft").value);
      this.changed();
    });
    element("draft").addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#send();
    });
    element("back").addEventListener("click", () => {
      const number = this.#open;
      this.#show(null);
      this.#list.parts.get(number)?.element.querySelector("button").focus();
    });
    element("quick-replies").append(...QUICK_REPLIES.map((text) => this.#quickReply(text)));
    document.addEventListener("visibilitychange", () => this.changed());
  }

  load({ me, items, receivesMessages, actions, now }) {
    const unread = new Map([...this.#threads.byNumber].map(([number, thread]) => [number, thread.unread]));
    this.#threads.clear();
    this.#drafts.open(me.agent.id);
    for (const event of items) this.#threads.apply(event, now, { isNew: false });
    for (const [number, count] of unread) if (this.#threads.byNumber.has(number)) this.#threads.byNumber.get(number).unread = count;
    this.#actions = actions;
    this.#receivesMessages = receivesMessages;
    this.#shownVersion = null;
    if (this.#open === null) this.#show(null);
    else this.#show(this.#threads.byNumber.has(this.#open) ? this.#open : null);
  }

  /** Nothing stays: neither here nor on the page. */
  clear() {
    this.#threads.clear();
    this.#list.arrange([], () => {});
    this.#errors.clear();
    this.#show(null);
  }

  dropDrafts() {
    this.#drafts.drop();
  }

  apply(event, now) {
    const thread = this.#threads.apply(event, now);
    if (thread && !this.#isLookedAt(thread)) this.toasts.show(`Message from ${thread.name || thread.number}`, "message");
  }

  #isLookedAt(thread) {
    return thread.number === this.#open && !document.hidden;
  }

  // --- Painting ---

  render() {
    const { now } = this.liveData;
    const threads = this.#threads.sorted;
    this.#list.arrange(threads.map(({ number }) => number), (part, number) => {
      part.element.querySelector("button").addEventListener("click", () => this.#show(number, { focus: true }));
    });
    const isOpen = (thread) => thread.number === this.#open;
    let unread = 0;
    for (const thread of threads) {
      if (this.#isLookedAt(thread)) thread.unread = 0;
      unread += thread.unread;
      const part = this.#list.parts.get(thread.number);
      const last = thread.messages.at(-1);
      const draft = this.#drafts.of(thread.number);
      part.text("name", thread.name || thread.number);
      part.text("time", last ? when(last.at, now) : "");
      part.text("mark", draft && !isOpen(thread) ? "Draft: " : last && !last.isInbound ? (last.isAutomatic ? "Automatic: " : "Sent: ") : "");
      part.text("last", (draft && !isOpen(thread) ? draft : (last?.text ?? "")).slice(0, 120));
      part.text("unread", thread.unread ? `${thread.unread}` : "");
      part.text("unread-words", thread.unread ? " unread" : "");
      part.text("stopped", thread.optedOutAt === null ? "" : "Opted out");
      part.attribute("data-number", thread.number);
      part.attribute("data-unread", thread.unread ? "" : null);
      part.attribute("data-open", isOpen(thread) ? "" : null);
      part.element.querySelector("button").setAttribute("aria-current", String(isOpen(thread)));
    }
    setText(element("unread-count"), unread ? String(unread) : "");
    element("no-threads").hidden = threads.length > 0;
    setText(
      element("no-threads-text"),
      this.#receivesMessages ? "No messages yet. Those that come in appear here by themselves." : "Messages were not granted to you. An admin can grant the resource “message” on your page at /admin.",
    );
    this.#renderOpen(now);
  }

  #renderOpen(now) {
    const thread = this.#open === null ? null : this.#threads.byNumber.get(this.#open);
    element("conversation").hidden = !thread;
    element("no-conversation").hidden = Boolean(thread) || this.#threads.byNumber.size === 0;
    element("messages").toggleAttribute("data-reading", Boolean(thread));
    if (!thread) return;
    setText(element("thread-name"), thread.name || thread.number);
    setText(element("thread-number"), thread.name ? thread.number : "");
    if (this.#shownVersion !== thread.version) {
      this.#shownVersion = thread.version;
      const box = element("scroll");
      const wasAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 60;
      this.#bubbles.arrange(thread.messages.map(({ id }) => id), () => {});
      for (const message of thread.messages) this.#renderBubble(this.#bubbles.parts.get(message.id), message, now);
      if (wasAtEnd) box.scrollTop = box.scrollHeight;
    }
    this.#renderComposer(thread, now);
  }

  #renderBubble(part, message, now) {
    const status = message.isInbound ? "" : message.status;
    part.text("text", message.text || "(no text)");
    part.text("who", message.isInbound ? "" : message.isAutomatic ? "Automatic" : "Sent");
    part.text("time", when(message.at, now));
    part.text("status", status === "sent" ? "on its way" : status);
    part.attribute("data-side", message.isInbound ? "in" : "out");
    part.attribute("data-automatic", message.isAutomatic ? "" : null);
    part.attribute("data-failed", /^(undelivered|failed|rejected)/.test(status) ? "" : null);
  }

  #renderComposer(thread, now) {
    const isStopped = thread.optedOutAt !== null;
    const isSending = this.#sending.has(thread.number);
    element("composer").hidden = isStopped;
    element("opted-out").hidden = !isStopped;
    if (isStopped) setText(element("opted-out"), `${thread.name || thread.number} wrote STOP (${when(thread.optedOutAt, now)}) and wants no messages. No reply is possible until START comes from this number.`);
    const reason = !this.#actions.available ? this.#actions.reason : !this.#actions.message ? "Your credential may not write messages." : !this.liveData.isLive ? "Messages cannot be sent until the connection is back. Your draft is kept." : "";
    const { value } = field("draft");
    field("send").disabled = reason !== "" || isSending || !value.trim() || value.length > MAX_TEXT;
    setText(element("send"), isSending ? "Sending…" : "Send");
    setText(element("composer-why"), reason || (value.length > MAX_TEXT ? `${value.length - MAX_TEXT} characters too many` : value.length > MAX_TEXT - 200 ? `${MAX_TEXT - value.length} characters left` : ""));
    setText(element("composer-error"), this.#errors.get(thread.number) ?? "");
  }

  // --- Acting ---

  #show(number, { focus = false } = {}) {
    if (this.#open !== number || number === null) {
      this.#bubbles.arrange([], () => {});
      this.#shownVersion = null;
    }
    this.#open = number;
    field("draft").value = number === null ? "" : this.#drafts.of(number);
    this.render();
    if (number === null) return;
    element("scroll").scrollTop = element("scroll").scrollHeight;
    if (focus) (element("composer").hidden ? element("scroll") : element("draft")).focus();
  }

  #quickReply(text) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "chip";
    button.textContent = text;
    button.addEventListener("click", () => {
      const draft = field("draft");
      draft.value = draft.value.trim() ? `${draft.value.trimEnd()} ${text}` : text;
      draft.dispatchEvent(new Event("input"));
      draft.focus();
    });
    return button;
  }

  async #send() {
    const number = this.#open;
    const text = field("draft").value.trim();
    this.render(); // Whoever is quick presses Enter before the button was painted anew.
    if (number === null || field("send").disabled || !text) return;
    this.#sending.add(number);
    this.#errors.delete(number);
    this.changed();
    try {
      await sendMessage(number, text);
      // What was typed meanwhile stays.
      if (this.#drafts.of(number).trim() === text) {
        this.#drafts.keep(number, "");
        if (this.#open === number) field("draft").value = "";
      }
    } catch (error) {
      if (error.status === 401) this.refused(error);
      const thread = this.#threads.byNumber.get(number);
      if (error.code === "OPTED_OUT" && thread) thread.optedOutAt ??= this.liveData.now;
      this.#errors.set(number, error.message);
    } finally {
      this.#sending.delete(number);
      this.changed();
    }
  }
}
