/** Alerts of the agent desktop: ring tone and chime, the window's title, and toasts. */

import { descendant, element, Part } from "../shared/dom.js";

const RING_EVERY_MS = 2600;
const TOAST_MS = 9000;
const MAX_TOASTS = 3;

/** @typedef {[frequency: number, after: number, seconds: number]} Tone */

/** Generated sounds. Browsers allow sound only after a click or a key press, in which `arm` is called. */
export class Sound {
  /** @type {AudioContext | null} */ #context = null;
  /** @type {ReturnType<typeof setInterval> | undefined} */ #timer;
  isMuted = false;

  get isArmed() {
    return this.#context?.state === "running";
  }

  /** Enable sound, and return whether the browser allows it. */
  async arm() {
    if (typeof AudioContext !== "function") return false;
    this.#context ??= new AudioContext();
    await this.#context.resume().catch(() => {});
    return this.isArmed;
  }

  chime() {
    this.#play([[880, 0, 0.16], [1174.7, 0.14, 0.3]]);
  }

  /** Start or stop the ring tone. @param {boolean} isRinging */
  ring(isRinging) {
    if (isRinging === (this.#timer !== undefined)) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (!isRinging) return;
    const once = () => this.#play([[659.3, 0, 0.35], [784, 0.4, 0.35], [659.3, 0.8, 0.5]]);
    once();
    this.#timer = setInterval(once, RING_EVERY_MS);
  }

  /** @param {Tone[]} tones */
  #play(tones) {
    const context = this.#context;
    if (this.isMuted || !this.isArmed || !context) return;
    const now = context.currentTime;
    for (const [frequency, after, seconds] of tones) {
      const tone = context.createOscillator();
      const volume = context.createGain();
      tone.type = "triangle";
      tone.frequency.value = frequency;
      volume.gain.setValueAtTime(0.0001, now + after);
      volume.gain.exponentialRampToValueAtTime(0.25, now + after + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, now + after + seconds);
      tone.connect(volume).connect(context.destination);
      tone.start(now + after);
      tone.stop(now + after + seconds + 0.05);
    }
  }
}

/** The window's title. It alternates with an alert every second while there is one. */
export class Title {
  #usual;
  #showsAlert = false;
  /** @type {string | null} */ #alert = null;

  /** @param {string} usual */
  constructor(usual) {
    this.#usual = usual;
    setInterval(() => {
      this.#showsAlert = this.#alert !== null && !this.#showsAlert;
      this.#show();
    }, 1000);
  }

  /** @param {string} text */
  set usual(text) {
    this.#usual = text;
    this.#show();
  }

  /** @param {string | null} text `null` for no alert. */
  set alert(text) {
    this.#alert = text;
    if (text === null) this.#showsAlert = false;
    this.#show();
  }

  #show() {
    const text = (this.#showsAlert && this.#alert) || this.#usual;
    if (document.title !== text) document.title = text;
  }
}

/** Short messages that disappear after some seconds; the newest is the last. */
export class Toasts {
  #container;
  /** @type {WeakMap<Element, string>} */ #keys = new WeakMap();

  /** @param {HTMLElement} container */
  constructor(container) {
    this.#container = container;
  }

  /** Show a toast. @param {string} text @param {string} kind @param {string | null} key What the toast is about; see `settle`. */
  show(text, kind = "", key = null) {
    const part = new Part(element("toast"));
    const toast = part.element;
    part.texts({ text });
    if (kind) part.attributes({ "data-kind": kind });
    if (key !== null) this.#keys.set(toast, key);
    descendant(toast, "button").addEventListener("click", () => toast.remove());
    this.#container.append(toast);
    while (this.#container.childElementCount > MAX_TOASTS) this.#container.firstElementChild?.remove();
    setTimeout(() => toast.remove(), TOAST_MS);
  }

  /** Remove the toasts whose subject is settled. @param {(key: string) => boolean} isSettled */
  settle(isSettled) {
    for (const toast of [...this.#container.children]) {
      const key = this.#keys.get(toast);
      if (key !== undefined && isSettled(key)) toast.remove();
    }
  }

  clear() {
    this.#container.replaceChildren();
  }
}
