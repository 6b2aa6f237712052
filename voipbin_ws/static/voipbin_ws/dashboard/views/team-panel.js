/** The queues and the agents beside the table. */

import { element, PartList, setShown } from "../../shared/dom.js";
import { waitLevel } from "./stat-cards.js";
import { duration } from "../../shared/time.js";

const SHAPES = new Map(Object.entries({ available: "shape-answered", busy: "shape-talking", ringing: "shape-ringing", offline: "shape-offline" }));
const ORDER = ["available", "ringing", "busy", "away", "offline", ""];

/** @param {import("../board.js").BoardAgent} agent */
function rank({ status }) {
  return ORDER.indexOf(ORDER.includes(status) ? status : "away");
}

export class TeamPanel {
  #queues = new PartList(element("queue-rows"), element("queue-row"));
  #agents = new PartList(element("agent-rows"), element("agent-row"));
  /** @type {Board | null} */ #board = null;

  /** @param {Board} board @param {Summary} summary @param {number} now */
  showQueues(board, { queues }, now) {
    const ids = [...queues.keys()].sort((one, other) => board.queueName(one).localeCompare(board.queueName(other)));
    this.#queues.arrange(ids);
    for (const [id, { waiting, talking, oldest, serving, available }] of queues) {
      const part = this.#queues.part(id);
      const longest = oldest === null ? null : now - oldest;
      part.texts({ name: board.queueName(id), waiting: String(waiting), talking: String(talking) });
      part.texts({ longest: longest === null ? "—" : duration(longest), free: serving === null ? "—" : `${available} / ${serving}` });
      part.attributes({ "data-busy": waiting ? "" : null, "data-late": waitLevel(longest) === "bad" ? "" : null });
    }
    setShown({ "no-queues": ids.length === 0 });
  }

  /** @param {Board} board @param {number} now */
  showAgents(board, now) {
    const agents = [...board.agents.values()];
    if (board.peopleChanged || board !== this.#board) {
      board.peopleChanged = false;
      this.#board = board;
      agents.sort((one, other) => rank(one) - rank(other) || one.name.localeCompare(other.name));
      this.#agents.arrange(agents.map(({ id }) => id));
      setShown({ "no-agents": agents.length === 0 });
    }
    for (const { id, name, status, since } of agents) {
      const part = this.#agents.part(id);
      part.texts({ name, status: status || "offline", since: duration(now - since) });
      part.attributes({ "data-status": status || "offline" });
      part.shape(0, SHAPES.get(status || "offline") ?? "shape-away");
    }
  }
}
