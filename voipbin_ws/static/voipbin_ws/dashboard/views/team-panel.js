/** The queues and the agents beside the table. */

import { element, PartList } from "../../shared/dom.js";
import { waitLevel } from "./stat-cards.js";
import { duration } from "../../shared/time.js";

/** @typedef {import("../board.js").Board} Board */

const SHAPES = new Map([
  ["available", "shape-answered"],
  ["busy", "shape-talking"],
  ["ringing", "shape-ringing"],
  ["offline", "shape-offline"],
  ["", "shape-offline"],
]);
const ORDER = ["available", "ringing", "busy", "away", "offline", ""];

/** @param {import("../board.js").BoardAgent} agent */
function rank({ status }) {
  return ORDER.indexOf(ORDER.includes(status) ? status : "away");
}

export class TeamPanel {
  #queues = new PartList(element("queue-rows"), element("queue-row"));
  #agents = new PartList(element("agent-rows"), element("agent-row"));
  /** @type {Board | null} */ #board = null;

  /** @param {Board} board @param {import("../board.js").Summary} summary @param {number} now */
  show(board, summary, now) {
    this.#showQueues(board, summary, now);
    this.#showAgents(board, now);
  }

  /** @param {Board} board @param {import("../board.js").Summary} summary @param {number} now */
  #showQueues(board, { queues }, now) {
    const ids = [...queues.keys()].sort((one, other) => board.queueName(one).localeCompare(board.queueName(other)));
    this.#queues.arrange(ids);
    for (const [id, { waiting, talking, oldest, serving, available }] of queues) {
      const part = this.#queues.part(id);
      const longest = oldest === null ? null : now - oldest;
      part.text("name", board.queueName(id));
      part.text("waiting", String(waiting));
      part.text("longest", longest === null ? "—" : duration(longest));
      part.text("free", serving === null ? "—" : `${available} / ${serving}`);
      part.text("talking", String(talking));
      part.attribute("data-busy", waiting ? "" : null);
      part.attribute("data-late", waitLevel(longest) === "bad" ? "" : null);
    }
    element("no-queues").hidden = ids.length > 0;
  }

  /** @param {Board} board @param {number} now */
  #showAgents(board, now) {
    const agents = [...board.agents.values()];
    if (board.peopleChanged || board !== this.#board) {
      board.peopleChanged = false;
      this.#board = board;
      agents.sort((one, other) => rank(one) - rank(other) || one.name.localeCompare(other.name));
      this.#agents.arrange(agents.map(({ id }) => id));
      element("no-agents").hidden = agents.length > 0;
    }
    for (const { id, name, status, since } of agents) {
      const part = this.#agents.part(id);
      part.text("name", name);
      part.text("status", status || "offline");
      part.text("since", duration(now - since));
      part.attribute("data-status", status || "offline");
      part.shape(0, SHAPES.get(status) ?? "shape-away");
    }
  }
}
