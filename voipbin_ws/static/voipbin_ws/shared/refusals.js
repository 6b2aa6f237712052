/** The gateway's refusals in the language of the page. Sans-I/O. */

import { gettext } from "./gettext.js";

// The API is in English for developers: of its messages, these are shown to people.
const REFUSALS = new Map([
  ["User name or password is wrong", gettext("User name or password is wrong")],
  ["This agent or its customer is switched off: ask an admin", gettext("This agent or its customer is switched off: ask an admin")],
  ["The present password is wrong", gettext("The present password is wrong")],
  ["Too many failed logins from here", gettext("Too many failed logins from here")],
  ["Too many logins at the moment", gettext("Too many logins at the moment")],
  ["This call is over", gettext("This call is over")],
  ["This call is with another agent now", gettext("This call is with another agent now")],
  ["There is no call with this id for you", gettext("There is no call with this id for you")],
  ["A masked number would replace the stored one: write it in full, or leave it out", gettext("A masked number would replace the stored one: write it in full, or leave it out")],
  ["There is no message with this id for you", gettext("There is no message with this id for you")],
  ["This message came without a telephone number: it cannot be answered", gettext("This message came without a telephone number: it cannot be answered")],
  ["Your role may not reveal telephone numbers: an operator names the roles that may", gettext("Your role may not reveal telephone numbers: an operator names the roles that may")],
  ["The status changes all the time: try again", gettext("The status changes all the time: try again")],
  ["This token has expired: log in again", gettext("This token has expired: log in again")],
  ["This token was revoked: log in again", gettext("This token was revoked: log in again")],
  ["This token was ended by signing out: log in again", gettext("This token was ended by signing out: log in again")],
  ["This token is not valid: log in again", gettext("This token is not valid: log in again")],
  ["This agent is switched off", gettext("This agent is switched off")],
  ["This customer is switched off", gettext("This customer is switched off")],
  ["No platform is connected to this gateway: an operator names its API with PLATFORM_API_URL", gettext("No platform is connected to this gateway: an operator names its API with PLATFORM_API_URL")],
  ["This access key may only watch: act with an agent's credential, or a key that may publish", gettext("This access key may only watch: act with an agent's credential, or a key that may publish")],
]);

/** Return a message of the gateway as people read it; one that is not known stays English. @param {string} message */
export const refusalText = (message) => REFUSALS.get(message) ?? message;
