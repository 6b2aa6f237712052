/** The dialog of wallboard links: those in use, renewing and revoking one, and making a new one. */

import { request } from "../../shared/auth.js";
import { descendant, element, field, PartList, setShown, setTexts } from "../../shared/dom.js";
import { gettext } from "../../shared/gettext.js";
import { displayText } from "../../shared/text.js";
import { parseTime, shownDate } from "../../shared/time.js";

/** @typedef {{ id: string, label: string, queue_ids: string[], expires_at: string | null, status: string, replaces: string | null }} DisplayKey */
/** @typedef {DisplayKey & { link: string, qr_code: string }} NewKey */

const PATH = "/v1.0/control/access-keys";
const DAY_MS = 24 * 3_600_000;
const MAKERS = ["admin", "staff"]; // The roles that may use the control API.

export class WallboardLinks {
  #dialog = /** @type {HTMLDialogElement} */ (element("links-dialog"));
  #rows = new PartList(element("link-rows"), element("link-row"));
  #board;
  #confirmation;
  /** @type {Me | null} */ #me = null;

  /** @param {Board} board @param {import("./confirmation.js").Confirmation} confirmation */
  constructor(board, confirmation) {
    this.#board = board;
    this.#confirmation = confirmation;
    element("links-close").addEventListener("click", () => this.#dialog.close());
    // A link is shown once, and stays in no page.
    this.#dialog.addEventListener("close", () => this.#forget());
    element("copy-link").addEventListener("click", () => this.#copy());
    element("link-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#perform("POST", "", this.#entered);
    });
  }

  /** Set the person who is signed in; `null` for none. @param {Me | null} me */
  load(me) {
    this.#me = me;
    if (!this.isPermitted) this.#dialog.close();
  }

  get isPermitted() {
    return this.#me !== null && MAKERS.includes(this.#me.role ?? "");
  }

  open() {
    field("link-name").value = "";
    const queues = [...this.#board.queues.keys()].map((id) => ({ id, name: this.#board.queueName(id) }));
    queues.sort((one, other) => one.name.localeCompare(other.name));
    element("link-queues").replaceChildren(...queues.map(({ id, name }) => checkbox(id, name)));
    this.#forget();
    this.#dialog.showModal();
    this.#list();
  }

  get #entered() {
    const days = field("link-expiry").value;
    const chosen = /** @type {NodeListOf<HTMLInputElement>} */ (element("link-queues").querySelectorAll("input:checked"));
    return {
      ...{ kind: "display", customer_id: this.#me?.customer.id, label: field("link-name").value.trim(), queue_ids: [...chosen].map(({ value }) => value) },
      expires_at: days ? new Date(Date.now() + Number(days) * DAY_MS).toISOString() : null,
    };
  }

  #forget() {
    field("new-link-address").value = "";
    element("new-link-code").replaceChildren();
    setTexts({ "link-error": "", "new-link-note": "", "new-link-name": "" });
    setShown({ "new-link": false });
  }

  async #list() {
    try {
      const query = new URLSearchParams({ kind: "display", customer_id: this.#me?.customer.id ?? "", limit: "1000" });
      const { content } = await request("GET", `${PATH}?${query}`);
      this.#show(content.items);
    } catch (error) {
      setTexts({ "link-error": error.message });
    }
  }

  /** @param {DisplayKey[]} keys */
  #show(keys) {
    const inUse = keys.filter(({ status }) => status !== "revoked").sort((one, other) => one.label.localeCompare(other.label));
    const replaced = new Set(keys.map(({ replaces }) => replaces));
    this.#rows.arrange(inUse.map(({ id }) => id));
    for (const key of inUse) {
      const { element: row } = this.#rows.part(key.id);
      const name = displayText(key.label);
      this.#rows.part(key.id).texts({ name, queues: this.#queuesOf(key), ends: endText(key, replaced.has(key.id)) });
      this.#button(row, ".renew", gettext("Renew"), gettext("Renew {name}", { name }), () => this.#perform("POST", `/${key.id}/rotate`));
      descendant(row, ".renew").hidden = replaced.has(key.id);
      const question = { question: gettext("Revoke the link {name}?"), name, text: gettext("Its screen shows no figures any more. This cannot be undone."), label: gettext("Revoke") };
      this.#button(row, ".revoke", gettext("Revoke"), gettext("Revoke {name}", { name }), () => this.#confirmation.ask(question, () => this.#perform("DELETE", `/${key.id}`)));
    }
    setShown({ "no-links": inUse.length === 0 });
  }

  /** @param {Element} row @param {string} selector @param {string} text @param {string} label @param {() => void} act */
  #button(row, selector, text, label, act) {
    const button = descendant(row, selector);
    button.textContent = text;
    button.setAttribute("aria-label", label);
    button.onclick = act;
  }

  /** @param {DisplayKey} key */
  #queuesOf({ queue_ids: ids }) {
    return ids.length ? ids.map((id) => this.#board.queueName(id)).join(", ") : gettext("all queues");
  }

  /** @param {string} method @param {string} path @param {object} [body] */
  async #perform(method, path, body = {}) {
    field("link-make").disabled = true;
    this.#forget();
    try {
      const { content } = await request(method, PATH + path, body);
      if (content && this.#dialog.open) this.#showNew(content);
      if (!path) field("link-name").value = "";
    } catch (error) {
      setTexts({ "link-error": problemOf(error) });
    } finally {
      field("link-make").disabled = false;
    }
    await this.#list();
  }

  /** @param {NewKey} key */
  #showNew({ label, link, qr_code: code, replaces }) {
    field("new-link-address").value = link;
    element("new-link-code").replaceChildren(new DOMParser().parseFromString(code, "image/svg+xml").documentElement);
    setTexts({ "new-link-name": displayText(label) });
    if (replaces) setTexts({ "new-link-note": gettext("The old link works for another day.") });
    setShown({ "new-link": true });
    field("new-link-address").select();
    element("new-link").scrollIntoView({ block: "nearest" });
  }

  async #copy() {
    field("new-link-address").select();
    try {
      await navigator.clipboard.writeText(field("new-link-address").value);
      setTexts({ "new-link-note": gettext("Copied.") });
    } catch {
      setTexts({ "new-link-note": gettext("Press Ctrl+C to copy it.") });
    }
  }
}

/** @param {string} id @param {string} name */
function checkbox(id, name) {
  const label = document.createElement("label");
  const box = Object.assign(document.createElement("input"), { type: "checkbox", value: id });
  const text = document.createElement("bdi");
  text.textContent = name;
  label.append(box, " ", text);
  label.className = "check";
  return label;
}

/** Return when a link ends. @param {DisplayKey} key @param {boolean} isReplaced */
function endText({ expires_at: expiry, status }, isReplaced) {
  const at = parseTime(expiry);
  if (at === null) return gettext("never ends");
  const day = shownDate(at);
  if (status === "expired") return gettext("ended on {day}", { day });
  return isReplaced ? gettext("replaced, ends on {day}", { day }) : gettext("ends on {day}", { day });
}

/** @param {import("../../shared/auth.js").ApiError} error */
function problemOf(error) {
  return error.message.startsWith("label:") ? gettext("Enter a name.") : error.message;
}
