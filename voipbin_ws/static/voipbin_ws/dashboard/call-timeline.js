/** The timeline of one call: its events, the steps that they make, and the result of the call. Sans-I/O. */

import { Call, capitalized, isId } from "../shared/call.js";
import { displayText } from "../shared/text.js";
import { States } from "../shared/resource-state.js";
import { duration, parseTime } from "../shared/time.js";
import { gettext } from "../shared/gettext.js";

const PASSING_MS = 1000; // A state that follows from leaving a queue and ends within this time is not a step.
const REASONS = new Map(Object.entries({
  normal: gettext("normally"), noanswer: gettext("no answer"), no_answer: gettext("no answer"), cancel: gettext("cancelled"), canceled: gettext("cancelled"), timeout: gettext("timed out"),
}));

/** Return whether an event belongs to a call: its own, or one with its id in a field `…_id`, except an agent's. @param {GatewayEvent} event @param {string} callId */
export function concerns(event, callId) {
  const [, , resource, id] = event.topic.split(":");
  if (resource === "call") return id === callId;
  if (resource === "agent") return false;
  return Object.entries(event.data ?? {}).some(([name, value]) => value === callId && name.endsWith("_id"));
}

export class Timeline {
  #directory;
  /** @type {GatewayEvent[]} */ #stored = [];
  /** @type {GatewayEvent[]} */ #live = [];
  isLoaded = false;

  /** @param {string} callId @param {Pick<Board, "agents" | "queues" | "agentName" | "queueName"> & { dispositions?: Map<string, string> }} directory The known agents and queues. */
  constructor(callId, directory) {
    this.callId = callId;
    this.#directory = directory;
  }

  /** Set the stored events. @param {GatewayEvent[]} events In the log's order. */
  load(events) {
    this.#stored = events.filter((event) => concerns(event, this.callId));
    const ids = new Set(events.map(({ id }) => id));
    this.#live = this.#live.filter(({ id }) => !ids.has(id));
    this.isLoaded = true;
  }

  /** Add a live event, and return whether it belongs to the call and is new. @param {GatewayEvent} event */
  add(event) {
    if (!concerns(event, this.callId)) return false;
    if ([...this.#stored, ...this.#live].some(({ id }) => id === event.id)) return false;
    this.#live.push(event);
    return true;
  }

  /** Compute the content from the events up to a time. */
  read(until = Infinity) {
    const events = [...this.#stored, ...this.#live].filter(({ timestamp }) => (parseTime(timestamp) ?? 0) <= until);
    const first = events.find(({ topic }) => topic.split(":")[2] === "call") ?? events[0];
    const states = new States();
    /** @type {TimelineContent} */
    const content = { call: new Call(this.callId, states), steps: [], queues: [], agents: [], recordings: [], hangup: "", isWhole: first?.event_type === "call.created" };
    /** @type {TimelineNames} */
    const names = { agents: new Map(), queues: new Map() };
    for (const event of events) this.#addStep(content, event, states, names);
    finishSteps(content.steps);
    return content;
  }

  /** @param {TimelineContent} content @param {GatewayEvent} event @param {States} states @param {TimelineNames} names */
  #addStep(content, event, states, names) {
    const [resource, action] = event.event_type.split(".", 2);
    const data = event.data ?? {};
    const at = parseTime(event.timestamp) ?? content.call.stateSince;
    const before = signature(content.call);
    if (data.agent_name && isId(data.agent_id)) names.agents.set(data.agent_id, displayText(data.agent_name));
    if (data.queue_name && isId(data.queue_id)) names.queues.set(data.queue_id, displayText(data.queue_name));
    if (resource === "call" || resource === "queue") states.apply(event);
    const call = (content.call = new Call(this.callId, states));
    const agent = this.#name(call.agentId, "agents", names);
    const queue = this.#name(call.place?.queueId, "queues", names);
    addName(content.agents, agent);
    addName(content.queues, queue);
    /** @type {TimelineStep} */
    const step = { key: event.id, at, until: null, state: null, title: eventTitle(resource, action), note: "", event };
    if (signature(call) !== before) {
      step.state = call.state;
      step.title = stateTitle(call, queue, agent);
    } else if (event.event_type === "call.status" && call.status) step.title = gettext("Call: {status}", { status: call.status });
    const missedBy = resource === "call" ? this.#name(data.missed_by, "agents", names) : "";
    if (missedBy) step.note = gettext("{name} did not answer", { name: missedBy });
    else if (resource === "recording") describeRecording(content, step, action, data);
    else if (event.event_type === "transcription.completed") Object.assign(step, { title: gettext("Transcribed"), note: displayText(data.text) });
    else if (resource === "activeflow") describeFlow(step, data);
    else if (event.event_type === "call.noted") this.#describeNote(step, data, names);
    else if (resource === "queue" && action === "left") describeLeaving(step, data);
    else if (step.state === null) step.note = displayText(data.reason);
    if (call.state === "ended" && step.state === "ended") content.hangup = step.note = hangupText(call, data);
    content.steps.push(step);
  }

  /** @param {TimelineStep} step @param {any} data @param {TimelineNames} names */
  #describeNote(step, data, names) {
    const agent = this.#name(data.agent_id, "agents", names);
    const code = displayText(data.disposition);
    step.title = agent ? gettext("Noted by {name}", { name: agent }) : gettext("Noted");
    step.note = [this.#directory.dispositions?.get(code) ?? code, displayText(data.note)].filter(Boolean).join(": ");
  }

  /** @param {unknown} id @param {"agents" | "queues"} kind @param {TimelineNames} names */
  #name(id, kind, names) {
    if (!isId(id)) return "";
    const name = names[kind].get(id);
    if (name && !this.#directory[kind].get(id)?.name) return name;
    return displayText(kind === "agents" ? this.#directory.agentName(id) : this.#directory.queueName(id));
  }
}

/** @param {string[]} list @param {string} name */
function addName(list, name) {
  if (name && !list.includes(name)) list.push(name);
}

/** Return a text that differs if and only if a new state has begun. @param {Call} call */
function signature({ state, status, place, agentId }) {
  const queue = ["waiting", "connecting"].includes(state) ? place?.queueId : "";
  const agent = ["connecting", "talking"].includes(state) ? agentId : "";
  return [state, state === "other" ? status : "", queue, agent].join("\n");
}

/** @param {Call} call @param {string} queue @param {string} agent */
function stateTitle(call, queue, agent) {
  if (call.state === "waiting") return queue ? gettext("Waiting in {queue}", { queue }) : gettext("Waiting");
  if (call.state === "connecting") return agent ? gettext("Ringing at {name}", { name: agent }) : gettext("Being connected");
  if (call.state === "talking") return agent ? gettext("Talking with {name}", { name: agent }) : gettext("Talking");
  return call.stateLabel;
}

/** Return an event's type in words, such as "Message sent". @param {string} resource */
function eventTitle(resource, action = "") {
  return displayText(capitalized(`${resource} ${action}`.replaceAll("_", " ").trim()));
}

/** @param {TimelineContent} content @param {TimelineStep} step @param {string} action @param {any} data */
function describeRecording({ recordings }, step, action, data) {
  const id = displayText(data.id) || displayText(data.recording_id);
  const seconds = typeof data.duration === "number" ? data.duration : null;
  const recording = { id, seconds, isRunning: action === "started", url: webAddress(data.reference_url) };
  const known = recordings.find((each) => each.id === id);
  if (known) Object.assign(known, recording);
  else recordings.push(recording);
  step.title = action === "started" ? gettext("Recording began") : action === "completed" ? gettext("Recording saved") : step.title;
  if (seconds !== null) step.note = duration(seconds * 1000);
}

/** Return an address that is safe for a link; `null` for any other value. @param {unknown} text */
function webAddress(text) {
  if (typeof text !== "string" || !URL.canParse(text)) return null;
  return ["https:", "http:"].includes(new URL(text).protocol) ? text : null;
}

/** @param {TimelineStep} step @param {any} data */
function describeFlow(step, { current_action: action, flow_name: name, result }) {
  if (step.event.event_type === "activeflow.completed") {
    step.title = gettext("Flow completed");
    step.note = displayText(result);
    return;
  }
  step.title = displayText(action?.name) || displayText(action?.type) || step.title;
  step.note = displayText(name);
}

/** @param {TimelineStep} step @param {any} data */
function describeLeaving(step, { reason }) {
  const hasGivenUp = /^abandon/.test(reason ?? "");
  step.leaves = hasGivenUp ? gettext("Gave up waiting") : gettext("Left the queue");
  if (step.state === null || step.state === "ended") {
    step.title = step.leaves;
    step.note = hasGivenUp ? "" : displayText(reason);
  } else step.note = step.leaves;
}

/** @param {Call} call @param {any} data */
function hangupText({ direction }, data) {
  const reason = displayText(data.hangup_reason) || displayText(data.reason);
  const sides = new Map(Object.entries({ local: gettext("by our side"), remote: direction === "outbound" ? gettext("by the called party") : gettext("by the caller") }));
  return [REASONS.get(reason) ?? reason, sides.get(data.hangup_by)].filter(Boolean).join(", ");
}

/** Set when each state ended, and drop states that lasted only a moment between leaving a queue and the next state. @param {TimelineStep[]} steps */
function finishSteps(steps) {
  const withState = () => steps.filter(({ state }) => state !== null);
  for (const [index, step] of withState().entries()) {
    const next = withState()[index + 1];
    if (!step.leaves || !next || next.at - step.at >= PASSING_MS) continue;
    step.state = null;
    step.title = step.leaves;
    step.note = "";
  }
  const states = withState();
  for (const [index, step] of states.entries()) if (step.state !== "ended") step.until = states[index + 1]?.at ?? null;
}

/** Return each state's share of the call, in order. The shares add up to 1. @param {{ steps: TimelineStep[] }} content @param {number} now */
export function shares({ steps }, now) {
  const spans = steps.filter(({ state }) => state !== null && state !== "ended").map(({ state, at, until }) => ({ state, milliseconds: Math.max(0, (until ?? now) - at) }));
  const whole = spans.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  return whole ? spans.map(({ state, milliseconds }) => ({ state, share: milliseconds / whole })) : [];
}
