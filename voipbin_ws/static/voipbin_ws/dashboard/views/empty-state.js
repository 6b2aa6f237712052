/** What stands where no calls are: why that is so, and what to do next. */

import { element, setText } from "../../shared/dom.js";

/** In place of rows, where none of the board's calls is shown. */
export function showEmptyState(board, shown, { active }, me) {
  element("empty").hidden = shown > 0;
  if (shown > 0) return;
  const isHidden = active > 0;
  const isNew = !isHidden && board.knowsLastHour && !board.hadCalls;
  setText(element("empty-title"), isHidden ? "No call fits the filters" : isNew ? "No calls yet" : "No calls right now");
  setText(element("empty-text"), textFor(active, isHidden, isNew, me?.role === "staff"));
  element("empty-button").hidden = !isHidden;
  element("first-steps").hidden = !isNew;
  if (isNew && me) setText(element("first-call"), firstCall(me));
}

function textFor(active, isHidden, isNew, isStaff) {
  if (isHidden) return `${active} ${active === 1 ? "call is" : "calls are"} live, and hidden by the search or the filters.`;
  const another = isStaff ? " Other customers’ calls are a choice away, at the top of the page." : "";
  if (isNew) return `There was none in the last hour either.${another} Each appears here the moment that your platform tells this gateway of it. To try it without one:`;
  return "The next one appears here by itself, the moment it rings.";
}

/** A command that makes a call appear. */
function firstCall({ customer }) {
  const data = { id: "my-first-call", direction: "inbound", status: "ringing", source: { type: "tel", target: "+15550100199" } };
  const event = JSON.stringify({ event_type: "call.created", customer_id: customer.id, data });
  return `curl ${location.origin}/v1.0/events -H 'Authorization: Bearer KEY' \\\n  -H 'Content-Type: application/json' \\\n  -d '${event}'`;
}

/** In place of the board, for who may not hear the calls: what they may hear. */
export function showDenied(me) {
  setText(element("denied-who"), `${me.agent?.name ?? "this credential"}${me.role ? ` (${me.role})` : ""}`);
  const lines = me.topics.map((topic) => {
    const [scope, , resource] = topic.split(":");
    const item = document.createElement("li");
    item.textContent = scope === "agent_id" ? "whatever concerns you yourself: your calls, your queues, your status" : `every ${resource} of ${me.customer.name ?? "your customer"}`;
    return item;
  });
  element("denied-topics").replaceChildren(...lines);
}
