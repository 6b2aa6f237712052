/** What can be done with a call: from its row's menu, from the timeline and by keyboard. */

import { stateOfCall } from "../pending-actions.js";
import { callerName, statusName } from "../../shared/call.js";
import { element, field, setShown, setTexts, setTextWithName } from "../../shared/dom.js";
import { gettext } from "../../shared/gettext.js";
import { actOnCall } from "../../shared/requests.js";

/** @typedef {"transfer" | "voicemail" | "hangup"} ActionName */
/** @typedef {import("./actions.js").ActionParts} ActionParts */

const ACTIONS = {
  transfer: { label: gettext("Transfer…"), doing: gettext("Transferring…") },
  voicemail: { label: gettext("Voicemail…"), doing: gettext("Sending to voicemail…") },
  hangup: { label: gettext("Hang up…"), doing: gettext("Hanging up…") },
};
const NAMES = /** @type {ActionName[]} */ (Object.keys(ACTIONS));
const NUMBER = "number";

/** @param {Call} call */
const subjectOf = ({ id }) => `call ${id}`;

export class CallActions {
  #parts;
  #dialog = /** @type {HTMLDialogElement} */ (element("transfer-dialog"));
  #targets = /** @type {HTMLSelectElement} */ (element("transfer-target"));
  /** @type {Call | null} */ #asked = null; // The call of the open dialog.

  /** @param {ActionParts} parts */
  constructor(parts) {
    this.#parts = parts;
    for (const name of NAMES) element(`story-${name}`).addEventListener("click", () => this.ask(name, parts.openCall()));
    this.#targets.addEventListener("change", () => this.#showTarget());
    element("transfer-cancel").addEventListener("click", () => this.#dialog.close());
    element("transfer-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#transfer();
    });
  }

  /** Return the actions that the account has on a call. @param {Call | null | undefined} call @returns {ActionName[]} */
  #namesFor(call) {
    const { permitted } = this.#parts;
    if (!call || call.state === "ended") return [];
    return NAMES.filter((name) => permitted().call.includes(name) && (name === "hangup" || call.state !== "dialing"));
  }

  /** Return what is being done to a call; "" for nothing. @param {Call} call */
  pendingOf(call) {
    return this.#parts.pending.labelOf(subjectOf(call), stateOfCall(call));
  }

  /** Open the menu of a call. @param {HTMLElement} anchor @param {string} id */
  openMenu(anchor, id) {
    const { board, menu, canAct, whyNot } = this.#parts;
    if (whyNot()) return menu.open(anchor, gettext("Actions"), [], whyNot());
    const call = board.calls.get(id);
    const names = this.#namesFor(call);
    if (!call || !names.length) return;
    const isDisabled = !canAct() || this.pendingOf(call) !== "";
    const items = names.map((name) => ({ label: ACTIONS[name].label, act: () => this.ask(name, call), isDangerous: name === "hangup", isDisabled }));
    menu.open(anchor, gettext("Actions on {name}", { name: callerName(call.otherParty) }), items);
  }

  /** Ask for what an action needs, and then do it. @param {ActionName} name @param {Call | null | undefined} call */
  ask(name, call) {
    const { canAct, confirmation } = this.#parts;
    if (!call || !canAct() || !this.#namesFor(call).includes(name) || this.pendingOf(call)) return;
    this.#asked = call;
    const who = callerName(call.otherParty);
    if (name === "transfer") this.#askForTarget(call);
    else if (name === "hangup") {
      confirmation.ask({ question: gettext("Hang up on {name}?"), name: who, text: gettext("The call ends for everyone on it."), label: gettext("Hang up") }, () => this.#act(name, call));
    } else {
      confirmation.ask({ question: gettext("Send {name} to voicemail?"), name: who, text: gettext("The caller cannot be taken back from there."), label: gettext("Send to voicemail") }, () => this.#act(name, call));
    }
  }

  /** Show the actions on the call of the timeline. @param {Call | null} call */
  showForTimeline(call) {
    const names = this.#namesFor(call);
    const label = call && this.pendingOf(call);
    const hadFocus = element("story-acts").contains(document.activeElement);
    setShown({ "story-acts": names.length > 0 });
    for (const name of NAMES) {
      setShown({ [`story-${name}`]: names.includes(name) });
      field(`story-${name}`).disabled = !this.#parts.canAct() || Boolean(label);
    }
    setTexts({ "story-pending": label || this.#parts.whyNot() });
    // A button that is hidden or disabled loses the focus.
    if (hadFocus && (names.length === 0 || label)) element("story").focus({ preventScroll: true });
  }

  /** Close the dialogs of a call that is over. */
  tick() {
    const isOver = this.#asked && (this.#parts.board.calls.get(this.#asked.id)?.state ?? "ended") === "ended";
    if (!this.#asked || !isOver) return;
    const isOpen = document.querySelector("#confirm-dialog[open], #transfer-dialog[open]") !== null;
    if (isOpen) this.#parts.notice.show(callerName(this.#asked.otherParty), gettext("The call has ended."));
    this.close();
  }

  close() {
    if (this.#asked) this.#parts.confirmation.close();
    this.#dialog.close();
    this.#asked = null;
  }

  /** @param {Call} call */
  #askForTarget(call) {
    const { board } = this.#parts;
    setTextWithName("transfer-title", gettext("Transfer {name}"), callerName(call.otherParty));
    setTexts({ "transfer-error": "" });
    const queues = [...board.queues].filter(([id]) => id !== call.place?.queueId).map(([id]) => [board.queueName(id), `queue ${id}`]);
    const agents = [...board.agents.values()].filter(({ id }) => id !== call.agentId);
    agents.sort((one, other) => Number(other.status === "available") - Number(one.status === "available") || one.name.localeCompare(other.name));
    const people = agents.map(({ id, name, status }) => [`${name} (${statusName(status || "offline")})`, `agent ${id}`]);
    const groups = Object.entries({ [gettext("Queues")]: queues.sort(), [gettext("Agents")]: people }).map(([label, options]) => {
      const group = document.createElement("optgroup");
      group.label = label;
      group.append(...options.map(([text, value]) => new Option(text, value)));
      return group;
    });
    this.#targets.replaceChildren(...groups.filter((group) => group.children.length), new Option(gettext("A phone number…"), NUMBER));
    field("transfer-number").value = "";
    this.#showTarget();
    this.#dialog.showModal();
    this.#targets.focus();
  }

  #showTarget() {
    const isNumber = this.#targets.value === NUMBER;
    setShown({ "transfer-number-field": isNumber });
    field("transfer-number").required = isNumber;
  }

  #transfer() {
    const call = this.#asked;
    const [type, id] = this.#targets.value.split(" ", 2);
    // As people write it; the gateway takes digits.
    const number = field("transfer-number").value.replace(/[\s().\-/]+/g, "");
    if (type === NUMBER && !/^\+?\d{2,20}$/.test(number)) {
      setTexts({ "transfer-error": gettext("Enter a phone number such as +1 555 123 4567.") });
      field("transfer-number").focus();
      return;
    }
    this.#dialog.close();
    if (call) this.#act("transfer", call, { to: type === NUMBER ? { type: "tel", id: number } : { type, id } });
  }

  /** @param {ActionName} name @param {Call} call @param {object} body */
  #act(name, call, body = {}) {
    const { board, perform, customerId } = this.#parts;
    const present = board.calls.get(call.id) ?? call;
    perform({
      subject: subjectOf(call),
      name: callerName(call.otherParty),
      label: ACTIONS[name].doing,
      before: stateOfCall(present),
      send: () => actOnCall(call.id, name, body, customerId()),
    });
  }
}
