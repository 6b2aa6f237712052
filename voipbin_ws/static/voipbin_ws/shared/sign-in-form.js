/** The sign-in form, the content that it hides, and the names of the customer and the agent in the header. */

import { element, field, setShown, setTexts } from "./dom.js";
import { signIn, token } from "./auth.js";

export class SignInForm {
  #content;
  #begin;

  /** @param {HTMLElement} content Shown while a token is there. @param {() => void} begin Called each time after the sign-in. */
  constructor(content, begin) {
    this.#content = content;
    this.#begin = begin;
    element("login-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  /** Show the content if this tab has a token, otherwise the form. */
  start() {
    if (token()) this.#open();
    else this.ask();
  }

  /** Show the form. @param {string} notice */
  ask(notice = "") {
    this.#content.hidden = true;
    setTexts({ "login-notice": notice });
    setShown({ "login-view": true, "login-notice": notice !== "" });
    field("password").value = "";
    element(field("username").value ? "password" : "username").focus();
  }

  #open() {
    this.#content.hidden = false;
    setShown({ "login-view": false, connection: true });
    this.#begin();
  }

  async #submit() {
    const button = field("login-button");
    button.disabled = true;
    setTexts({ "login-error": "" });
    try {
      await signIn(field("username").value, field("password").value);
      field("password").value = "";
      this.#open();
    } catch (error) {
      setTexts({ "login-error": error instanceof TypeError ? "The gateway does not answer. Is it running?" : error.message });
      field("password").select();
    } finally {
      button.disabled = false;
    }
  }
}

/** Show in the header who is signed in. @param {Me} me */
export function showWho(me) {
  setTexts({ customer: me.customer.name ?? "", person: me.agent?.name ?? "", role: me.role ?? "" });
}
