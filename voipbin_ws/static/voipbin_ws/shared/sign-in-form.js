/** The form for signing in, the view behind it, and whose view it is. */

import { element, field, setText } from "./dom.js";
import { signIn, token } from "./auth.js";

export class SignInForm {
  #view;
  #begin;

  /** `view` is shown to who is signed in, and `begin()` called each time it is. */
  constructor(view, begin) {
    this.#view = view;
    this.#begin = begin;
    element("login-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  /** Who signed in on this tab already goes on. */
  start() {
    if (token()) this.#open();
    else this.ask();
  }

  ask(notice = "") {
    element("login-view").hidden = false;
    this.#view.hidden = true;
    setText(element("login-notice"), notice);
    element("login-notice").hidden = notice === "";
    field("password").value = "";
    element(field("username").value ? "password" : "username").focus();
  }

  #open() {
    element("login-view").hidden = true;
    this.#view.hidden = false;
    element("connection").hidden = false;
    this.#begin();
  }

  async #submit() {
    const button = field("login-button");
    const failed = element("login-error");
    button.disabled = true;
    setText(failed, "");
    try {
      await signIn(field("username").value, field("password").value);
      field("password").value = "";
      this.#open();
    } catch (error) {
      setText(failed, error instanceof TypeError ? "The gateway does not answer. Is it running?" : error.message);
      field("password").select();
    } finally {
      button.disabled = false;
    }
  }
}

/** Say in the header whose page it is. */
export function showWho(me) {
  setText(element("customer"), me.customer.name ?? "");
  setText(element("person"), me.agent?.name ?? "");
  setText(element("role"), me.role ?? "");
}
