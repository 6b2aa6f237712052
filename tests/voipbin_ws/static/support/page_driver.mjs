/** The pages' models without a browser: computes states, board and desk. Commands and answers are JSON, one a line. */

import { createInterface } from "node:readline";
import { Desk } from "../../../../voipbin_ws/static/voipbin_ws/agent-desktop/desk.js";
import { Board } from "../../../../voipbin_ws/static/voipbin_ws/dashboard/board.js";
import { canonicalNumber, optsOut } from "../../../../voipbin_ws/static/voipbin_ws/shared/phone-number.js";
import { States } from "../../../../voipbin_ws/static/voipbin_ws/shared/resource-state.js";

const RESOURCES = ["call", "queue", "conference", "agent", "recording", "activeflow", "transcription", "message"];

/** @param {import("../../../../voipbin_ws/static/voipbin_ws/shared/state.js").State} state */
function asDict(state) {
  return Object.fromEntries(Object.entries(state).map(([name, value]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]));
}

/** @param {States} states */
function dump(states) {
  const known = RESOURCES.flatMap((resource) => states.of(resource));
  return Object.fromEntries(known.map(({ key, state }) => [[key.resource, key.resourceId, key.memberId].join(" ").trim(), asDict(state)]));
}

/** @param {any} details */
function statesOf({ items = {}, frames }) {
  const states = new States();
  for (const [resource, found] of Object.entries(items)) for (const item of found) states.load(item, resource);
  for (const frame of frames) states.apply(frame);
  return dump(states);
}

/** What the dashboard shows, without the calls that have ended. @param {any} details */
function boardOf({ items, frames, me, now }) {
  const board = new Board();
  board.load({ me, calls: items.call, queues: items.queue, agents: items.agent }, now);
  for (const frame of frames) board.apply(frame, now);
  const { states, active, waiting, oldest, queues, agents: presences } = board.summary();
  const calls = [...board.calls.values()].filter((call) => call.state !== "ended").sort((one, other) => (one.id < other.id ? -1 : 1));
  const agents = [...board.agents.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
  const summary = { states: { ...states, ended: 0 }, active, waiting, oldest, presences };
  return { calls, agents, ...summary, queues: [...queues].sort(), isIncomplete: board.isIncomplete };
}

/** What the agent desktop shows, without the calls that are over. @param {any} details */
function deskOf({ agentId, items, frames, me, now }) {
  const desk = new Desk();
  desk.load({ agentId, queues: me.queues, status: {}, calls: items.call, places: items.queue, history: [] }, now);
  desk.takeNotices();
  for (const frame of frames) desk.apply(frame, now);
  const calls = [...desk.calls.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
  const waiting = [...desk.waiting.values()].sort((one, other) => (one.callId < other.callId ? -1 : 1));
  return { calls, waiting, recent: desk.recent, notices: desk.takeNotices().map(({ kind }) => kind), isIncomplete: desk.isIncomplete };
}

/** @type {Record<string, (details: any) => any>} */
const commands = {
  states: statesOf,
  board: boardOf,
  desk: deskOf,
  number: ({ text, dialing }) => canonicalNumber(text, dialing),
  keyword: ({ text }) => optsOut(text),
};

for await (const line of createInterface({ input: process.stdin })) {
  const answers = JSON.parse(line).map((/** @type {any} */ { command, ...details }) => commands[command](details));
  console.log(JSON.stringify(answers));
}
