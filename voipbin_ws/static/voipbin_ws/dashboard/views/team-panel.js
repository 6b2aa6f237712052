/** The agents beside the table. */

import { element, PartList, setShown } from "../../shared/dom.js";
import { duration } from "../../shared/time.js";

const SHAPES = new Map(Object.entries({ available: "shape-answered", busy: "shape-talking", ringing: "shape-ringing", offline: "shape-offline" }));
const ORDER = ["available", "ringing", "busy", "away", "offline", ""];

/** @param {import("../board.js").BoardAgent} agent */
function rank({ status }) {
  return ORDER.indexOf(ORDER.includes(status) ? status : "away");
}

export class TeamPanel {
  #agents = new PartList(element("agent-rows"), element("agent-row"));
  /** @type {Board | null} */ #board = null;

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
