/**
 * The conversation of a WebSocket on an event stream: what each message asks for, and which one a frame answers. Sans-I/O.
 *
 * An event stream has its topics and its start in its address, and the client cannot send. So a subscription opens the stream
 * again, with all topics, after the last message; the gateway resumes there as after any break.
 */

import { isObject, strings } from "./protocol.js";

export const COMMENT = "[]"; // The data of a comment, which is the gateway's heartbeat: an array without frames.

/** Splits the text of one response into messages (WHATWG HTML, section 9.2.6). */
export class StreamParser {
  #rest = "";
  /** @type {string[]} */ #data = [];
  /** @type {string | null} */ #id = null;

  /** Return the messages that this text completes. @param {string} text @returns {{ data: string, id: string | null }[]} */
  feed(text) {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    return lines.flatMap((line) => this.#line(line.replace(/\r$/, "")));
  }

  /** @param {string} line @returns {{ data: string, id: string | null }[]} */
  #line(line) {
    if (!line) {
      const message = { data: this.#data.join("\n"), id: this.#id };
      const isMessage = this.#data.length > 0;
      this.#data = [];
      this.#id = null;
      return isMessage ? [message] : [];
    }
    if (line.startsWith(":")) return [{ data: COMMENT, id: null }];
    const [, name, value] = line.match(/^([^:]*):? ?(.*)$/s) ?? [];
    if (name === "data") this.#data.push(value);
    else if (name === "id") this.#id = value;
    return [];
  }
}

/** A stream that was opened again does not continue where the last one ended. */
export class NotResumed extends Error {}

/** The topics of a stream, and the messages that wait for their answer. */
export class StreamMessages {
  /** @type {string | null} */ position = null; // The id of the last message, after which the next stream starts.
  /** @type {Map<string, string>} */ #topics = new Map(); // Each with its filter, as JSON or "".
  /** @type {{ request_id: any, topics: Set<string>, resumes: boolean }[]} */ #pending = [];
  /** @type {any[]} */ #pings = [];

  /** The parameters of the stream's address; `null` without topics, when no stream is needed. */
  get query() {
    if (!this.#topics.size) return null;
    /** @type {Map<string, string[]>} */
    const groups = new Map();
    for (const [topic, filter] of this.#topics) groups.set(filter, [...(groups.get(filter) ?? []), topic]);
    /** @type {[string, string][]} */
    const query = [];
    for (const [filter, topics] of groups) {
      query.push(["topics", topics.join(",")]);
      if (filter) query.push(["filter", filter]);
    }
    if (this.position) query.push(["since", this.position]);
    return query;
  }

  /** Take a message of the client; return the answers that need no gateway. Afterwards the stream opens again. @param {any} message @returns {any[]} */
  send(message) {
    const { type, topics, request_id, since, filter } = message;
    if (type === "subscribe") {
      this.position ??= since ?? null;
      for (const topic of topics) this.#topics.set(topic, filter ? JSON.stringify(filter) : "");
      this.#pending.push({ request_id, topics: new Set(topics), resumes: since !== undefined });
    } else if (type === "unsubscribe") {
      for (const topic of topics) this.#topics.delete(topic);
      return [{ ...message, type: "ack", action: "unsubscribe", status: "success" }];
    } else if (type === "ping") {
      if (!this.#topics.size) return [{ type: "pong", request_id }];
      this.#pings.push(request_id); // The ack of the stream that opens again is the sign of life.
    }
    return [];
  }

  /** Return what a frame of the stream means to the client: an ack or error once per request that it answers. @param {any} frame @returns {any[]} */
  receive(frame) {
    if (!isObject(frame) || "event_type" in frame || !Array.isArray(frame.topics)) return [frame];
    const topics = strings(frame.topics);
    if (frame.type === "error") for (const topic of topics) this.#topics.delete(topic);
    const answers = this.#answers(frame, topics);
    if (frame.type === "ack") answers.push(...this.#pings.splice(0).map((request_id) => ({ type: "pong", request_id })));
    return answers;
  }

  /** @param {any} frame @param {string[]} topics @returns {any[]} */
  #answers(frame, topics) {
    const answers = [];
    const held = new Set(topics);
    for (const { request_id, topics: waiting, resumes } of this.#pending) {
      const answered = topics.filter((topic) => waiting.delete(topic));
      if (!answered.length) continue;
      for (const topic of answered) held.delete(topic);
      const { recovered, ...rest } = frame;
      answers.push({ ...rest, ...(resumes && recovered !== undefined ? { recovered } : {}), topics: answered, request_id });
    }
    this.#pending = this.#pending.filter(({ topics: waiting }) => waiting.size);
    if (held.size && frame.type === "error") answers.push({ ...frame, topics: [...held] });
    else if (held.size && frame.recovered === false) throw new NotResumed(String(frame.reason));
    return answers;
  }
}
