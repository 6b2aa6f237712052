/** The gateway's refusals in the language of the page. Sans-I/O. */

import { gettextNoop, translated } from "./gettext.js";
import { exactTime, shownDateAndTime } from "./time.js";

// The API is in English for developers: of its messages, these are shown to people. The first that matches counts.
const REFUSALS = [
  // Signing in, passwords and invitations
  gettextNoop("User name or password is wrong"),
  gettextNoop("This agent or its customer is switched off: ask an admin"),
  gettextNoop("Too many failed logins from here: try again in {seconds} seconds"),
  gettextNoop("Too many logins at the moment: try again in {seconds} seconds"),
  gettextNoop("The present password is wrong"),
  gettextNoop("The password is too similar to the username."),
  gettextNoop("This password is too short. It must contain at least {count} characters."),
  gettextNoop("This password is too common."),
  gettextNoop("\"{field}\" is needed, as a string of at most {count} characters"),
  gettextNoop("Change the password with a token from POST /auth/login"),
  gettextNoop("This token was made by another credential: end it alone"),
  gettextNoop("The gateway does not know the agent of this VoIPBIN token: end the token alone"),
  gettextNoop("This account is switched off. Ask an admin."),
  gettextNoop("This invitation has expired. Ask an admin for a new one."),
  gettextNoop("This invitation is not valid: there is a newer one, or the link is incomplete. Ask an admin for a new one."),
  gettextNoop("This invitation was used. Sign in with your password, or ask an admin for a new invitation."),
  // Credentials
  gettextNoop("This token has expired: log in again"),
  gettextNoop("This token was revoked: log in again"),
  gettextNoop("This token was ended by signing out: log in again"),
  gettextNoop("This token is not valid: log in again"),
  gettextNoop("This token was not signed by a key that is accepted here"),
  gettextNoop("The agent of this token is not known"),
  gettextNoop("This agent is switched off"),
  gettextNoop("This customer is switched off"),
  gettextNoop("This access key is not known"),
  gettextNoop("This access key has expired"),
  gettextNoop("This access key was revoked"),
  gettextNoop("The agent of this access key has left its customer"),
  gettextNoop("This is neither a JWT nor an access key"),
  gettextNoop("This is not a JWT"),
  gettextNoop("This access key may not read: use one that may subscribe"),
  gettextNoop("This access key may only watch: act with an agent's credential, or a key that may publish"),
  gettextNoop("The key of a wallboard reads GET /v1.0/summary, GET /v1.0/display and the topics of its summaries, and nothing else: use another credential"),
  gettextNoop("This address is for the key of a wallboard: use one, or GET /v1.0/me"),
  // Calls
  gettextNoop("This call is over"),
  gettextNoop("This call is with another agent now"),
  gettextNoop("There is no call with this id for you"),
  gettextNoop("disposition: one of {codes}"),
  gettextNoop("note: a text of at most {count} characters"),
  gettextNoop("Your role may not reveal telephone numbers: an operator names the roles that may"),
  gettextNoop("At most {count} numbers are revealed in {minutes} minutes: try again later"),
  gettextNoop("A masked number would replace the stored one: write it in full, or leave it out"),
  // Messages
  gettextNoop("There is no message with this id for you"),
  gettextNoop("This message came without a telephone number: it cannot be answered"),
  gettextNoop("{number} wrote STOP and wants no messages: none can be sent until it writes START"),
  gettextNoop("to: a telephone number such as +15551234567"),
  gettextNoop("text: 1 to {count} characters"),
  gettextNoop("Who writes to people must hear what they answer: messages were not granted to this credential"),
  gettextNoop("Conversations have the messages of all agents: messages were not granted to this credential"),
  // Agents
  gettextNoop("The status changes all the time: try again"),
  gettextNoop("A status is chosen by the agent itself, or by a manager or admin of its customer"),
  gettextNoop("There is no agent with this id for you"),
  gettextNoop("away_reason: one of {codes}"),
  gettextNoop("away_reason: an operator names the customer's reasons first"),
  gettextNoop("An agent is signed out by a manager or admin of its customer; to sign out yourself, send POST /auth/logout"),
  gettextNoop("{name} has a higher role than yours and is signed out by its own"),
  // The platform
  gettextNoop("No platform is connected to this gateway: an operator names its API with PLATFORM_API_URL"),
  gettextNoop("The platform did not answer within {seconds} s. It may yet do it: look before you try again"),
  gettextNoop("The platform cannot be reached, and nothing was done ({reason})"),
  gettextNoop("The platform broke the connection off: look before you try again ({reason})"),
  gettextNoop("The platform does not accept the gateway's own credential: an operator checks PLATFORM_API_KEY"),
  gettextNoop("The platform refuses: it answers {status}"),
  gettextNoop("The platform refuses: {reason}"),
  gettextNoop("The platform answers {status}"),
  // Past moments and calls
  gettextNoop("at: this moment is still to come: choose one of the past"),
  gettextNoop("Events before this moment were deleted: the states are known from {time} on, so choose a later moment"),
  gettextNoop("Earlier events were deleted, and the first snapshot of the states is still to come: try again later"),
  gettextNoop("There are {count} events between this moment and the last snapshot before it, and at most {most} are read: choose another one; a snapshot is taken every ten minutes"),
  gettextNoop("More than {count} events would have to be counted for the figures of this moment"),
  gettextNoop("Other past moments are being computed: try again"),
  gettextNoop("The log was replaced or shortened meanwhile: try again"),
  gettextNoop("The log was replaced since the first page: read again without next"),
  gettextNoop("The cursor is of another log: the log was replaced, or it is another customer's"),
  gettextNoop("The cursor is older than what is kept: read without after, from the oldest that is kept"),
  gettextNoop("Summaries count all events of a queue, and this access key has a filter: use one without"),
  gettextNoop("number: write a telephone number in any spelling, or at least three of its digits"),
  gettextNoop("began_before: it must be later than began_from"),
  // Wallboard links
  gettextNoop("This credential may not control: use a token of an admin or of platform staff, or an access key with the permission to control"),
  gettextNoop("There is nothing with this id for you"),
  gettextNoop("id: {key} is revoked: make a new key"),
  gettextNoop("id: {key} was rotated already, into {successor}: rotate that one"),
  gettextNoop("queue_ids: there is no such queue of the customer: {names}"),
  // Anything
  gettextNoop("The database does not answer: try again, with the same idempotency_key so that nothing is stored twice"),
  gettextNoop("The database does not answer: try again"),
  gettextNoop("Another transaction holds the customer's log for long: try again, with the same idempotency_key so that nothing is stored twice"),
  gettextNoop("Something went wrong here, and was logged as {id}"),
  gettextNoop("Something went wrong here, and was logged"),
  gettextNoop("This credential may not do that"),
  gettextNoop("There is nothing at this address"),
];
const PLACE = /\{(\w+)\}/;
const PATTERNS = REFUSALS.map((text) => {
  const parts = text.split(PLACE).map((part, place) => (place % 2 ? `(?<${part}>.+)` : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")));
  return { text, pattern: new RegExp(`^${parts.join("")}$`, "s") };
});

/** @param {string} message */
function knownText(message) {
  for (const { text, pattern } of PATTERNS) {
    const found = pattern.exec(message);
    if (!found) continue;
    const values = { ...found.groups };
    const at = exactTime(values.time);
    return translated(text, at === null ? values : { ...values, time: shownDateAndTime(at) });
  }
  return null;
}

/** Return a message of the gateway as people read it; one that is not known stays English. @param {string} message */
export function refusalText(message) {
  // A refused password can have several sentences.
  return knownText(message) ?? message.split(/(?<=\.) (?=Th)/).map((sentence) => knownText(sentence) ?? sentence).join(" ");
}
