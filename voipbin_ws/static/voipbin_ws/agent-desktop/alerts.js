/** Calling for attention: a ring and a chime made on the spot, the window's title, short notes in a corner. */

const RING_EVERY_MS = 2600;
const TOAST_MS = 9000;
const MAX_TOASTS = 3;

/** Browsers give sound only after a click or a key: `arm` is called in one. */
export class Sound {
  #context = null;
  #timer = null;
  isMuted = false;

  get isArmed() {
    return this.#context?.state === "running";
  }

  async arm() {
    if (typeof AudioContext !== "function") return false;
    this.#context ??= new AudioContext();
    await this.#context.resume().catch(() => {});
    return this.isArmed;
  }

  chime() {
    this.#tones([[880, 0, 0.16], [1174.7, 0.14, 0.3]]);
  }

  /** Ring until told to stop. */
  ring(isRinging) {
    if (isRinging === (this.#timer !== null)) return;
    clearInterval(this.#timer);
    this.#timer = null;
    if (!isRinging) return;
    const once = () => this.#tones([[659.3, 0, 0.35], [784, 0.4, 0.35], [659.3, 0.8, 0.5]]);
    once();
    this.#timer = setInterval(once, RING_EVERY_MS);
  }

  #tones(tones) {
    if (this.isMuted || !this.isArmed) return;
    const now = this.#context.currentTime;
    for (const [frequency, after, lasting] of tones) {
      const tone = this.#context.createOscillator();
      const volume = this.#context.createGain();
      tone.type = "triangle";
      tone.frequency.value = frequency;
      volume.gain.setValueAtTime(0.0001, now + after);
      volume.gain.exponentialRampToValueAtTime(0.25, now + after + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, now + after + lasting);
      tone.connect(volume).connect(this.#context.destination);
      tone.start(now + after);
      tone.stop(now + after + lasting + 0.05);
    }
  }
}

/** The window's title, which calls out every other second while there is something to call. */
export class Title {
  #usual;
  #isOut = false;
  #call = null;

  constructor(usual) {
    this.#usual = usual;
    setInterval(() => this.#turn(), 1000);
  }

  set usual(text) {
    this.#usual = text;
    this.#show();
  }

  /** What to call out; null for nothing. */
  set call(text) {
    this.#call = text;
    if (text === null) this.#isOut = false;
    this.#show();
  }

  #turn() {
    this.#isOut = this.#call !== null && !this.#isOut;
    this.#show();
  }

  #show() {
    const text = this.#isOut ? this.#call : this.#usual;
    if (document.title !== text) document.title = text;
  }
}

/** Short notes that go by themselves; the newest stands last. */
export class Toasts {
  #container;
  #about = new WeakMap();

  constructor(container) {
    this.#container = container;
  }

  /** `key` names what it is about, so that it goes once that is settled. */
  show(text, kind = "", key = null) {
    const note = document.createElement("p");
    note.className = "toast";
    if (kind) note.dataset.kind = kind;
    if (key !== null) this.#about.set(note, key);
    const words = document.createElement("span");
    words.dir = "auto";
    words.textContent = text;
    const close = document.createElement("button");
    close.type = "button";
    close.className = "quiet";
    close.textContent = "Dismiss";
    close.addEventListener("click", () => note.remove());
    note.append(words, close);
    this.#container.append(note);
    while (this.#container.childElementCount > MAX_TOASTS) this.#container.firstElementChild.remove();
    setTimeout(() => note.remove(), TOAST_MS);
  }

  /** Let go of those about things that `isSettled(key)`. */
  settle(isSettled) {
    for (const note of [...this.#container.children]) if (this.#about.has(note) && isSettled(this.#about.get(note))) note.remove();
  }

  clear() {
    this.#container.replaceChildren();
  }
}
