/** The texts in place of the calls: why there are none, and what to do next. */

import { element, setShown, setTexts } from "../../shared/dom.js";
import { gettext, ngettext } from "../../shared/gettext.js";

/** Show a text if the table has no rows. @param {Board} board @param {number} shownCount @param {number} active @param {Me | null} me @param {boolean} isSearch Whether words are searched. @param {boolean} isPast Whether the board is that of a past moment. */
export function showEmptyState(board, shownCount, active, me, isSearch, isPast) {
  setShown({ empty: shownCount === 0 });
  if (shownCount > 0) return;
  const isHidden = active > 0;
  const isNew = !isHidden && !isPast && !board.hadCalls;
  const title = isHidden ? gettext("No call matches the filters") : isNew ? gettext("No calls yet") : isPast ? gettext("No calls at this moment") : gettext("No calls right now");
  setTexts({ "empty-title": title, "empty-text": isPast && !isHidden ? "" : textFor(active, isNew, me?.role === "staff") });
  setShown({ "empty-button": isHidden, "empty-history": isSearch, "first-steps": isNew });
  if (isNew && me) setTexts({ "first-call": firstCall(me) });
}

/** @param {number} active @param {boolean} isNew @param {boolean} isStaff */
function textFor(active, isNew, isStaff) {
  if (active > 0) return ngettext("{count} active call is hidden by the search or the filters.", "{count} active calls are hidden by the search or the filters.", active);
  const another = isStaff ? ` ${gettext("To see another customer’s calls, choose the customer at the top of the page.")}` : "";
  if (isNew) return `${gettext("There were no calls yet.")}${another} ${gettext("A call appears here as soon as your platform publishes it. To try it without a platform:")}`;
  return gettext("The next call appears here as soon as it rings.");
}

/** Return a command that publishes a call. @param {Me} me */
function firstCall({ customer }) {
  const data = { id: "my-first-call", direction: "inbound", status: "ringing", source: { type: "tel", target: "+15550100199" } };
  const event = JSON.stringify({ event_type: "call.created", customer_id: customer.id, data });
  return `curl ${location.origin}/v1.0/events -H 'Authorization: Bearer KEY' \\\n  -H 'Content-Type: application/json' \\\n  -d '${event}'`;
}

/** Name the permissions of an account without access to the calls. @param {Me} me */
export function showDenied(me) {
  setTexts({ "denied-who": `${me.agent?.name ?? gettext("This access key")}${me.role ? ` (${me.role})` : ""}` });
  const lines = me.topics.map((topic) => {
    const [scope, , resource] = topic.split(":");
    const item = document.createElement("li");
    item.textContent = scope === "agent_id" ? gettext("your own calls, queues and status") : gettext("every {resource} of {customer}", { resource, customer: me.customer.name ?? gettext("your customer") });
    return item;
  });
  element("denied-topics").replaceChildren(...lines);
}
