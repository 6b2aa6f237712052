/** The agents in groups by what they do, the longest first; and which of them do it for too long. Sans-I/O. */

import { presence } from "./board.js";
import { folded } from "../shared/text.js";
import { gettext } from "../shared/gettext.js";

/** @typedef {"available" | "call" | "wrapUp" | "away" | "offline"} GroupName */
/** @typedef {{ id: string, name: string, status: string, since: number, teams: string[], call: Call | null, group: GroupName, isOverlong: boolean }} GroupedAgent */

/** @type {Map<GroupName, string>} */
export const GROUPS = new Map([["available", gettext("Available")], ["call", gettext("On a call")], ["wrapUp", gettext("Wrap-up")], ["away", gettext("Away")], ["offline", gettext("Offline")]]);

const ORDER = [...GROUPS.keys()];

/** Return whether a word is the name of a group. @param {string} word */
export const isGroup = (word) => ORDER.some((name) => name === word);

const RINGING_SECONDS = 30;
/** Seconds after which an agent does something for too long. @type {Partial<Record<GroupName, number>>} */
const LIMITS = { wrapUp: 180, away: 900 };
const AGENT_STATES = new Set(["connecting", "talking", "ringing", "dialing", "answered", "other"]);

/** Return the calls by their present agent; of several, the one that is talked on. @param {Iterable<Call>} calls @returns {Map<string, Call>} */
function callsByAgent(calls) {
  const found = new Map();
  for (const call of calls) {
    if (!call.agentId || !AGENT_STATES.has(call.state)) continue;
    if (call.state === "talking" || !found.has(call.agentId)) found.set(call.agentId, call);
  }
  return found;
}

/** @param {string} status @param {Call | null} call @returns {GroupName} */
function groupOf(status, call) {
  if (call?.state === "talking") return "call";
  const kind = presence(status);
  if (kind !== "busy") return kind;
  return call || status === "ringing" ? "call" : "wrapUp";
}

/** @param {GroupedAgent} agent @param {number} now */
function isOverlong({ group, status, since }, now) {
  const limit = status === "ringing" ? RINGING_SECONDS : LIMITS[group];
  return limit !== undefined && now - since > limit * 1000;
}

/** Return the agents of a board, by group and then the longest first. @param {Board} board @param {number} now @returns {GroupedAgent[]} */
export function groupedAgents(board, now) {
  const calls = callsByAgent(board.calls.values());
  const agents = [...board.agents.values()].map(({ id, name, status, since, teams }) => {
    const call = calls.get(id) ?? null;
    const agent = { id, name, status: status || "offline", since, teams, call, group: groupOf(status, call), isOverlong: false };
    // Some platforms publish no status: the call tells it.
    if (agent.group === "call" && presence(status) !== "busy" && call) Object.assign(agent, { status: "busy", since: call.stateSince });
    agent.isOverlong = isOverlong(agent, now);
    return agent;
  });
  return agents.sort((one, other) => ORDER.indexOf(one.group) - ORDER.indexOf(other.group) || one.since - other.since || one.name.localeCompare(other.name));
}

/** Return how many agents each group has. @param {GroupedAgent[]} agents @returns {Map<GroupName, number>} */
export function groupCounts(agents) {
  return new Map(ORDER.map((group) => [group, agents.filter((agent) => agent.group === group).length]));
}

/** Return the names of the agents' teams in their order, each in its first spelling. @param {Iterable<{ teams: string[] }>} agents */
export function teamNames(agents) {
  const names = new Map();
  for (const { teams } of agents) for (const name of teams) if (!names.has(folded(name))) names.set(folded(name), name);
  return [...names.values()].sort((one, other) => one.localeCompare(other));
}

/**
 * Return the agents of the chosen groups and team, or of all, whose names have all words, and who serve the queue if one is chosen.
 * @param {GroupedAgent[]} agents @param {Board} board @param {{ agentGroups: Set<string>, agentWords: string, team: string, queue: string }} options
 */
export function chosenAgents(agents, board, { agentGroups, agentWords, team, queue }) {
  const words = folded(agentWords).split(/\s+/).filter(Boolean);
  const serving = queue ? board.queues.get(queue)?.agentIds : null;
  return agents.filter(({ id, name, group, teams }) => {
    if (agentGroups.size && !agentGroups.has(group)) return false;
    if (team && !teams.some((each) => folded(each) === folded(team))) return false;
    if (serving && !serving.includes(id)) return false;
    const text = folded(name);
    return words.every((word) => text.includes(word));
  });
}
