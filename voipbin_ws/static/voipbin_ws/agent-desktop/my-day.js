/** What the agent did today: handled and missed calls, and the time of talk. */

import { read } from "../shared/auth.js";
import { setShown, setTexts } from "../shared/dom.js";
import { shownNumber } from "../shared/gettext.js";
import { duration } from "../shared/time.js";

export class MyDay {
  #version = 0; // Of several answers the one to the last request counts.

  /** Read the figures, and show them. @param {string} agentId */
  async load(agentId) {
    const version = (this.#version += 1);
    try {
      const { content } = await read(`/v1.0/agents/${agentId}/day`);
      if (this.#version !== version) return;
      setTexts({
        "day-handled": shownNumber(content.handled),
        "day-talk": duration(content.talk_seconds * 1000),
        "day-missed": shownNumber(content.missed),
      });
      setShown({ "my-day": true });
    } catch (error) {
      console.warn(error); // The figures of before stay.
    }
  }

  clear() {
    this.#version += 1;
    setShown({ "my-day": false });
  }
}
