/** The queues beside the table. */

import { element, PartList, setShown } from "../../shared/dom.js";
import { waitLevel } from "./stat-cards.js";
import { duration } from "../../shared/time.js";

export class TeamPanel {
  #queues = new PartList(element("queue-rows"), element("queue-row"));

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
}
