/** The actions that were requested, until the event of each arrives. Sans-I/O. */

export const EVENT_WITHIN_MS = 10_000;

/** @typedef {{ label: string, before: string, isAccepted: boolean, until: number }} Pending */

export class PendingActions {
  /** @type {Map<string, Pending>} */ #pending = new Map(); // By subject.

  /**
   * Note a request, and return whether it may be sent: not while another one for the subject in this state is pending.
   * @param {string} subject Such as "call 4711". @param {string} label What is being done. @param {string} before The state of the subject.
   */
  begin(subject, label, before) {
    if (this.#pending.get(subject)?.before === before) return false;
    this.#pending.set(subject, { label, before, isAccepted: false, until: Infinity });
    return true;
  }

  /** Note that the request was accepted: its event must come within ten seconds. @param {string} subject @param {number} now */
  accept(subject, now) {
    const pending = this.#pending.get(subject);
    if (pending) Object.assign(pending, { isAccepted: true, until: now + EVENT_WITHIN_MS });
  }

  /** Note that the request was refused, or that its result has come. @param {string} subject */
  end(subject) {
    this.#pending.delete(subject);
  }

  clear() {
    this.#pending.clear();
  }

  /** Return what is being done to a subject in this state; "" for nothing. @param {string} subject @param {string} state */
  labelOf(subject, state) {
    const pending = this.#pending.get(subject);
    return pending?.before === state ? pending.label : "";
  }

  /** Forget the actions whose events have come. @param {(subject: string) => string} stateOf Returns the present state of a subject. */
  settle(stateOf) {
    for (const [subject, { before }] of this.#pending) if (stateOf(subject) !== before) this.#pending.delete(subject);
  }

  /** Forget the accepted actions whose event has not come in time, and return their subjects. @param {number} now */
  takeOverdue(now) {
    const overdue = [...this.#pending].filter(([, { until }]) => until < now).map(([subject]) => subject);
    for (const subject of overdue) this.#pending.delete(subject);
    return overdue;
  }
}

/** Return a text that differs when an action on a call has had an effect. @param {Call} call */
export function stateOfCall({ state, agentId, place }) {
  return [state, agentId ?? "", place?.queueId ?? ""].join(" ");
}
