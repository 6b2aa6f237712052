/** The dialog of the own account: another password, and signing out everywhere. */

import { element, field, setTexts } from "./dom.js";
import { gettext } from "./gettext.js";

/**
 * Let the header's button open the dialog.
 * @param {{ changePassword(present: string, wanted: string): Promise<void>, signOutEverywhere(): Promise<void> }} liveData
 */
export function enableAccount(liveData) {
  const dialog = /** @type {HTMLDialogElement} */ (element("account-dialog"));
  const template = /** @type {HTMLTemplateElement} */ (element("account-content"));

  /** @param {string} button @param {() => Promise<void>} act */
  const perform = async (button, act) => {
    field(button).disabled = true;
    setTexts({ "account-error": "" });
    try {
      await act();
      dialog.close();
    } catch (error) {
      if (!dialog.open) return;
      setTexts({ "account-error": error.message });
      field(button).disabled = false;
    }
  };

  const change = async () => {
    const [present, wanted, again] = ["present-password", "new-password", "new-password-again"].map((id) => field(id).value);
    if (wanted !== again) throw new Error(gettext("The two new passwords differ."));
    await liveData.changePassword(present, wanted);
  };

  element("account-button").addEventListener("click", () => {
    // The fields exist while the dialog is open, so that no password is left in the page.
    dialog.replaceChildren(template.content.cloneNode(true));
    element("password-form").addEventListener("submit", (event) => {
      event.preventDefault();
      perform("password-button", change);
    });
    element("everywhere").addEventListener("click", () => perform("everywhere", () => liveData.signOutEverywhere()));
    element("account-close").addEventListener("click", () => dialog.close());
    dialog.showModal();
  });
  dialog.addEventListener("close", () => dialog.replaceChildren());
}
