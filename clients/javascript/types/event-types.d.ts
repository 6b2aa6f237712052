/**
 * The agreed data of each event type. Written by the gateway's `manage.py write_client_types`.
 *
 * Every field may be missing, and further ones may come: publishers decide what an event contains. Write
 * `event as AgreedEvent` in a handler: a comparison of its `event_type` then selects its data.
 */

/** Part of an event's data. */
export interface Address {
  /** The kind of address. Known values: tel, sip, agent, conference, line. */
  type?: string;
  /** The address: a phone number in E.164, or a SIP address. */
  target?: string;
  /** The name of its owner. */
  target_name?: string;
}

/** Part of an event's data. */
export interface Caller {
  /** The name. */
  name?: string;
  /** The queue's name. */
  queue?: string;
  /** How long the caller waited. In seconds. */
  wait?: number;
  /** Earlier calls. */
  previous_calls?: number;
  /** A remark. */
  last_purchase?: string | null;
}

/** Part of an event's data. */
export interface CurrentAction {
  /** The action. */
  id?: string;
  /** The kind of action. Known values: answer, talk, queue_join, digits_receive. */
  type?: string;
  /** The action's name. */
  name?: string;
}

/** Data of call.created. A call begins. */
export interface CallCreatedData {
  /** The call. */
  id?: string;
  /** The customer. */
  customer_id?: string;
  /** The flow that controls the call. */
  activeflow_id?: string;
  /** From the platform's point of view. Known values: inbound, outbound. */
  direction?: string;
  /** Who calls or writes. */
  source?: Address | null;
  /** Who is called or written to. */
  destination?: Address | null;
  /** The status of the call. Known values: dialing, ringing, answered, hangup, busy, no-answer, failed, canceled. */
  status?: string;
  /** The status before. Known values: dialing, ringing, answered, hangup, busy, no-answer, failed, canceled. */
  previous_status?: string | null;
  /** The queue. */
  queue_id?: string | null;
  /** The queue's name. */
  queue_name?: string | null;
  /** The agent. */
  agent_id?: string | null;
  /** The agent's name. */
  agent_name?: string | null;
  /** When the resource began to exist. */
  tm_create?: string;
  /** When it was answered. */
  tm_answer?: string | null;
  /** When it last changed. */
  tm_update?: string;
}

/** Data of call.status. The status of a call changes: it rings, is answered, or is hung up. */
export interface CallStatusData {
  /** The call. */
  id?: string;
  /** The customer. */
  customer_id?: string;
  /** The flow that controls the call. */
  activeflow_id?: string;
  /** From the platform's point of view. Known values: inbound, outbound. */
  direction?: string;
  /** Who calls or writes. */
  source?: Address | null;
  /** Who is called or written to. */
  destination?: Address | null;
  /** The status of the call. Known values: dialing, ringing, answered, hangup, busy, no-answer, failed, canceled. */
  status?: string;
  /** The status before. Known values: dialing, ringing, answered, hangup, busy, no-answer, failed, canceled. */
  previous_status?: string | null;
  /** The queue. */
  queue_id?: string | null;
  /** The queue's name. */
  queue_name?: string | null;
  /** The agent. */
  agent_id?: string | null;
  /** The agent's name. */
  agent_name?: string | null;
  /** When the resource began to exist. */
  tm_create?: string;
  /** When it was answered. */
  tm_answer?: string | null;
  /** When it last changed. */
  tm_update?: string;
  /** Why the status changed. Known values: no_answer. */
  reason?: string | null;
  /** The agent who transferred the call. */
  transferred_from?: string | null;
  /** The agent who did not answer. */
  missed_by?: string | null;
  /** Why the call ended. Known values: normal, busy, cancel, noanswer, failed. */
  hangup_reason?: string;
  /** The side that ended it. Known values: local, remote. */
  hangup_by?: string;
  /** How long it lasted since it was answered. In seconds. */
  duration?: number;
  /** When it ended. */
  tm_hangup?: string | null;
}

/** Data of call.ended. A call is over. */
export interface CallEndedData {
  /** The call. */
  id?: string;
  /** The customer. */
  customer_id?: string;
  /** The flow that controls the call. */
  activeflow_id?: string;
  /** From the platform's point of view. Known values: inbound, outbound. */
  direction?: string;
  /** Who calls or writes. */
  source?: Address | null;
  /** Who is called or written to. */
  destination?: Address | null;
  /** The status of the call. Known values: dialing, ringing, answered, hangup, busy, no-answer, failed, canceled. */
  status?: string;
  /** The status before. Known values: dialing, ringing, answered, hangup, busy, no-answer, failed, canceled. */
  previous_status?: string | null;
  /** The queue. */
  queue_id?: string | null;
  /** The queue's name. */
  queue_name?: string | null;
  /** The agent. */
  agent_id?: string | null;
  /** The agent's name. */
  agent_name?: string | null;
  /** When the resource began to exist. */
  tm_create?: string;
  /** When it was answered. */
  tm_answer?: string | null;
  /** When it last changed. */
  tm_update?: string;
  /** The agent who transferred the call. */
  transferred_from?: string | null;
  /** The agent who did not answer. */
  missed_by?: string | null;
  /** Why the call ended. Known values: normal, busy, cancel, noanswer, failed. */
  hangup_reason?: string;
  /** The side that ended it. Known values: local, remote. */
  hangup_by?: string;
  /** How long it lasted since it was answered. In seconds. */
  duration?: number;
  /** When it ended. */
  tm_hangup?: string | null;
}

/** Data of call.assigned. A call is given to an agent. */
export interface CallAssignedData {
  /** The call. */
  id?: string;
  /** The customer. */
  customer_id?: string;
  /** The flow that controls the call. */
  activeflow_id?: string;
  /** From the platform's point of view. Known values: inbound, outbound. */
  direction?: string;
  /** Who calls or writes. */
  source?: Address | null;
  /** Who is called or written to. */
  destination?: Address | null;
  /** The status of the call. Known values: dialing, ringing, answered, hangup, busy, no-answer, failed, canceled. */
  status?: string;
  /** The status before. Known values: dialing, ringing, answered, hangup, busy, no-answer, failed, canceled. */
  previous_status?: string | null;
  /** The queue. */
  queue_id?: string | null;
  /** The queue's name. */
  queue_name?: string | null;
  /** The agent. */
  agent_id?: string | null;
  /** The agent's name. */
  agent_name?: string | null;
  /** When the resource began to exist. */
  tm_create?: string;
  /** When it was answered. */
  tm_answer?: string | null;
  /** When it last changed. */
  tm_update?: string;
  /** How long the caller waited. In seconds. */
  wait_time?: number;
  /** What the platform knows of the caller. */
  customer?: Caller;
  /** The agent who transferred the call. */
  transferred_from?: string | null;
}

/** Data of call.noted. An agent notes how a call went. */
export interface CallNotedData {
  /** The call. */
  id?: string;
  /** The customer. */
  customer_id?: string;
  /** How the call went: the code of one of the customer's dispositions. */
  disposition?: string | null;
  /** What the agent wrote about the call. */
  note?: string;
  /** The agent. */
  agent_id?: string | null;
  /** The agent's name. */
  agent_name?: string | null;
}

/** Data of message.received. A text message came in. */
export interface MessageReceivedData {
  /** The message. */
  id?: string;
  /** The customer. */
  customer_id?: string;
  /** The kind of message. Known values: sms. */
  type?: string;
  /** From the platform's point of view. Known values: inbound, outbound. */
  direction?: string;
  /** Who calls or writes. */
  source?: Address | null;
  /** Who is called or written to. */
  destination?: Address | null;
  /** The text. */
  text?: string;
  /** The status of its delivery. Known values: received, queued, sent, delivered, undelivered, failed. */
  status?: string;
  /** When the resource began to exist. */
  tm_create?: string;
  /** When it last changed. */
  tm_update?: string;
}

/** Data of message.sent. A text message went out. */
export interface MessageSentData {
  /** The message. */
  id?: string;
  /** The customer. */
  customer_id?: string;
  /** The kind of message. Known values: sms. */
  type?: string;
  /** From the platform's point of view. Known values: inbound, outbound. */
  direction?: string;
  /** Who calls or writes. */
  source?: Address | null;
  /** Who is called or written to. */
  destination?: Address | null;
  /** The text. */
  text?: string;
  /** The status of its delivery. Known values: received, queued, sent, delivered, undelivered, failed. */
  status?: string;
  /** When the resource began to exist. */
  tm_create?: string;
  /** When it last changed. */
  tm_update?: string;
  /** Whether a program wrote it. */
  automatic?: boolean;
}

/** Data of message.delivery. The status of a message's delivery changes. */
export interface MessageDeliveryData {
  /** The message. */
  id?: string;
  /** The customer. */
  customer_id?: string;
  /** The kind of message. Known values: sms. */
  type?: string;
  /** From the platform's point of view. Known values: inbound, outbound. */
  direction?: string;
  /** Who calls or writes. */
  source?: Address | null;
  /** Who is called or written to. */
  destination?: Address | null;
  /** The text. */
  text?: string;
  /** The status of its delivery. Known values: received, queued, sent, delivered, undelivered, failed. */
  status?: string;
  /** When the resource began to exist. */
  tm_create?: string;
  /** When it last changed. */
  tm_update?: string;
  /** Whether a program wrote it. */
  automatic?: boolean;
}

/** Data of activeflow.updated. A call flow runs its next action. */
export interface ActiveflowUpdatedData {
  /** The running flow. */
  id?: string;
  /** The customer. */
  customer_id?: string;
  /** The flow that it runs. */
  flow_id?: string;
  /** The flow's name. */
  flow_name?: string;
  /** What `reference_id` names. Known values: call. */
  reference_type?: string;
  /** The resource that it belongs to. */
  reference_id?: string;
  /** When the resource began to exist. */
  tm_create?: string;
  /** When it last changed. */
  tm_update?: string;
  /** The status of the flow. Known values: running, ended. */
  status?: string;
  /** The action that runs. */
  current_action?: CurrentAction | null;
}

/** Data of activeflow.completed. A call flow is done. */
export interface ActiveflowCompletedData {
  /** The running flow. */
  id?: string;
  /** The customer. */
  customer_id?: string;
  /** The flow that it runs. */
  flow_id?: string;
  /** The flow's name. */
  flow_name?: string;
  /** What `reference_id` names. Known values: call. */
  reference_type?: string;
  /** The resource that it belongs to. */
  reference_id?: string;
  /** When the resource began to exist. */
  tm_create?: string;
  /** When it last changed. */
  tm_update?: string;
  /** The status of the flow. Known values: running, ended. */
  status?: string;
  /** How it ended: `completed`, `busy`, `cancel`, `noanswer`. */
  result?: unknown;
  /** When it ended. */
  tm_end?: string;
}

/** Data of conference.joined. A call enters a conference. */
export interface ConferenceJoinedData {
  /** The conference. */
  conference_id?: string;
  /** The call's place in the conference, or the conference. */
  id?: string;
  /** The customer. */
  customer_id?: string;
  /** The conference's name. */
  name?: string;
  /** The number of participants after the event. */
  participant_count?: number;
  /** When it last changed. */
  tm_update?: string;
  /** The flow that controls the call. */
  activeflow_id?: string;
  /** The call. */
  call_id?: string | null;
  /** What `reference_id` names. Known values: call. */
  reference_type?: string;
  /** The resource that it belongs to. */
  reference_id?: string;
  /** The participant's name. */
  participant?: string;
  /** The status of the participant. Known values: joined, leaved. */
  status?: string;
  /** When the participant joined. */
  tm_join?: string;
  /** When the resource began to exist. */
  tm_create?: string;
}

/** Data of conference.left. A call leaves a conference. */
export interface ConferenceLeftData {
  /** The conference. */
  conference_id?: string;
  /** The call's place in the conference, or the conference. */
  id?: string;
  /** The customer. */
  customer_id?: string;
  /** The conference's name. */
  name?: string;
  /** The number of participants after the event. */
  participant_count?: number;
  /** When it last changed. */
  tm_update?: string;
  /** The flow that controls the call. */
  activeflow_id?: string;
  /** The call. */
  call_id?: string | null;
  /** What `reference_id` names. Known values: call. */
  reference_type?: string;
  /** The resource that it belongs to. */
  reference_id?: string;
  /** The participant's name. */
  participant?: string;
  /** The status of the participant. Known values: joined, leaved. */
  status?: string;
  /** When the participant joined. */
  tm_join?: string;
  /** When the resource began to exist. */
  tm_create?: string;
  /** Why the participant left. Known values: hangup. */
  reason?: string;
  /** When the participant left. */
  tm_leave?: string;
}

/** Data of conference.ended. A conference is over. */
export interface ConferenceEndedData {
  /** The conference. */
  conference_id?: string;
  /** The call's place in the conference, or the conference. */
  id?: string;
  /** The customer. */
  customer_id?: string;
  /** The conference's name. */
  name?: string;
  /** The number of participants after the event. */
  participant_count?: number;
  /** When it last changed. */
  tm_update?: string;
  /** The status of the conference. Known values: terminated. */
  status?: string;
  /** Why it ended. */
  reason?: string;
  /** When it ended. */
  tm_end?: string;
}

/** Data of queue.joined. A call waits in a queue. */
export interface QueueJoinedData {
  /** The queue. */
  queue_id?: string | null;
  /** The queue's name. */
  queue_name?: string | null;
  /** The customer. */
  customer_id?: string;
  /** The call. */
  call_id?: string | null;
  /** The agent. */
  agent_id?: string | null;
  /** Who calls or writes. */
  source?: Address | null;
  /** When the call joined the queue. */
  tm_join?: string | null;
  /** When it was connected to an agent. */
  tm_connect?: string | null;
  /** Its position in the queue, from 1. */
  position?: number;
  /** How long it will probably wait. In seconds. */
  estimated_wait?: number;
}

/** Data of queue.connecting. A waiting call rings at an agent. */
export interface QueueConnectingData {
  /** The queue. */
  queue_id?: string | null;
  /** The queue's name. */
  queue_name?: string | null;
  /** The customer. */
  customer_id?: string;
  /** The call. */
  call_id?: string | null;
  /** The agent. */
  agent_id?: string | null;
  /** Who calls or writes. */
  source?: Address | null;
  /** When the call joined the queue. */
  tm_join?: string | null;
  /** When it was connected to an agent. */
  tm_connect?: string | null;
}

/** Data of queue.connected. A waiting call is connected to an agent. */
export interface QueueConnectedData {
  /** The queue. */
  queue_id?: string | null;
  /** The queue's name. */
  queue_name?: string | null;
  /** The customer. */
  customer_id?: string;
  /** The call. */
  call_id?: string | null;
  /** The agent. */
  agent_id?: string | null;
  /** Who calls or writes. */
  source?: Address | null;
  /** When the call joined the queue. */
  tm_join?: string | null;
  /** When it was connected to an agent. */
  tm_connect?: string | null;
  /** How long the caller waited. In seconds. */
  wait_time?: number;
}

/** Data of queue.left. A call leaves a queue. */
export interface QueueLeftData {
  /** The queue. */
  queue_id?: string | null;
  /** The queue's name. */
  queue_name?: string | null;
  /** The customer. */
  customer_id?: string;
  /** The call. */
  call_id?: string | null;
  /** The agent. */
  agent_id?: string | null;
  /** Who calls or writes. */
  source?: Address | null;
  /** When the call joined the queue. */
  tm_join?: string | null;
  /** When it was connected to an agent. */
  tm_connect?: string | null;
  /** Why it left. Known values: done, abandoned, transferred, deleted. */
  reason?: string | null;
  /** How long the caller waited. In seconds. */
  wait_time?: number;
}

/** Data of agent.status. The status of an agent changes. */
export interface AgentStatusData {
  /** The agent. */
  agent_id?: string | null;
  /** The agent, as `agent_id`. */
  id?: string;
  /** The customer. */
  customer_id?: string;
  /** The agent's name. */
  name?: string;
  /** The status of the agent. Known values: available, away, busy, offline, ringing. */
  status?: string;
  /** The status before. Known values: available, away, busy, offline, ringing. */
  previous_status?: string | null;
  /** The call. */
  call_id?: string | null;
  /** Why it changed, if no person chose it and no call did. Known values: connection_lost. */
  cause?: string;
  /** When it last changed. */
  tm_update?: string;
  /** Why the agent is away: the label of one of the customer's reasons. */
  away_reason?: string | null;
  /** When the agent expects to return. */
  returns_at?: string | null;
  /** The person who chose the status. */
  set_by?: string | null;
  /** The name of that person. */
  set_by_name?: string | null;
}

/** Data of sla.breached. A queue misses its target; the gateway publishes it. */
export interface SlaBreachedData {
  /** The queue, as `queue_id`. */
  id?: string;
  /** The queue. */
  queue_id?: string | null;
  /** The queue's name. */
  queue_name?: string | null;
  /** The customer. */
  customer_id?: string;
  /** The share of the last hour's callers who were answered in time; missing without callers. In per cent. */
  service_level?: number;
  /** The share that is the target. In per cent. */
  target_percent?: number;
  /** The time in which a caller should be answered. In seconds. */
  target_seconds?: number;
  /** The callers who wait in the queue. */
  waiting?: number;
  /** How long the first of them has waited. In seconds. */
  longest_wait_seconds?: number;
  /** Since when the queue has missed its target. */
  since?: string;
}

/** Data of sla.cleared. A queue meets its target again. */
export interface SlaClearedData {
  /** The queue, as `queue_id`. */
  id?: string;
  /** The queue. */
  queue_id?: string | null;
  /** The queue's name. */
  queue_name?: string | null;
  /** The customer. */
  customer_id?: string;
  /** The share of the last hour's callers who were answered in time; missing without callers. In per cent. */
  service_level?: number;
  /** The share that is the target. In per cent. */
  target_percent?: number;
  /** The time in which a caller should be answered. In seconds. */
  target_seconds?: number;
  /** The callers who wait in the queue. */
  waiting?: number;
  /** How long the first of them has waited. In seconds. */
  longest_wait_seconds?: number;
  /** Since when the queue has missed its target. */
  since?: string;
}

/** Data of agent.presence. An agent's desktop is connected, or no longer. */
export interface AgentPresenceData {
  /** The agent. */
  agent_id?: string | null;
  /** The agent, as `agent_id`. */
  id?: string;
  /** The customer. */
  customer_id?: string;
  /** The agent's name. */
  name?: string;
  /** Whether a connection with the agent's own token is open. */
  connected?: boolean;
  /** Since when it is so. */
  since?: string;
}

/** Data of recording.started. A recording begins. */
export interface RecordingStartedData {
  /** The recording. */
  id?: string;
  /** The customer. */
  customer_id?: string;
  /** The call. */
  call_id?: string | null;
  /** What `reference_id` names. Known values: call. */
  reference_type?: string;
  /** The resource that it belongs to. */
  reference_id?: string;
  /** What `owner_id` names. Known values: agent. */
  owner_type?: string;
  /** The owner, to whom the event is delivered too. */
  owner_id?: string;
  /** The file format. Known values: wav, mp3. */
  format?: string;
  /** The status of the recording. Known values: recording, ended. */
  status?: string;
  /** When it began. */
  tm_start?: string;
  /** When the resource began to exist. */
  tm_create?: string;
  /** When it last changed. */
  tm_update?: string;
}

/** Data of recording.completed. A recording is ready. */
export interface RecordingCompletedData {
  /** The recording. */
  id?: string;
  /** The customer. */
  customer_id?: string;
  /** The call. */
  call_id?: string | null;
  /** What `reference_id` names. Known values: call. */
  reference_type?: string;
  /** The resource that it belongs to. */
  reference_id?: string;
  /** What `owner_id` names. Known values: agent. */
  owner_type?: string;
  /** The owner, to whom the event is delivered too. */
  owner_id?: string;
  /** The file format. Known values: wav, mp3. */
  format?: string;
  /** The status of the recording. Known values: recording, ended. */
  status?: string;
  /** When it began. */
  tm_start?: string;
  /** When the resource began to exist. */
  tm_create?: string;
  /** When it last changed. */
  tm_update?: string;
  /** How long it is. In seconds. */
  duration?: number;
  /** The size of the file. In bytes. */
  size?: number;
  /** Where to get the file. */
  reference_url?: string;
  /** When it ended. */
  tm_end?: string;
}

/** Data of transcription.completed. A transcription is ready. */
export interface TranscriptionCompletedData {
  /** The transcription. */
  transcription_id?: string;
  /** The transcription, as `transcription_id`. */
  id?: string;
  /** The customer. */
  customer_id?: string;
  /** The call. */
  call_id?: string | null;
  /** The recording. */
  recording_id?: string;
  /** What `reference_id` names. Known values: call. */
  reference_type?: string;
  /** The resource that it belongs to. */
  reference_id?: string;
  /** What `owner_id` names. Known values: agent. */
  owner_type?: string;
  /** The owner, to whom the event is delivered too. */
  owner_id?: string;
  /** The status of the transcription. Known values: done. */
  status?: string;
  /** The language (BCP 47). */
  language?: string;
  /** The text. */
  text?: string;
  /** When the resource began to exist. */
  tm_create?: string;
  /** When it last changed. */
  tm_update?: string;
}

/** An event by its event type. */
export type AgreedEvent =
  | { event_type: "call.created"; timestamp: string; topic: string; id: string; cursor: string; data: CallCreatedData }
  | { event_type: "call.status"; timestamp: string; topic: string; id: string; cursor: string; data: CallStatusData }
  | { event_type: "call.ended"; timestamp: string; topic: string; id: string; cursor: string; data: CallEndedData }
  | { event_type: "call.assigned"; timestamp: string; topic: string; id: string; cursor: string; data: CallAssignedData }
  | { event_type: "call.noted"; timestamp: string; topic: string; id: string; cursor: string; data: CallNotedData }
  | { event_type: "message.received"; timestamp: string; topic: string; id: string; cursor: string; data: MessageReceivedData }
  | { event_type: "message.sent"; timestamp: string; topic: string; id: string; cursor: string; data: MessageSentData }
  | { event_type: "message.delivery"; timestamp: string; topic: string; id: string; cursor: string; data: MessageDeliveryData }
  | { event_type: "activeflow.updated"; timestamp: string; topic: string; id: string; cursor: string; data: ActiveflowUpdatedData }
  | { event_type: "activeflow.completed"; timestamp: string; topic: string; id: string; cursor: string; data: ActiveflowCompletedData }
  | { event_type: "conference.joined"; timestamp: string; topic: string; id: string; cursor: string; data: ConferenceJoinedData }
  | { event_type: "conference.left"; timestamp: string; topic: string; id: string; cursor: string; data: ConferenceLeftData }
  | { event_type: "conference.ended"; timestamp: string; topic: string; id: string; cursor: string; data: ConferenceEndedData }
  | { event_type: "queue.joined"; timestamp: string; topic: string; id: string; cursor: string; data: QueueJoinedData }
  | { event_type: "queue.connecting"; timestamp: string; topic: string; id: string; cursor: string; data: QueueConnectingData }
  | { event_type: "queue.connected"; timestamp: string; topic: string; id: string; cursor: string; data: QueueConnectedData }
  | { event_type: "queue.left"; timestamp: string; topic: string; id: string; cursor: string; data: QueueLeftData }
  | { event_type: "agent.status"; timestamp: string; topic: string; id: string; cursor: string; data: AgentStatusData }
  | { event_type: "sla.breached"; timestamp: string; topic: string; id: string; cursor: string; data: SlaBreachedData }
  | { event_type: "sla.cleared"; timestamp: string; topic: string; id: string; cursor: string; data: SlaClearedData }
  | { event_type: "agent.presence"; timestamp: string; topic: string; id: string; cursor: string; data: AgentPresenceData }
  | { event_type: "recording.started"; timestamp: string; topic: string; id: string; cursor: string; data: RecordingStartedData }
  | { event_type: "recording.completed"; timestamp: string; topic: string; id: string; cursor: string; data: RecordingCompletedData }
  | { event_type: "transcription.completed"; timestamp: string; topic: string; id: string; cursor: string; data: TranscriptionCompletedData };
