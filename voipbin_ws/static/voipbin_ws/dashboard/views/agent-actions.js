/** What a manager can do with an agent: choose its status, open its call, sign it out. */

import { capitalized } from "../../shared/call.js";
import { chooseStatus, signOutAgent } from "../../shared/requests.js";

/** @typedef {import("./actions.js").ActionParts} ActionParts */
/** @typedef {import("../agent-groups.js").GroupedAgent} GroupedAgent */

const CHOICES = ["available", "away", "offline"];

/** @param {string} id */
const subjectOf = (id) => `agent ${id}`;

export class AgentActions {
  #parts;

  /** @param {ActionParts} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  /** Return what is being done to an agent; "" for nothing. @param {string} id @param {string} status */
  pendingOf(id, status) {
    return this.#parts.pending.labelOf(subjectOf(id), status);
  }

  /** @param {HTMLElement} anchor @param {GroupedAgent} agent */
  openMenu(anchor, agent) {
    const { menu, canAct, permitted, board, openTimeline } = this.#parts;
    const { id, name, call } = agent;
    const status = board.agents.get(id)?.status || "offline";
    const isDisabled = !canAct() || this.pendingOf(id, status) !== "";
    const items = [];
    if (permitted().agent.includes("status")) {
      for (const choice of CHOICES) {
        items.push({ label: capitalized(choice), act: () => this.#choose(id, name, status, choice), isDisabled: isDisabled || choice === status, isChecked: choice === status });
      }
    }
    if (call) items.push({ label: "Open the call", act: () => openTimeline(call.id) });
    if (permitted().agent.includes("sign-out")) items.push({ label: "Sign out…", act: () => this.#askToSignOut(id, name, status), isDangerous: true, isDisabled });
    menu.open(anchor, `Actions on ${name}`, items);
  }

  /** @param {string} id @param {string} name @param {string} status @param {string} choice */
  #choose(id, name, status, choice) {
    this.#parts.perform({
      ...{ subject: subjectOf(id), name, before: status },
      label: `${capitalized(choice)}…`,
      send: () => chooseStatus(id, choice),
      done: ({ next_status: next }) => (next ? `${capitalized(next)} after the present call.` : null),
    });
  }

  /** @param {string} id @param {string} name @param {string} status */
  #askToSignOut(id, name, status) {
    const text = "All sessions of this person end at once, also on other devices. The status stays as it is.";
    this.#parts.confirmation.ask({ question: "Sign out", name, text, label: "Sign out" }, () => {
      this.#parts.perform({
        ...{ subject: subjectOf(id), name, before: status },
        label: "Signing out…",
        send: () => signOutAgent(id),
        done: () => "Signed out everywhere.",
      });
    });
  }
}
