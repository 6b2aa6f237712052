/** The messages of the agent desktop: the list of threads, the open conversation, and the reply. */

import { ConversationSearch } from "./conversation-search.js";
import { Drafts } from "./drafts.js";
import { filledText } from "./fill-in.js";
import { read } from "../shared/auth.js";
import { RevealedNumbers } from "../shared/reveal.js";
import { sendMessage } from "../shared/requests.js";
import { charactersLeft, lengthText } from "./text-length.js";
import { Threads } from "./threads.js";
import { labelOf } from "../shared/call.js";
import { descendant, element, field, PartList, setShown, setTexts } from "../shared/dom.js";
import { gettext, shownNumber } from "../shared/gettext.js";
import { HIDDEN, isMasked } from "../shared/masked.js";
import { canonicalNumber } from "../shared/phone-number.js";
import { timeOfDay, shownDay } from "../shared/time.js";

const MAX_TEXT = 1600;
const MAX_PREVIEW = 120;
const AT_END_PIXELS = 60;
const DAY_MS = 86_400_000;
export const THREADS_AT_ONCE = "100";
const MESSAGES_AT_ONCE = "100";
const LATEST = "10"; // By so many messages a new one is found to be of a known conversation.
const DELIVERIES = new Map(Object.entries({ sent: gettext("on its way"), delivered: gettext("delivered"), failed: gettext("failed"), undelivered: gettext("undelivered") }));
const NUMBER = /^\+?\d{2,20}$/;

/** @param {number} at @param {number} now */
function timeText(at, now) {
  const time = timeOfDay(at).slice(0, 5);
  return now - at < DAY_MS ? time : `${shownDay(at)}, ${time}`;
}

/** @param {Thread} thread */
const senderOf = (thread) => labelOf(thread) || gettext("Unknown sender");

export class Messages {
  #parts;
  #threads = new Threads();
  #drafts = new Drafts("drafts");
  #list = new PartList(element("thread-rows"), element("thread-row"));
  #bubbles = new PartList(element("bubbles"), element("bubble"));
  /** @type {string | null} */ #open = null; // The key of the open conversation's thread.
  /** @type {number | null} */ #shownVersion = null;
  /** @type {Set<string>} */ #sending = new Set(); // Numbers.
  /** @type {Map<string, string>} */ #errors = new Map(); // By key.
  /** @type {Actions} */ #actions = { available: false, reason: "", message: false };
  #isPermitted = false;
  /** @type {QuickReply[]} */ #quickReplies = [];
  #agentName = "";
  #search;
  /** @type {string | null} */ #next = null; // The place of the next page of conversations.
  /** @type {Set<string>} */ #reading = new Set(); // Keys of threads whose messages are being read.
  #revealed = new RevealedNumbers("messages");

  /** @param {{ liveData: LiveData, toasts: Toasts, changed: () => void }} parts `changed` renders soon. */
  constructor(parts) {
    this.#parts = parts;
    this.#search = new ConversationSearch(this.#threads, parts.changed);
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
    element("quick-replies").addEventListener("click", ({ target }) => {
      const reply = this.#quickReplies[Number(/** @type {HTMLElement} */ (target).closest("button")?.dataset.reply)];
      if (reply) this.#insert(reply.text);
    });
    element("new-message").addEventListener("click", () => this.#ask());
    element("new-thread").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#begin();
    });
    element("new-cancel").addEventListener("click", () => this.#endAsking());
    element("more-threads").addEventListener("click", () => this.#readMore());
    element("earlier-messages").addEventListener("click", () => this.#readMessages(this.#open));
    element("thread-reveal").addEventListener("click", () => this.#reveal(this.#open));
    document.addEventListener("visibilitychange", () => parts.changed());
  }

  /**
   * Start again with the first page of the conversations. The numbers of unread messages and the open conversation stay.
   * @param {{ me: Me, page: { items: any[], cursor: string, next: string | null }, isPermitted: boolean, actions: Actions, now: number }} content
   */
  load({ me, page, isPermitted, actions, now }) {
    const unread = [...this.#threads.byNumber.values()].map((thread) => /** @type {const} */ ([thread.key, thread.unread]));
    const opened = this.#threads.byNumber.get(this.#open ?? "");
    this.#threads.restart();
    this.#threads.dialing = me.dialing ?? null;
    this.#revealed.load(me);
    this.#drafts.open(me.agent?.id ?? "");
    this.#threads.load(page, now);
    this.#next = page.next;
    for (const [key, count] of unread) {
      const thread = this.#threads.byNumber.get(key);
      if (thread) thread.unread = count;
    }
    if (opened) this.#threads.begin(opened.key, opened.number, opened.at).name ||= opened.name;
    this.#actions = actions;
    this.#isPermitted = isPermitted;
    this.#agentName = me.agent?.name ?? "";
    this.#loadQuickReplies(me.desk?.quick_replies ?? []);
    this.#shownVersion = null;
    this.#showDrafts(now);
    this.#show(opened ? this.#open : null);
  }

  /** Begin the threads of drafts whose conversations are not among those that were read. @param {number} now */
  #showDrafts(now) {
    for (const key of this.#drafts.keys) {
      if (this.#threads.byNumber.has(key)) continue;
      const isNumber = NUMBER.test(key);
      this.#threads.begin(key, isNumber ? key : HIDDEN, now);
      if (!isNumber) this.#readMessages(key, LATEST);
    }
  }

  /** @param {QuickReply[]} replies */
  #loadQuickReplies(replies) {
    this.#quickReplies = replies;
    const buttons = replies.map(({ title, text }, place) => {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "chip", title: text, dir: "auto" });
      button.dataset.reply = String(place);
      button.textContent = title;
      return button;
    });
    element("quick-replies").replaceChildren(...buttons);
    setShown({ "quick-replies": buttons.length > 0 });
  }

  /** Remove all messages from memory and from the page. */
  clear() {
    this.#threads.clear();
    this.#list.arrange([]);
    this.#errors.clear();
    this.#search.clear();
    this.#endAsking();
    element("quick-replies").replaceChildren();
    this.#show(null);
  }

  dropDrafts() {
    this.#drafts.drop();
  }

  /** @param {GatewayEvent} event @param {number} now */
  async apply(event, now) {
    let thread = this.#threads.apply(event, now);
    if (!thread) return;
    const isInbound = thread.messages.at(-1)?.isInbound;
    // The gateway alone knows whose message it is.
    if (isMasked(thread.number)) thread = (await this.#readMessages(thread.key, LATEST)) ?? thread;
    if (isInbound && !this.#isVisible(thread)) this.#parts.toasts.show(gettext("Message from {name}", { name: senderOf(thread) }), "message");
  }

  /** @param {Thread} thread */
  #isVisible(thread) {
    return thread.key === this.#open && !document.hidden;
  }

  // --- Rendering ---

  render() {
    const { now } = this.#parts.liveData;
    const all = this.#threads.sorted.filter(({ key, messages }) => messages.length > 0 || key === this.#open || this.#drafts.of(key));
    const isSearching = this.#search.isActive;
    const threads = isSearching ? this.#results(all) : all;
    this.#list.arrange(threads.map(({ key }) => key), (part, key) => {
      descendant(part.element, "button").addEventListener("click", () => this.#show(key, { focus: true }));
    });
    for (const thread of threads) this.#renderThread(thread, now);
    const unread = all.reduce((sum, thread) => sum + thread.unread, 0);
    const noMessages = gettext("No messages yet. New messages appear here.");
    const notPermitted = gettext("You do not have access to messages. An admin can grant you the resource “message” at /admin.");
    setTexts({ "unread-count": unread ? shownNumber(unread) : "", "no-threads-text": isSearching ? gettext("No conversation has this text.") : this.#isPermitted ? noMessages : notPermitted });
    setShown({ "no-threads": !threads.length, "more-threads": this.#next !== null && !isSearching });
    const isOffered = this.#isPermitted && this.#reasonNotToSend() === "";
    setShown({ "thread-search": this.#isPermitted, "new-message": isOffered && Boolean(element("new-thread").hidden) });
    this.#renderOpen(now);
  }

  /** Return the threads of a search, also those of which the gateway alone has found a message. @param {Thread[]} all */
  #results(all) {
    const known = all.filter((thread) => this.#search.includes(thread));
    const keys = new Set(all.map(({ key }) => key));
    for (const { key, number, name, at } of this.#search.found.values()) {
      if (keys.has(key)) continue;
      const thread = this.#threads.begin(key, number, at);
      thread.name ||= name;
      known.push(thread);
    }
    return known.sort((one, other) => other.at - one.at);
  }

  /** @param {Thread} thread @param {number} now */
  #renderThread(thread, now) {
    if (this.#isVisible(thread)) thread.unread = 0;
    const part = this.#list.part(thread.key);
    const isOpen = thread.key === this.#open;
    const found = this.#search.found.get(thread.key);
    const last = thread.messages.at(-1);
    const draft = isOpen ? "" : this.#drafts.of(thread.key);
    const sent = last && !last.isInbound ? (last.isAutomatic ? `${gettext("Automatic:")} ` : `${gettext("Sent:")} `) : "";
    part.texts({ name: senderOf(thread), time: found ? timeText(found.at, now) : last ? timeText(last.at, now) : "", stopped: thread.optedOutAt === null ? "" : gettext("Opted out") });
    if (found) part.texts({ mark: `${gettext("Found:")} `, last: found.text.slice(0, MAX_PREVIEW) });
    else part.texts({ mark: draft ? `${gettext("Draft:")} ` : sent, last: (draft || (last?.text ?? "")).slice(0, MAX_PREVIEW) });
    part.texts({ unread: thread.unread ? `${thread.unread}` : "", "unread-words": thread.unread ? ` ${gettext("unread")}` : "" });
    part.attributes({ "data-number": thread.key, "data-unread": thread.unread ? "" : null, "data-open": isOpen ? "" : null });
    descendant(part.element, "button").setAttribute("aria-current", String(isOpen));
  }

  /** @param {number} now */
  #renderOpen(now) {
    const thread = this.#threads.byNumber.get(this.#open ?? "");
    setShown({ conversation: Boolean(thread), "no-conversation": !thread && this.#threads.byNumber.size > 0 });
    element("messages").toggleAttribute("data-reading", Boolean(thread));
    if (!thread) return;
    const revealed = this.#revealed.of(thread.key)?.number;
    setTexts({ "thread-name": senderOf(thread), "thread-number": revealed ?? (thread.name ? thread.number : "") });
    setShown({ "thread-reveal": this.#revealed.canReveal(thread.key, thread.number) });
    if (this.#shownVersion !== thread.version) {
      this.#shownVersion = thread.version;
      const box = element("scroll");
      const wasAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight < AT_END_PIXELS;
      this.#bubbles.arrange(thread.messages.map(({ id }) => id));
      for (const message of thread.messages) this.#renderBubble(message, now);
      setShown({ "earlier-messages": typeof thread.next === "string" });
      if (wasAtEnd) box.scrollTop = box.scrollHeight;
    }
    this.#renderComposer(thread, now);
  }

  /** @param {Message} message @param {number} now */
  #renderBubble(message, now) {
    const part = this.#bubbles.part(message.id);
    const status = message.isInbound ? "" : message.status;
    const who = message.isInbound ? "" : message.isAutomatic ? gettext("Automatic") : gettext("Sent");
    part.texts({ text: message.text || gettext("(no text)"), who, time: timeText(message.at, now), status: DELIVERIES.get(status) ?? status });
    part.attributes({ "data-side": message.isInbound ? "in" : "out", "data-automatic": message.isAutomatic ? "" : null });
    part.attributes({ "data-failed": /^(undelivered|failed|rejected)/.test(status) ? "" : null });
  }

  /** @param {Thread} thread @param {number} now */
  #renderComposer(thread, now) {
    const { optedOutAt } = thread;
    const isSending = this.#sending.has(thread.key);
    const isAnonymous = thread.number === "";
    setShown({ composer: optedOutAt === null && !isAnonymous, "opted-out": optedOutAt !== null || isAnonymous });
    if (isAnonymous) setTexts({ "opted-out": gettext("This text came without a number: it cannot be answered.") });
    else if (optedOutAt !== null) {
      const text = gettext("{name} wrote STOP ({time}) and wants no messages. You can reply after this number sends START.", { name: senderOf(thread), time: timeText(optedOutAt, now) });
      setTexts({ "opted-out": text });
    }
    const reason = this.#reasonNotToSend();
    const { value } = field("draft");
    field("send").disabled = reason !== "" || isSending || !value.trim() || charactersLeft(value, MAX_TEXT) < 0;
    const error = this.#errors.get(thread.key) ?? "";
    setTexts({ send: isSending ? gettext("Sending…") : gettext("Send"), "composer-why": reason || lengthText(value, MAX_TEXT), "composer-error": error });
  }

  #reasonNotToSend() {
    if (!this.#actions.available) return this.#actions.reason;
    if (!this.#actions.message) return gettext("You do not have permission to send messages.");
    return this.#parts.liveData.isLive ? "" : gettext("You cannot send messages until the connection is restored. Your draft is kept.");
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
    if (this.#threads.byNumber.get(key)?.next === undefined) this.#readMessages(key);
    element("scroll").scrollTop = element("scroll").scrollHeight;
    if (focus) (element("composer").hidden ? element("scroll") : element("draft")).focus();
  }

  /** Return the conversations as commands of the palette. */
  commands() {
    return this.#threads.sorted.map((thread) => ({
      title: labelOf(thread) === thread.number ? senderOf(thread) : `${thread.name} ${thread.number}`,
      kind: gettext("Conversation"), isFoundOnly: true, run: () => this.#show(thread.key, { focus: true }),
    }));
  }

  /** Return whether the agent can write to a party. @param {Party} party */
  canWrite({ number }) {
    return this.#isPermitted && this.#reasonNotToSend() === "" && NUMBER.test(canonicalNumber(number, this.#threads.dialing));
  }

  /** Open the conversation with a party, which may be the first. @param {Party | undefined} party */
  write(party) {
    if (!party) return;
    const key = canonicalNumber(party.number, this.#threads.dialing);
    this.#threads.begin(key, party.number, this.#parts.liveData.now).name ||= party.name;
    this.#show(key, { focus: true });
  }

  #ask() {
    setShown({ "new-thread": true });
    this.#parts.changed();
    field("new-number").focus();
  }

  #endAsking() {
    field("new-number").value = "";
    setTexts({ "new-error": "" });
    setShown({ "new-thread": false });
    this.#parts.changed();
  }

  #begin() {
    const number = field("new-number").value.trim();
    if (!NUMBER.test(canonicalNumber(number, this.#threads.dialing))) {
      setTexts({ "new-error": gettext("Write a telephone number such as +15551234567.") });
      field("new-number").focus();
      return;
    }
    this.#endAsking();
    this.write({ number, name: "" });
  }

  /** Insert a quick reply, with its variables replaced. @param {string} text */
  #insert(text) {
    const thread = this.#threads.byNumber.get(this.#open ?? "");
    const number = thread && !isMasked(thread.number) ? thread.number : "";
    const reply = filledText(text, { name: thread?.name ?? "", number, agent: this.#agentName });
    const draft = field("draft");
    draft.value = draft.value.trim() ? `${draft.value.trimEnd()} ${reply}` : reply;
    draft.dispatchEvent(new Event("input"));
    draft.focus();
  }

  /** Read the next page of the conversations. */
  async #readMore() {
    const button = field("more-threads");
    const next = this.#next;
    if (next === null || button.disabled) return;
    button.disabled = true;
    try {
      const { content } = await read("/v1.0/conversations", { limit: THREADS_AT_ONCE, next });
      if (this.#next !== next) return;
      this.#threads.load(content, this.#parts.liveData.now);
      this.#next = content.next;
    } catch (error) {
      this.#parts.toasts.show(error.message);
    } finally {
      button.disabled = false;
      this.#parts.changed();
    }
  }

  /** Read a page of a conversation's messages, and return the thread that has them; nothing if it failed. @param {string | null} key @returns {Promise<Thread | null | undefined>} */
  async #readMessages(key, limit = MESSAGES_AT_ONCE) {
    const thread = this.#threads.byNumber.get(key ?? "");
    if (!key || !thread?.number || thread.next === null || this.#reading.has(key)) return undefined;
    this.#reading.add(key);
    const { next } = thread;
    const address = isMasked(thread.number) ? `/v1.0/messages/${encodeURIComponent(key)}/conversation` : `/v1.0/conversations/${encodeURIComponent(key)}`;
    try {
      const { content } = await read(address, { order: "desc", limit, ...(next && { next }) });
      const box = element("scroll");
      const fromEnd = box.scrollHeight - box.scrollTop;
      if (this.#threads.byNumber.get(key) !== thread) return undefined;
      const kept = this.#threads.loadMessages(key, content, this.#parts.liveData.now, this.#open ?? "");
      if (kept && kept !== thread) this.#drafts.move(key, kept.key);
      this.render();
      if (this.#open === kept?.key) box.scrollTop = next ? box.scrollHeight - fromEnd : box.scrollHeight;
      return kept;
    } catch (error) {
      if (error.isUnauthorized) this.#parts.liveData.endSession(error.message);
      else this.#errors.set(key, gettext("Earlier messages could not be read: {reason}", { reason: error.message }));
    } finally {
      this.#reading.delete(key);
      this.#parts.changed();
    }
    return undefined;
  }

  /** Show the number of a conversation that is masked. @param {string | null} key */
  async #reveal(key) {
    if (key === null) return;
    try {
      await this.#revealed.reveal(key);
      element("scroll").focus(); // The button is hidden now.
    } catch (error) {
      if (error.isUnauthorized) this.#parts.liveData.endSession(error.message);
      this.#errors.set(key, error.message);
    }
    this.#parts.changed();
  }

  async #send() {
    const key = this.#open;
    const text = field("draft").value.trim();
    this.render(); // Enter may come before the button was updated.
    const { number = "" } = (key !== null && this.#threads.byNumber.get(key)) || {};
    if (key === null || !number || field("send").disabled || !text) return;
    const { liveData, changed } = this.#parts;
    this.#sending.add(key);
    this.#errors.delete(key);
    changed();
    try {
      // In E.164: a platform need not know every spelling.
      await sendMessage(isMasked(number) ? { reply_to: key } : { to: key }, text);
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
