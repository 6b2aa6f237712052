/** The disposition and note of a call: of the present one, or of the last one that the agent handled. */

import { Drafts } from "./drafts.js";
import { element, field, setShown, setTexts } from "../shared/dom.js";
import { gettext } from "../shared/gettext.js";
import { noteCall } from "../shared/requests.js";
import { charactersLeft, lengthText } from "./text-length.js";

/** @typedef {{ disposition: string, note: string }} Noted */

const MAX_NOTE = 2000;

export class NotePanel {
  #parts;
  #drafts = new Drafts("notes");
  /** @type {Disposition[]} */ #dispositions = [];
  /** @type {string | null} */ #chosen = null; // The id of a call whose note the agent opened.
  /** @type {string | null} */ #shown = null; // The id of the call in the form.
  #stored = ""; // What is stored of it, as JSON.
  #isSaving = false;
  /** @type {string[]} */ #wasTalking = [];

  /** @param {{ desk: Desk, liveData: LiveData, changed: () => void }} parts */
  constructor(parts) {
    this.#parts = parts;
    element("note-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
    element("note-form").addEventListener("input", () => {
      this.#keep();
      parts.changed();
    });
  }

  /** Start again. @param {Me} me */
  load(me) {
    this.#dispositions = me.desk?.dispositions ?? [];
    this.#drafts.open(me.agent?.id ?? "");
    this.#shown = null;
    const choices = this.#dispositions.map(({ code, label }) => {
      const choice = document.createElement("label");
      choice.className = "disposition";
      const input = Object.assign(document.createElement("input"), { type: "radio", name: "disposition", value: code });
      const text = document.createElement("bdi");
      text.textContent = label;
      choice.append(input, text);
      return choice;
    });
    element("disposition-rows").replaceChildren(...choices);
    setShown({ dispositions: choices.length > 0 });
  }

  clear() {
    this.#shown = this.#chosen = null;
    field("note").value = "";
    element("disposition-rows").replaceChildren();
    setTexts({ "note-name": "", "note-status": "", "note-error": "" });
  }

  dropDrafts() {
    this.#drafts.drop();
  }

  /** Return the label of a disposition. @param {string} code */
  labelOf(code) {
    return this.#dispositions.find((each) => each.code === code)?.label ?? code;
  }

  /** Open the note of a call, and focus it. @param {string} id */
  open(id) {
    this.#chosen = id;
    this.show();
    field("note").focus();
  }

  show() {
    const call = this.#call();
    setShown({ "note-panel": call !== null });
    if (!call) {
      this.#shown = null;
      return;
    }
    const stored = JSON.stringify({ disposition: call.disposition, note: call.note });
    if (this.#shown !== call.id) this.#fill(call, stored);
    else if (this.#stored !== stored && !this.#isChanged()) this.#fill(call, stored, { keepsStatus: true });
    else if (this.#stored !== stored && call.note.trim() !== field("note").value.trim()) {
      setTexts({ "note-status": gettext("Changed elsewhere meanwhile. Your text replaces it: {note}", { note: call.note || gettext("(no text)") }) });
    }
    this.#stored = stored;
    setTexts({ "note-name": call.displayName, "note-word": call.phase === "over" ? gettext("Note on the last call") : gettext("Note") });
    if (call.phase === "over" && call.id === this.#chosen) setTexts({ "note-word": gettext("Note on a past call") });
    field("note-save").disabled = this.#isSaving || !this.#parts.liveData.isLive || !this.#isChanged() || this.#isTooLong();
    setTexts({ "note-length": lengthText(field("note").value.trim(), MAX_NOTE) });
    setTexts({ "note-save": this.#isSaving ? gettext("Saving…") : gettext("Save note") });
  }

  /** Store what has changed, and return whether nothing is left to store. */
  async save() {
    const id = this.#shown;
    if (id === null || this.#isSaving || !this.#isChanged()) return true;
    if (this.#isTooLong()) {
      field("note").focus();
      return false;
    }
    const { disposition, note } = this.#entered();
    this.#isSaving = true;
    setTexts({ "note-status": "", "note-error": "" });
    this.#parts.changed();
    try {
      await noteCall(id, this.#changes());
      this.#drafts.keep(id, "");
      if (this.#shown === id) {
        this.#stored = JSON.stringify({ disposition: disposition || JSON.parse(this.#stored).disposition, note: note.trim() });
        setTexts({ "note-status": gettext("Saved") });
      }
      return true;
    } catch (error) {
      if (error.isUnauthorized) this.#parts.liveData.endSession(error.message);
      else if (this.#shown === id) setTexts({ "note-error": error.message });
      return false;
    } finally {
      this.#isSaving = false;
      this.#parts.changed();
    }
  }

  /** Return the call to note: the one that the agent talks on, one that was opened, or the last one that was handled. */
  #call() {
    const { calls, recent } = this.#parts.desk;
    const talking = [...calls.values()].filter(({ phase }) => phase === "talking");
    const ids = talking.map(({ id }) => id);
    // A new call closes the note of an earlier one, whose draft is kept.
    if (ids.some((id) => !this.#wasTalking.includes(id))) this.#chosen = null;
    this.#wasTalking = ids;
    const chosen = this.#chosen === null ? undefined : (calls.get(this.#chosen) ?? recent.find(({ id }) => id === this.#chosen));
    return chosen ?? talking.find(({ id }) => id === this.#shown) ?? talking[0] ?? recent.find(({ isHandled }) => isHandled) ?? null;
  }

  /** @param {DeskCall} call @param {string} stored */
  #fill(call, stored, { keepsStatus = false } = {}) {
    this.#shown = call.id;
    this.#stored = stored;
    /** @type {Noted} */
    let { disposition, note } = call;
    try {
      ({ disposition = disposition, note = note } = JSON.parse(this.#drafts.of(call.id) || "{}"));
    } catch {
      // Another script wrote something else there.
    }
    field("note").value = String(note);
    for (const input of this.#inputs()) input.checked = input.value === disposition;
    if (!keepsStatus) setTexts({ "note-status": "", "note-error": "" });
  }

  #inputs() {
    return /** @type {NodeListOf<HTMLInputElement>} */ (element("disposition-rows").querySelectorAll("input"));
  }

  /** @returns {Noted} */
  #entered() {
    return { disposition: [...this.#inputs()].find(({ checked }) => checked)?.value ?? "", note: field("note").value };
  }

  /** Return what differs from what is stored. */
  #changes() {
    const { disposition, note } = this.#entered();
    const known = JSON.parse(this.#stored || "{}");
    // A disposition that the customer no longer has cannot be shown, and stays.
    return { ...(note.trim() !== (known.note ?? "").trim() && { note }), ...(disposition !== "" && disposition !== known.disposition && { disposition }) };
  }

  #isChanged() {
    return Object.keys(this.#changes()).length > 0;
  }

  #isTooLong() {
    return charactersLeft(field("note").value.trim(), MAX_NOTE) < 0;
  }

  #keep() {
    if (this.#shown !== null) this.#drafts.keep(this.#shown, this.#isChanged() ? JSON.stringify(this.#entered()) : "");
    setTexts({ "note-status": "" });
  }
}
