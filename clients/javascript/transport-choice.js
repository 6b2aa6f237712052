/** Which transport the next connection uses. Sans-I/O; the same rules as `transports/choice.py` of the Python client. */

export const Transport = Object.freeze({ AUTO: "auto", WEBSOCKET: "websocket", SSE: "sse" });

const SILENT_TIMES = 3; // Consecutive WebSockets that opened and ended without a frame: an intermediary swallows the frames.
const BLOCKED_TIMES = 2; // Consecutive upgrades that did not arrive although a GET does. One may be a gateway that is starting.
const STREAM_FAILURES = 3; // Consecutive event streams without a frame: the network may be another one.
export const SOCKET_RETRY_MS = 600_000; // How often a client on an event stream tries a WebSocket beside it.

/** The transport of the next connection, in `current`. Only with `auto` it changes. */
export class TransportChoice {
  isAutomatic;
  /** @type {string} */ current;
  #silent = 0;
  #blocked = 0;
  #failed = 0;

  /** @param {string} wanted */
  constructor(wanted) {
    if (!Object.values(Transport).some((each) => each === wanted)) throw new TypeError(`transport is auto, websocket or sse, not ${wanted}`);
    this.isAutomatic = wanted === Transport.AUTO;
    this.current = this.isAutomatic ? Transport.WEBSOCKET : wanted;
  }

  /** Whether to find out if a WebSocket works before another event stream is opened. */
  get triesSocketFirst() {
    return this.isAutomatic && this.#failed >= STREAM_FAILURES;
  }

  /** A frame arrived. */
  worked() {
    this.#silent = this.#blocked = this.#failed = 0;
  }

  /**
   * An attempt ended without a frame. `wasOpen`: the transport opened; `isBlocked`: the gateway answers over HTTP, but the
   * upgrade does not arrive.
   */
  failed({ wasOpen = false, isBlocked = false }) {
    if (this.current === Transport.SSE) {
      this.#failed += 1;
      return;
    }
    this.#silent += Number(wasOpen);
    this.#blocked += Number(isBlocked);
    if (this.isAutomatic && (this.#silent >= SILENT_TIMES || this.#blocked >= BLOCKED_TIMES)) this.#change(Transport.SSE);
  }

  /** A WebSocket was opened to find out if a frame arrives. @param {boolean} works */
  socketTried(works) {
    this.#failed = 0;
    if (works) this.#change(Transport.WEBSOCKET);
  }

  /** The gateway has no event streams. Return whether WebSockets remain. */
  hasNoStream() {
    if (!this.isAutomatic || this.current !== Transport.SSE) return false;
    this.#change(Transport.WEBSOCKET);
    this.isAutomatic = false;
    return true;
  }

  /** @param {string} transport */
  #change(transport) {
    this.current = transport;
    this.worked();
  }
}
