/** The agents beside the table: grouped by what they do, with their calls, a search and a filter. */

import { chosenAgents, groupCounts, groupedAgents, GROUPS, teamNames } from "../agent-groups.js";
import { callerName, statusName } from "../../shared/call.js";
import { descendant, element, field, offerChoices, Part, PartList, setData, setShown, setTexts } from "../../shared/dom.js";
import { gettext, ngettext, shownNumber } from "../../shared/gettext.js";
import { folded } from "../../shared/text.js";
import { duration } from "../../shared/time.js";
import { queueOf } from "../view-options.js";

/** @typedef {import("../agent-groups.js").GroupedAgent} GroupedAgent */
/** @typedef {import("../agent-groups.js").GroupName} GroupName */

const SHAPES = new Map(Object.entries({ available: "shape-answered", call: "shape-talking", wrapUp: "shape-ended", away: "shape-away", offline: "shape-offline" }));
const USUAL = { available: "available", call: "busy", wrapUp: "busy", away: "away", offline: "offline" };
const HEADING = "group ";
const MOVES = new Map([["ArrowDown", 1], ["ArrowUp", -1]]);

export class AgentsPanel {
  #viewOptions;
  #actions;
  #list = new PartList(element("agent-rows"), element("agent-row"));
  /** @type {Map<GroupName, Part>} */ #chips = new Map();
  /** @type {Map<string, GroupedAgent>} */ #shown = new Map(); // By id, in their order.
  #current = ""; // The agent whose button Tab reaches.

  /** @param {ViewOptions} viewOptions @param {{ changed: () => void, actions: import("./agent-actions.js").AgentActions }} parts */
  constructor(viewOptions, { changed, actions }) {
    this.#viewOptions = viewOptions;
    this.#actions = actions;
    for (const [group, label] of GROUPS) this.#addChip(group, label, changed);
    element("agent-search").addEventListener("input", () => {
      viewOptions.agentWords = field("agent-search").value;
      changed();
    });
    element("team-filter").addEventListener("change", () => {
      viewOptions.team = field("team-filter").value;
      changed();
    });
    const rows = element("agent-rows");
    rows.addEventListener("click", ({ target }) => {
      const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (target).closest(".act"));
      const agent = this.#shown.get(button?.closest("li")?.dataset.agent ?? "");
      if (button && agent) actions.openMenu(button, agent);
    });
    rows.addEventListener("focusin", ({ target }) => this.#moveTo(/** @type {Element} */ (target).closest("li")?.dataset.agent ?? ""));
    rows.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** Show the present options. */
  showOptions() {
    const { agentWords, agentGroups } = this.#viewOptions;
    if (field("agent-search").value !== agentWords) field("agent-search").value = agentWords;
    for (const [group, { element: chip }] of this.#chips) chip.setAttribute("aria-pressed", String(agentGroups.has(group)));
  }

  /** @param {Board} board @param {number} now */
  show(board, now) {
    const all = groupedAgents(board, now);
    const counts = groupCounts(all);
    this.#offerTeams(teamNames(all));
    for (const [group, part] of this.#chips) part.texts({ count: shownNumber(counts.get(group) ?? 0) });
    const agents = chosenAgents(all, board, this.#viewOptions);
    this.#shown = new Map(agents.map((agent) => [agent.id, agent]));
    if (!this.#shown.has(this.#current)) this.#current = agents[0]?.id ?? "";
    const shownCounts = groupCounts(agents);
    const keys = agents.flatMap(({ id, group }, index) => (agents[index - 1]?.group === group ? [id] : [HEADING + group, id]));
    this.#arrange(keys);
    for (const [group, count] of shownCounts) {
      const whole = counts.get(group) ?? 0;
      this.#list.parts.get(HEADING + group)?.texts({ group: GROUPS.get(group) ?? "", count: count === whole ? shownNumber(count) : gettext("{count} of {whole}", { count, whole }) });
    }
    for (const agent of agents) this.#render(agent, board, now);
    setShown({ "no-agents": all.length === 0, "no-agent-found": all.length > 0 && agents.length === 0, "agent-tools": all.length > 0 });
    const overlong = all.filter(({ isOverlong }) => isOverlong).length;
    setTexts({ "overlong-agents": overlong ? ngettext("{count} too long", "{count} too long", overlong) : "" });
  }

  /** Offer these teams, and the chosen one even if no agent is in it. @param {string[]} names */
  #offerTeams(names) {
    const { team } = this.#viewOptions;
    const chosen = team && (names.find((name) => folded(name) === folded(team)) ?? team);
    offerChoices("team-filter", gettext("All teams"), names.map((name) => [name, name]), [chosen, chosen]);
    setShown({ "team-filter": names.length > 0 || chosen !== "" });
  }

  /** @param {string[]} keys */
  #arrange(keys) {
    const focused = document.activeElement?.closest("li")?.dataset.agent;
    this.#list.arrange(keys, (part, key) => {
      const isHeading = key.startsWith(HEADING);
      setData(part.element, "kind", isHeading ? "group" : "agent");
      if (isHeading) setData(part.element, "group", key.slice(HEADING.length));
      setData(part.element, "agent", isHeading ? null : key);
      descendant(part.element, ".group").hidden = !isHeading;
      descendant(part.element, ".agent").hidden = isHeading;
    });
    // A row that moves in the document loses the focus.
    if (focused && !element("agent-rows").contains(document.activeElement)) this.#button(focused)?.focus({ preventScroll: true });
  }

  /** @param {GroupedAgent} agent @param {Board} board @param {number} now */
  #render(agent, board, now) {
    const { id, name, status, since, teams, call, group, isOverlong } = agent;
    const part = this.#list.part(id);
    const pending = this.#actions.pendingOf(id, board.agents.get(id)?.status || "offline");
    part.texts({ name, teams: teams.join(", "), status: pending || statusName(status), since: duration(now - since), overlong: isOverlong ? `⚠ ${gettext("too long")}` : "" });
    const queue = call ? queueOf(call, board) : "";
    part.texts({ caller: call ? callerName(call.otherParty) : "", queue, separator: call && queue ? " · " : "" });
    part.attributes({ "data-status": status, "data-group": group, "data-overlong": isOverlong ? "" : null, "data-pending": pending ? "" : null });
    // The heading says it already.
    part.attributes({ "data-usual": !pending && status === USUAL[group] ? "" : null });
    part.shape(0, status === "ringing" ? "shape-ringing" : (SHAPES.get(group) ?? "shape-away"));
    const button = descendant(part.element, ".act");
    const actions = gettext("Actions on {name}", { name });
    if (button.getAttribute("aria-label") !== actions) button.setAttribute("aria-label", actions);
    button.tabIndex = id === this.#current ? 0 : -1;
  }

  /** @param {GroupName} group @param {string} label @param {() => void} changed */
  #addChip(group, label, changed) {
    const part = new Part(element("agent-chip"));
    part.texts({ label: `${label} ` });
    part.attributes({ "data-group": group });
    part.shape(0, SHAPES.get(group) ?? "");
    part.element.addEventListener("click", () => {
      const { agentGroups } = this.#viewOptions;
      if (!agentGroups.delete(group)) agentGroups.add(group);
      changed();
    });
    this.#chips.set(group, part);
    element("agent-filter").append(part.element);
  }

  /** @param {string} id */
  #button(id) {
    const part = this.#list.parts.get(id);
    return part && descendant(part.element, ".act");
  }

  /** @param {string} id */
  #moveTo(id) {
    if (!this.#shown.has(id)) return;
    const before = this.#button(this.#current);
    if (before) before.tabIndex = -1;
    this.#current = id;
    const button = this.#button(id);
    if (button) button.tabIndex = 0;
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const move = MOVES.get(event.key);
    const ids = [...this.#shown.keys()];
    const next = move && ids[ids.indexOf(this.#current) + move];
    if (!next) return;
    event.preventDefault();
    this.#moveTo(next);
    this.#button(next)?.focus();
  }
}
