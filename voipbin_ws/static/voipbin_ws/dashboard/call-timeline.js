/** The timeline of one call: the events that belong to it, the steps that they make, and what is known at the end. No page, no clock. */

import { Call, isId, displayText } from "../shared/call.js";
import { duration, parseTime } from "../shared/time.js";

const PASSING_MS = 1000; // What follows from leaving a queue is no step of its own when the next one follows at once.
const REASONS = new Map([
  ["normal", "normally"],
  ["busy", "busy"],
  ["noanswer", "no answer"],
  ["no_answer", "no answer"],
  ["cancel", "cancelled"],
  ["canceled", "cancelled"],
  ["failed", "failed"],
  ["timeout", "timed out"],
]);

/** Whether an event tells of this call: its own, or one whose data names it in a field that ends in `_id`. What an agent does
 * meanwhile is the agent's timeline. */
export function concerns(event, callId) {
  const [, , resource, id] = event.topic.split(":");
  if (resource === "call") return id === callId;
  if (resource === "agent") return false;
  return Object.entries(event.data ?? {}).some(([name, value]) => value === callId && name.endsWith("_id"));
}

export class Timeline {
  #history = [];
  #live = [];

  /** `names` has agentName(id), queueName(id), and agents and queues as maps of those that it knows. */
  constructor(callId, directory) {
    this.callId = callId;
    this.directory = directory;
    this.isLoaded = false;
  }

  /** What was stored until now, in the log's order. */
  load(events) {
    this.#history = events.filter((event) => concerns(event, this.callId));
    const ids = new Set(events.map(({ id }) => id));
    this.#live = this.#live.filter(({ id }) => !ids.has(id));
    this.isLoaded = true;
  }

  /** What is heard, in its order; returns whether it belongs here and is new. */
  add(event) {
    if (!concerns(event, this.callId)) return false;
    if ([...this.#history, ...this.#live].some(({ id }) => id === event.id)) return false;
    this.#live.push(event);
    return true;
  }

  /** What there is to tell: the call as it is now, its steps, and what was found on the way. */
  read() {
    const events = [...this.#history, ...this.#live];
    const first = events.find(({ topic }) => topic.split(":")[2] === "call") ?? events[0];
    const call = new Call(this.callId, parseTime(first?.timestamp) ?? 0);
    const timeline = { call, steps: [], queues: [], agents: [], recordings: new Map(), hangup: "", isWhole: first?.event_type === "call.created" };
    const names = { agents: new Map(), queues: new Map() };
    for (const event of events) this.#addStep(timeline, event, names);
    settleSteps(timeline);
    return { ...timeline, recordings: [...timeline.recordings.values()] };
  }

  #addStep(timeline, event, names) {
    const [resource, action] = event.event_type.split(".", 2);
    const { call } = timeline;
    const data = event.data ?? {};
    const at = parseTime(event.timestamp) ?? call.stateSince;
    const before = signature(call);
    if (data.agent_name && isId(data.agent_id)) names.agents.set(data.agent_id, displayText(data.agent_name));
    if (data.queue_name && isId(data.queue_id)) names.queues.set(data.queue_id, displayText(data.queue_name));
    if (resource === "call") call.apply(action, data, at);
    else if (resource === "queue") call.applyQueue(event.topic.split(":")[3], action, data, at);
    const agent = this.#name(call.agentId, "agents", names.agents);
    const queue = this.#name(call.place?.queueId, "queues", names.queues);
    note(timeline.agents, agent);
    note(timeline.queues, queue);
    const step = { key: event.id, at, until: null, state: null, title: "", note: "", event };
    if (signature(call) !== before) {
      step.state = call.state;
      step.title = titleOf(call, queue, agent);
    } else if (event.event_type === "call.status" && call.status) step.title = `Call ${call.status}`;
    else step.title = eventWords(resource, action);
    const missedBy = resource === "call" ? this.#name(data.missed_by, "agents", names.agents) : "";
    if (missedBy) step.note = `${missedBy} did not answer`;
    else if (resource === "recording") record(timeline, step, action, data);
    else if (event.event_type === "transcription.completed") Object.assign(step, { title: "Transcribed", note: displayText(data.text) });
    else if (resource === "activeflow") flow(step, data);
    else if (resource === "queue" && action === "left") leave(step, data);
    else if (step.state === null) step.note = displayText(data.reason);
    if (call.state === "ended" && step.state === "ended") timeline.hangup = step.note = hangupWords(call, data);
    timeline.steps.push(step);
  }

  #name(id, kind, names) {
    if (!isId(id)) return "";
    if (!this.directory[kind].get(id)?.name && names.get(id)) return names.get(id);
    return displayText(kind === "agents" ? this.directory.agentName(id) : this.directory.queueName(id));
  }
}

function note(list, name) {
  if (name && !list.includes(name)) list.push(name);
}

function signature({ state, status, place, agentId }) {
  const queue = ["waiting", "connecting"].includes(state) ? place?.queueId : "";
  const agent = ["connecting", "talking"].includes(state) ? agentId : "";
  return [state, state === "other" ? status : "", queue, agent].join("\n");
}

function titleOf(call, queue, agent) {
  if (call.state === "waiting") return queue ? `Waiting in ${queue}` : "Waiting";
  if (call.state === "connecting") return agent ? `Ringing at ${agent}` : "Being connected";
  if (call.state === "talking") return agent ? `Talking with ${agent}` : "Talking";
  return call.stateLabel;
}

/** "Message sent": an event's type as words. */
function eventWords(resource, action = "") {
  const words = `${resource} ${action}`.replaceAll("_", " ").trim();
  return displayText(words[0].toUpperCase() + words.slice(1));
}

function record({ recordings }, step, action, data) {
  const id = displayText(data.id) || displayText(data.recording_id);
  const seconds = typeof data.duration === "number" ? data.duration : null;
  recordings.set(id, { ...recordings.get(id), id, seconds, isRunning: action === "started", url: webAddress(data.reference_url) });
  step.title = action === "started" ? "Recording began" : action === "completed" ? "Recording saved" : step.title;
  if (seconds !== null) step.note = duration(seconds * 1000);
}

/** An address that a link may lead to; null for anything else that events may bring. */
function webAddress(text) {
  if (typeof text !== "string" || !URL.canParse(text)) return null;
  return ["https:", "http:"].includes(new URL(text).protocol) ? text : null;
}

function flow(step, { current_action: action, flow_name: name, result }) {
  if (step.event.event_type === "activeflow.completed") {
    step.title = "Flow completed";
    step.note = displayText(result);
    return;
  }
  step.title = displayText(action?.name) || displayText(action?.type) || step.title;
  step.note = displayText(name);
}

function leave(step, { reason }) {
  const words = /^abandon/.test(reason ?? "") ? "Gave up waiting" : "Left the queue";
  if (step.state === null || step.state === "ended") {
    step.title = words;
    step.note = words === "Left the queue" ? displayText(reason) : "";
  } else step.note = words;
  step.leaves = words;
}

function hangupWords({ direction }, data) {
  const reason = displayText(data.hangup_reason) || displayText(data.reason);
  const by = { local: "by our side", remote: direction === "outbound" ? "by the called party" : "by the caller" }[data.hangup_by] ?? "";
  return [REASONS.get(reason) ?? reason, by].filter(Boolean).join(", ");
}

/** How long each state lasted. One that only fills the moment between leaving a queue and the end is told as what it is. */
function settleSteps(timeline) {
  const ofState = () => timeline.steps.filter(({ state }) => state !== null);
  for (const [index, step] of ofState().entries()) {
    const next = ofState()[index + 1];
    if (!step.leaves || !next || next.at - step.at >= PASSING_MS) continue;
    step.state = null;
    step.title = step.leaves;
    step.note = "";
  }
  const states = ofState();
  for (const [index, step] of states.entries()) if (step.state !== "ended") step.until = states[index + 1]?.at ?? null;
}

/** The states one after another, for a drawing: { state, share } with shares that sum up to one. */
export function shares({ steps }, now) {
  const spans = steps.filter(({ state }) => state !== null && state !== "ended").map(({ state, at, until }) => ({ state, milliseconds: Math.max(0, (until ?? now) - at) }));
  const whole = spans.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  return whole ? spans.map(({ state, milliseconds }) => ({ state, share: milliseconds / whole })) : [];
}
