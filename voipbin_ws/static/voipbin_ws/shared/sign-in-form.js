/** The sign-in form, the content that it hides, and the names of the customer and the agent in the header. */

import { element, field, setText } from "./dom.js";
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
    element("login-view").hidden = false;
    this.#content.hidden = true;
    setText(element("login-notice"), notice);
    element("login-notice").hidden = notice === "";
    field("password").value = "";
    element(field("username").value ? "password" : "username").focus();
  }

  #open() {
    element("login-view").hidden = true;
    this.#content.hidden = false;
    element("connection").hidden = false;
    this.#begin();
  }

  async #submit() {
    const button = field("login-button");
    button.disabled = true;
    setText(element("login-error"), "");
    try {
      await signIn(field("username").value, field("password").value);
      field("password").value = "";
      this.#open();
    } catch (error) {
      setText(element("login-error"), error instanceof TypeError ? "The gateway does not answer. Is it running?" : error.message);
      field("password").select();
    } finally {
      button.disabled = false;
    }
  }
}

/** Show in the header who is signed in. @param {import("./auth.js").Me} me */
export function showWho(me) {
  setText(element("customer"), me.customer.name ?? "");
  setText(element("person"), me.agent?.name ?? "");
  setText(element("role"), me.role ?? "");
}
