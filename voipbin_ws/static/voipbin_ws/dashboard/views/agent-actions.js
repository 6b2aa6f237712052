/** What a manager can do with an agent: choose its status, open its call, sign it out. */

import { capitalized, statusName } from "../../shared/call.js";
import { chooseStatus, signOutAgent } from "../../shared/requests.js";
import { gettext } from "../../shared/gettext.js";

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
    const { menu, canAct, whyNot, permitted, board, openTimeline } = this.#parts;
    if (whyNot()) return menu.open(anchor, gettext("Actions"), [], whyNot());
    const { id, name, call } = agent;
    const status = board.agents.get(id)?.status || "offline";
    const isDisabled = !canAct() || this.pendingOf(id, status) !== "";
    const items = [];
    if (permitted().agent.includes("status")) {
      for (const choice of CHOICES) {
        items.push({ label: capitalized(statusName(choice)), act: () => this.#choose(id, name, status, choice), isDisabled: isDisabled || choice === status, isChecked: choice === status });
      }
    }
    if (call) items.push({ label: gettext("Open the call"), act: () => openTimeline(call.id) });
    if (permitted().agent.includes("sign-out")) items.push({ label: gettext("Sign out…"), act: () => this.#askToSignOut(id, name, status), isDangerous: true, isDisabled });
    menu.open(anchor, gettext("Actions on {name}", { name }), items);
  }

  /** @param {string} id @param {string} name @param {string} status @param {string} choice */
  #choose(id, name, status, choice) {
    this.#parts.perform({
      ...{ subject: subjectOf(id), name, before: status },
      label: `${capitalized(statusName(choice))}…`,
      send: () => chooseStatus(id, choice),
      done: ({ next_status: next }) => (next ? gettext("{status} after the present call.", { status: capitalized(statusName(next)) }) : null),
    });
  }

  /** @param {string} id @param {string} name @param {string} status */
  #askToSignOut(id, name, status) {
    const text = gettext("All sessions of this person end at once, also on other devices. The status stays as it is.");
    this.#parts.confirmation.ask({ question: gettext("Sign out {name}?"), name, text, label: gettext("Sign out") }, () => {
      this.#parts.perform({
        ...{ subject: subjectOf(id), name, before: status },
        label: gettext("Signing out…"),
        send: () => signOutAgent(id),
        done: () => gettext("Signed out everywhere."),
      });
    });
  }
}
