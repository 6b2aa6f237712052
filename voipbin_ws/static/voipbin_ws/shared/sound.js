/**
 * The ring tone and the chime. Browsers allow sound only after a click or a key press, in which `arm` is called.
 *
 * The ring tone repeats in the audio system, so that a hidden tab with delayed timers rings on.
 */

const ARM_WITHIN_MS = 1000;
const VOLUME = 0.25;
const ATTACK_SECONDS = 0.02;

/** @typedef {[frequency: number, after: number, seconds: number]} Tone */
/** @type {Tone[]} */
const CHIME = [[880, 0, 0.16], [1174.7, 0.14, 0.3]];
/** @type {Tone[]} */
const RING = [[659.3, 0, 0.35], [784, 0.4, 0.35], [659.3, 0.8, 0.5]];
const RING_SECONDS = 2.6;

export class Sound {
  /** @type {AudioContext | null} */ #context = null;
  /** @type {AudioBufferSourceNode | null} */ #ring = null; // The ring tone that is being played.
  #isRinging = false;
  #isMuted = false;
  #changed;

  /** @param {() => void} changed Called when sound has become possible, or impossible. */
  constructor(changed) {
    this.#changed = changed;
  }

  get isArmed() {
    return this.#context?.state === "running";
  }

  get isMuted() {
    return this.#isMuted;
  }

  set isMuted(isMuted) {
    this.#isMuted = isMuted;
    this.#update();
  }

  /** Enable sound, and return within a second whether the browser allows it. Without a sound device, some browsers never answer. */
  async arm() {
    if (typeof AudioContext !== "function") return false;
    if (!this.#context) {
      this.#context = new AudioContext();
      this.#context.addEventListener("statechange", () => {
        this.#update();
        this.#changed();
      });
    }
    const isOver = new Promise((resolve) => setTimeout(resolve, ARM_WITHIN_MS));
    await Promise.race([this.#context.resume().catch(() => {}), isOver]);
    return this.isArmed;
  }

  chime() {
    if (!this.#isMuted) this.#play(CHIME, 0.5);
  }

  /** Start or stop the ring tone. @param {boolean} isRinging */
  ring(isRinging) {
    this.#isRinging = isRinging;
    this.#update();
  }

  #update() {
    const isWanted = this.#isRinging && !this.#isMuted && this.isArmed;
    if (isWanted && !this.#ring) this.#ring = this.#play(RING, RING_SECONDS, { isRepeated: true });
    if (isWanted || !this.#ring) return;
    this.#ring.stop();
    this.#ring = null;
  }

  /** @param {Tone[]} tones @param {number} seconds */
  #play(tones, seconds, { isRepeated = false } = {}) {
    const context = this.#context;
    if (!context || !this.isArmed) return null;
    const source = context.createBufferSource();
    source.buffer = context.createBuffer(1, seconds * context.sampleRate, context.sampleRate);
    const samples = source.buffer.getChannelData(0);
    for (const tone of tones) addTone(samples, tone, context.sampleRate);
    source.loop = isRepeated;
    source.connect(context.destination);
    source.start();
    return source;
  }
}

/** Add a triangle wave that rises quickly and fades out. @param {Float32Array} samples @param {Tone} tone @param {number} rate Samples per second. */
function addTone(samples, [frequency, after, seconds], rate) {
  const first = Math.round(after * rate);
  const count = Math.min(Math.round(seconds * rate), samples.length - first);
  for (let index = 0; index < count; index += 1) {
    const second = index / rate;
    const wave = 4 * Math.abs(((second * frequency + 0.75) % 1) - 0.5) - 1;
    const volume = VOLUME * Math.min(second / ATTACK_SECONDS, 0.001 ** (second / seconds));
    samples[first + index] += wave * volume;
  }
}
