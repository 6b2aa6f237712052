/** The page of an invitation: the person sets a password, and is signed in. */

import { request } from "../shared/auth.js";
import { element, field, setShown, setTexts } from "../shared/dom.js";
import { gettext } from "../shared/gettext.js";
import { displayText } from "../shared/text.js";
import { parseTime, shownDate } from "../shared/time.js";
import { dropTokenEverywhere, keepToken } from "../shared/token.js";

const PAGES = new Map([["agent", "/agent"]]); // The first page of a role; of others the dashboard.

const invitation = () => location.hash.slice(1);

/** @param {string} reason @param {boolean} isFinal Whether trying again is of no use. */
function showOver(reason, isFinal) {
  setTexts({ reason });
  setShown({ over: true, "invitation-form": false, again: !isFinal });
}

/** @param {import("../shared/auth.js").ApiError} error */
const isFinal = (error) => error.status === 401 || error.status === 400;

async function show() {
  if (!invitation()) return showOver(gettext("The address has no invitation: open the whole link, with all that follows #."), true);
  try {
    const { content } = await request("POST", "/auth/invitation", { invitation: invitation() });
    const day = shownDate(parseTime(content.expires_at) ?? 0);
    field("username").value = content.username;
    setTexts({ name: displayText(content.name), customer: displayText(content.customer), expiry: gettext("The link can be used once, until {day}.", { day }) });
    setShown({ "invitation-form": true, over: false });
    field("password").focus();
  } catch (error) {
    showOver(error.message, isFinal(error));
  }
}

async function accept() {
  const [password, again] = ["password", "password-again"].map((id) => field(id).value);
  if (password !== again) return setTexts({ problem: gettext("The two passwords differ.") });
  field("accept").disabled = true;
  setTexts({ problem: "" });
  try {
    const { content } = await request("POST", "/auth/invitation/accept", { invitation: invitation(), password });
    // A browser has one person: what another one kept in it must not come back in the next tab.
    dropTokenEverywhere();
    keepToken(content.token, false);
    // The used link stays in no history.
    location.replace(PAGES.get(content.role) ?? "/");
  } catch (error) {
    if (error.status === 401) showOver(error.message, true);
    else setTexts({ problem: error.message });
    field("accept").disabled = false;
  }
}

element("invitation-form").addEventListener("submit", (event) => {
  event.preventDefault();
  accept();
});
element("again").addEventListener("click", show);
addEventListener("hashchange", show);
show();
