/** Server-sent events (GET /v1.0/sse) with the interface of a WebSocket. */

import { readAnswer } from "./answer.js";
import { COMMENT, NotResumed, StreamMessages, StreamParser } from "./stream-messages.js";

/** @typedef {import("./answer.js").Answer} Answer */

const EVENT = '{"event_type"'; // How the gateway's frames of events begin: they need no translation.

/** Return the address of the event stream beside a WebSocket; `null` if its path does not end with /ws. @param {URL} url */
export function streamAddress(url) {
  const address = new URL(url);
  if (!address.pathname.endsWith("/ws")) return null;
  address.protocol = address.protocol.replace(/^ws/, "http");
  address.pathname = address.pathname.replace(/ws$/, "sse");
  return address;
}

/**
 * An event stream. It opens with the first subscription, and again with each later one, and continues after the last message.
 * `onaccepted` is called each time the gateway has accepted the credential. The `answer` of a close is the gateway's refusal of
 * the stream, `null` if nothing answered, and `undefined` if a stream had opened.
 */
export class EventStream {
  readyState = 1; // Of a WebSocket: open.
  /** @type {() => void} */ onaccepted = () => {};
  /** @type {(message: { data: string }) => void} */ onmessage = () => {};
  /** @type {(close: { code: number, reason: string, answer?: Answer | null }) => void} */ onclose = () => {};
  #messages = new StreamMessages();
  #reading = new AbortController();
  #url;
  #fetch;
  #within;

  /**
   * @param {URL} url The address with the credential.
   * @param {typeof globalThis.fetch} fetch
   * @param {(action: () => Promise<Response>) => Promise<Response>} within Throws if there is no answer in time.
   */
  constructor(url, fetch, within) {
    this.#url = url;
    this.#fetch = fetch;
    this.#within = within;
  }

  /** Take a message; the stream opens again with it. @param {string} text */
  send(text) {
    for (const frame of this.#messages.send(JSON.parse(text))) this.#deliverSoon(frame);
    this.#reading.abort();
    this.#reading = new AbortController();
    this.#read(this.#reading.signal);
  }

  close() {
    this.readyState = 3;
    this.#reading.abort();
  }

  /** @param {any} frame */
  #deliverSoon(frame) {
    queueMicrotask(() => this.readyState === 1 && this.onmessage({ data: JSON.stringify(frame) }));
  }

  /** @param {{ code?: number, reason?: string, answer?: Answer | null }} close */
  #end({ code = 1006, reason = "", ...rest }) {
    if (this.readyState !== 1) return;
    this.close();
    this.onclose({ code, reason, ...rest });
  }

  /** Read one stream to its end. @param {AbortSignal} signal */
  async #read(signal) {
    await Promise.resolve(); // Messages that are sent together open one stream.
    const query = this.#messages.query;
    if (signal.aborted || query === null) return;
    const address = new URL(this.#url);
    for (const [name, value] of query) address.searchParams.append(name, value);
    try {
      const how = /** @type {RequestInit} */ ({ cache: "no-store", redirect: "manual", signal, headers: { Accept: "text/event-stream" } });
      const response = await this.#within(() => this.#fetch(address.href, how));
      if (signal.aborted) return;
      if (response.status !== 200 || !response.body) return this.#refused(await readAnswer(response));
      this.onaccepted();
      await this.#readBody(response.body, signal);
      if (!signal.aborted) this.#end({});
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof NotResumed) this.#end({ reason: error.message });
      else this.#end(this.#isOpen ? {} : { answer: null });
    }
  }

  #isOpen = false;

  /** @param {ReadableStream<Uint8Array>} body @param {AbortSignal} signal */
  async #readBody(body, signal) {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    const parser = new StreamParser();
    this.#isOpen = true;
    while (true) {
      const { done, value } = await reader.read();
      if (done || signal.aborted) return;
      for (const { data, id } of parser.feed(decoder.decode(value, { stream: true }))) {
        this.#messages.position = id ?? this.#messages.position;
        this.#take(data);
        if (signal.aborted) return; // A handler changed the topics: what follows is sent again.
      }
    }
  }

  /** @param {string} data */
  #take(data) {
    if (data === COMMENT || data.startsWith(EVENT)) return this.onmessage({ data });
    for (const frame of this.#messages.receive(JSON.parse(data))) this.onmessage({ data: JSON.stringify(frame) });
  }

  /** @param {Answer} answer */
  #refused(answer) {
    if (!answer.refusals?.length) return this.#end({ answer });
    this.onaccepted();
    for (const refusal of answer.refusals) {
      for (const frame of this.#messages.receive(refusal)) this.onmessage({ data: JSON.stringify(frame) });
    }
  }
}
