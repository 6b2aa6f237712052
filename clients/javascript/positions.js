/** Positions in the logs: where to resume, and which events are repetitions. */

/** Parse a cursor: the event numbers by the epoch of their log; `null` if it is not a cursor. @param {unknown} text */
export function readCursor(text) {
  if (typeof text !== "string") return null;
  /** @type {Map<string, bigint>} */
  const positions = new Map();
  for (const part of text.split(",")) {
    const match = part.match(/^([^.,]+)\.(\d+)$/);
    if (!match) return null;
    positions.set(match[1], BigInt(match[2]));
  }
  return positions;
}

/**
 * The position in each log from which the client resumes, and the events that were delivered beyond it.
 *
 * The cursor of an event names its own log alone; the cursor of an ack or a pong is complete. While topics are resumed in
 * several messages, the replay for a later message starts where the first one started. The positions stay until all messages
 * are acknowledged. Events delivered meanwhile are remembered, and not delivered again after another break.
 */
export class Positions {
  #positions;
  /** @type {Map<string, bigint>} */ #starts = new Map(); // Of the current connection.
  /** @type {Set<string>} */ #delivered = new Set(); // Cursors of events beyond the positions, on this connection.
  /** @type {Set<string>} */ #deliveredBefore = new Set(); // The same, on earlier connections.

  /** @param {string | null} cursor */
  constructor(cursor) {
    this.#positions = readCursor(cursor) ?? new Map();
  }

  get cursor() {
    const positions = [...this.#positions].sort(([one], [other]) => (one < other ? -1 : 1));
    return positions.map(([epoch, number]) => `${epoch}.${number}`).join(",") || null;
  }

  startConnection() {
    this.#starts = new Map(this.#positions);
    const delivered = [...this.#deliveredBefore, ...this.#delivered];
    this.#deliveredBefore = new Set(delivered.filter((cursor) => !this.#isBehindStart(readCursor(cursor))));
    this.#delivered.clear();
  }

  /** @param {Map<string, bigint> | null} positions */
  #isBehindStart(positions) {
    return [...(positions ?? [])].some(([epoch, number]) => number <= (this.#starts.get(epoch) ?? -1n));
  }

  /** Return whether an event was delivered before. @param {Map<string, bigint>} positions */
  isRepetition(positions) {
    return this.#isBehindStart(positions) || [...positions].some(([epoch, number]) => this.#deliveredBefore.has(`${epoch}.${number}`));
  }

  /** @param {Map<string, bigint>} positions @param {boolean} isResuming */
  delivered(positions, isResuming) {
    for (const [epoch, number] of positions) {
      if (isResuming) this.#delivered.add(`${epoch}.${number}`);
      else this.#positions.set(epoch, number);
    }
  }

  /** Take over a complete cursor. @param {Map<string, bigint>} positions */
  complete(positions) {
    this.#positions = new Map(positions);
  }

  /** The gateway could not resume. If a log has gone backwards, its old numbers mean nothing. @param {Map<string, bigint>} positions */
  notRecovered(positions) {
    for (const [epoch, number] of positions) {
      if (number >= (this.#starts.get(epoch) ?? 0n)) continue;
      this.#starts.delete(epoch);
      for (const cursors of [this.#delivered, this.#deliveredBefore]) {
        for (const cursor of cursors) if (cursor.startsWith(`${epoch}.`)) cursors.delete(cursor);
      }
    }
  }
}
