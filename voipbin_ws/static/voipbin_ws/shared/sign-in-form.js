/** The sign-in form, the content that it hides, and the names of the customer and the agent in the header. */

import { element, field, setShown, setTexts } from "./dom.js";
import { gettext } from "./gettext.js";
import { signIn } from "./auth.js";
import { forgetPages, showPagesOf } from "./navigation.js";
import { roleName } from "./role.js";
import { tabData } from "./site-data.js";
import { requestToken, token } from "./token.js";

const NO_SITE_DATA = gettext("This browser blocks site data: you are signed in until this page is reloaded or closed.");

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

  /** Show the content if this tab, or another one, has a token, otherwise the form. */
  async start() {
    if (!token()) await requestToken();
    if (token()) this.open();
    else this.ask(tabData.set("voipbin.test", "") ? "" : NO_SITE_DATA);
    tabData.remove("voipbin.test");
  }

  /** Show the form. @param {string} notice */
  ask(notice = "") {
    forgetPages();
    this.#content.hidden = true;
    setTexts({ "login-notice": notice });
    setShown({ "login-view": true, "login-notice": notice !== "" });
    field("password").value = "";
    element(field("username").value ? "password" : "username").focus();
  }

  /** Show the content, unless it is shown. */
  open() {
    if (!this.#content.hidden) return;
    this.#content.hidden = false;
    setShown({ "login-view": false, connection: true });
    this.#begin();
  }

  async #submit() {
    const button = field("login-button");
    button.disabled = true;
    setTexts({ "login-error": "" });
    try {
      await signIn(field("username").value, field("password").value, field("stay").checked);
      field("password").value = "";
      this.open();
    } catch (error) {
      setTexts({ "login-error": error.message });
      field("password").select();
    } finally {
      button.disabled = false;
    }
  }
}

/** Show in the header who is signed in. @param {Me} me */
export function showWho(me) {
  showPagesOf(me);
  setTexts({ customer: me.customer.name ?? "", person: me.agent?.name ?? "", role: roleName(me.role ?? "") });
  // The header cuts long names.
  for (const id of ["customer", "person"]) element(id).title = element(id).textContent;
}
