/** Who is there for the callers: the queues and the agents. */

import { element, PartList } from "../../shared/dom.js";
import { waitLevel } from "./stat-cards.js";
import { duration } from "../../shared/time.js";

const AGENT_SHAPES = { available: "shape-answered", busy: "shape-talking", ringing: "shape-ringing", offline: "shape-offline", "": "shape-offline" };
const AGENT_ORDER = ["available", "ringing", "busy", "away", "offline", ""];
const OTHER_ORDER = AGENT_ORDER.indexOf("away");

function rank({ status }) {
  const index = AGENT_ORDER.indexOf(status);
  return index < 0 ? OTHER_ORDER : index;
}

export class TeamPanel {
  #queues = new PartList(element("queue-rows"), element("queue-row"));
  #agents = new PartList(element("agent-rows"), element("agent-row"));
  #board = null;

  show(board, summary, now) {
    this.#showQueues(board, summary, now);
    this.#showAgents(board, now);
  }

  #showQueues(board, { queues }, now) {
    const ids = [...queues.keys()].sort((one, other) => board.queueName(one).localeCompare(board.queueName(other)));
    this.#queues.arrange(ids, () => {});
    for (const [id, part] of this.#queues.parts) {
      const { waiting, talking, oldest, serving, available } = queues.get(id);
      part.text("name", board.queueName(id));
      part.text("waiting", String(waiting));
      part.text("longest", oldest === null ? "—" : duration(now - oldest));
      part.text("free", serving === null ? "—" : `${available} / ${serving}`);
      part.text("talking", String(talking));
      part.attribute("data-busy", waiting ? "" : null);
      part.attribute("data-late", waitLevel(oldest === null ? null : now - oldest) === "bad" ? "" : null);
    }
    element("no-queues").hidden = ids.length > 0;
  }

  #showAgents(board, now) {
    if (board.peopleChanged || board !== this.#board) {
      board.peopleChanged = false;
      this.#board = board;
      const agents = [...board.agents.values()].sort((one, other) => rank(one) - rank(other) || one.name.localeCompare(other.name));
      this.#agents.arrange(agents.map(({ id }) => id), () => {});
      element("no-agents").hidden = agents.length > 0;
    }
    for (const [id, part] of this.#agents.parts) {
      const { name, status, since } = board.agents.get(id);
      part.text("name", name);
      part.text("status", status || "offline");
      part.text("since", duration(now - since));
      part.attribute("data-status", status || "offline");
      part.shape(0, AGENT_SHAPES[status] ?? "shape-away");
    }
  }
}
