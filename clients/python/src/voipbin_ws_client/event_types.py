"""The agreed data of each event type.

Sans-I/O. Written by the gateway's `manage.py write_client_types`. Every field may be missing, and further ones may
come: publishers decide what an event contains.
"""

# Long because it has all event types.

from __future__ import annotations

from typing import Any, Literal, TypedDict


class Address(TypedDict, total=False):
    """Part of an event's data."""

    type: str
    """The kind of address. Known values: tel, sip, agent, conference, line."""
    target: str
    """The address: a phone number in E.164, or a SIP address."""
    target_name: str
    """The name of its owner."""


class Caller(TypedDict, total=False):
    """Part of an event's data."""

    name: str
    """The name."""
    queue: str
    """The queue's name."""
    wait: int
    """How long the caller waited. In seconds."""
    previous_calls: int
    """Earlier calls."""
    last_purchase: str | None
    """A remark."""


class CurrentAction(TypedDict, total=False):
    """Part of an event's data."""

    id: str
    """The action."""
    type: str
    """The kind of action. Known values: answer, talk, queue_join, digits_receive."""
    name: str
    """The action's name."""


class CallCreatedData(TypedDict, total=False):
    """Data of call.created."""

    id: str
    """The call."""
    customer_id: str
    """The customer."""
    activeflow_id: str
    """The flow that controls the call."""
    direction: str
    """From the platform's point of view. Known values: inbound, outbound."""
    source: Address | None
    """Who calls or writes."""
    destination: Address | None
    """Who is called or written to."""
    status: str
    """The status of the call. Known values: dialing, ringing, answered, hangup, busy, no-answer, failed, canceled."""
    previous_status: str | None
    """The status before. Known values: dialing, ringing, answered, hangup, busy, no-answer, failed, canceled."""
    queue_id: str | None
    """The queue."""
    queue_name: str | None
    """The queue's name."""
    agent_id: str | None
    """The agent."""
    agent_name: str | None
    """The agent's name."""
    tm_create: str
    """When the resource began to exist."""
    tm_answer: str | None
    """When it was answered."""
    tm_update: str
    """When it last changed."""


class CallCreated(TypedDict):
    """A call begins."""

    event_type: Literal["call.created"]
    timestamp: str
    topic: str
    data: CallCreatedData


class CallStatusData(TypedDict, total=False):
    """Data of call.status."""

    id: str
    """The call."""
    customer_id: str
    """The customer."""
    activeflow_id: str
    """The flow that controls the call."""
    direction: str
    """From the platform's point of view. Known values: inbound, outbound."""
    source: Address | None
    """Who calls or writes."""
    destination: Address | None
    """Who is called or written to."""
    status: str
    """The status of the call. Known values: dialing, ringing, answered, hangup, busy, no-answer, failed, canceled."""
    previous_status: str | None
    """The status before. Known values: dialing, ringing, answered, hangup, busy, no-answer, failed, canceled."""
    queue_id: str | None
    """The queue."""
    queue_name: str | None
    """The queue's name."""
    agent_id: str | None
    """The agent."""
    agent_name: str | None
    """The agent's name."""
    tm_create: str
    """When the resource began to exist."""
    tm_answer: str | None
    """When it was answered."""
    tm_update: str
    """When it last changed."""
    reason: str | None
    """Why the status changed. Known values: no_answer."""
    transferred_from: str | None
    """The agent who transferred the call."""
    missed_by: str | None
    """The agent who did not answer."""
    hangup_reason: str
    """Why the call ended. Known values: normal, busy, cancel, noanswer, failed."""
    hangup_by: str
    """The side that ended it. Known values: local, remote."""
    duration: int
    """How long it lasted since it was answered. In seconds."""
    tm_hangup: str | None
    """When it ended."""


class CallStatus(TypedDict):
    """The status of a call changes: it rings, is answered, or is hung up."""

    event_type: Literal["call.status"]
    timestamp: str
    topic: str
    data: CallStatusData


class CallEndedData(TypedDict, total=False):
    """Data of call.ended."""

    id: str
    """The call."""
    customer_id: str
    """The customer."""
    activeflow_id: str
    """The flow that controls the call."""
    direction: str
    """From the platform's point of view. Known values: inbound, outbound."""
    source: Address | None
    """Who calls or writes."""
    destination: Address | None
    """Who is called or written to."""
    status: str
    """The status of the call. Known values: dialing, ringing, answered, hangup, busy, no-answer, failed, canceled."""
    previous_status: str | None
    """The status before. Known values: dialing, ringing, answered, hangup, busy, no-answer, failed, canceled."""
    queue_id: str | None
    """The queue."""
    queue_name: str | None
    """The queue's name."""
    agent_id: str | None
    """The agent."""
    agent_name: str | None
    """The agent's name."""
    tm_create: str
    """When the resource began to exist."""
    tm_answer: str | None
    """When it was answered."""
    tm_update: str
    """When it last changed."""
    transferred_from: str | None
    """The agent who transferred the call."""
    missed_by: str | None
    """The agent who did not answer."""
    hangup_reason: str
    """Why the call ended. Known values: normal, busy, cancel, noanswer, failed."""
    hangup_by: str
    """The side that ended it. Known values: local, remote."""
    duration: int
    """How long it lasted since it was answered. In seconds."""
    tm_hangup: str | None
    """When it ended."""


class CallEnded(TypedDict):
    """A call is over."""

    event_type: Literal["call.ended"]
    timestamp: str
    topic: str
    data: CallEndedData


class CallAssignedData(TypedDict, total=False):
    """Data of call.assigned."""

    id: str
    """The call."""
    customer_id: str
    """The customer."""
    activeflow_id: str
    """The flow that controls the call."""
    direction: str
    """From the platform's point of view. Known values: inbound, outbound."""
    source: Address | None
    """Who calls or writes."""
    destination: Address | None
    """Who is called or written to."""
    status: str
    """The status of the call. Known values: dialing, ringing, answered, hangup, busy, no-answer, failed, canceled."""
    previous_status: str | None
    """The status before. Known values: dialing, ringing, answered, hangup, busy, no-answer, failed, canceled."""
    queue_id: str | None
    """The queue."""
    queue_name: str | None
    """The queue's name."""
    agent_id: str | None
    """The agent."""
    agent_name: str | None
    """The agent's name."""
    tm_create: str
    """When the resource began to exist."""
    tm_answer: str | None
    """When it was answered."""
    tm_update: str
    """When it last changed."""
    wait_time: int
    """How long the caller waited. In seconds."""
    customer: Caller
    """What the platform knows of the caller."""
    transferred_from: str | None
    """The agent who transferred the call."""


class CallAssigned(TypedDict):
    """A call is given to an agent."""

    event_type: Literal["call.assigned"]
    timestamp: str
    topic: str
    data: CallAssignedData


class CallNotedData(TypedDict, total=False):
    """Data of call.noted."""

    id: str
    """The call."""
    customer_id: str
    """The customer."""
    disposition: str | None
    """How the call went: the code of one of the customer's dispositions."""
    note: str
    """What the agent wrote about the call."""
    agent_id: str | None
    """The agent."""
    agent_name: str | None
    """The agent's name."""


class CallNoted(TypedDict):
    """An agent notes how a call went."""

    event_type: Literal["call.noted"]
    timestamp: str
    topic: str
    data: CallNotedData


class MessageReceivedData(TypedDict, total=False):
    """Data of message.received."""

    id: str
    """The message."""
    customer_id: str
    """The customer."""
    type: str
    """The kind of message. Known values: sms."""
    direction: str
    """From the platform's point of view. Known values: inbound, outbound."""
    source: Address | None
    """Who calls or writes."""
    destination: Address | None
    """Who is called or written to."""
    text: str
    """The text."""
    status: str
    """The status of its delivery. Known values: received, queued, sent, delivered, undelivered, failed."""
    tm_create: str
    """When the resource began to exist."""
    tm_update: str
    """When it last changed."""


class MessageReceived(TypedDict):
    """A text message came in."""

    event_type: Literal["message.received"]
    timestamp: str
    topic: str
    data: MessageReceivedData


class MessageSentData(TypedDict, total=False):
    """Data of message.sent."""

    id: str
    """The message."""
    customer_id: str
    """The customer."""
    type: str
    """The kind of message. Known values: sms."""
    direction: str
    """From the platform's point of view. Known values: inbound, outbound."""
    source: Address | None
    """Who calls or writes."""
    destination: Address | None
    """Who is called or written to."""
    text: str
    """The text."""
    status: str
    """The status of its delivery. Known values: received, queued, sent, delivered, undelivered, failed."""
    tm_create: str
    """When the resource began to exist."""
    tm_update: str
    """When it last changed."""
    automatic: bool
    """Whether a program wrote it."""


class MessageSent(TypedDict):
    """A text message went out."""

    event_type: Literal["message.sent"]
    timestamp: str
    topic: str
    data: MessageSentData


class MessageDeliveryData(TypedDict, total=False):
    """Data of message.delivery."""

    id: str
    """The message."""
    customer_id: str
    """The customer."""
    type: str
    """The kind of message. Known values: sms."""
    direction: str
    """From the platform's point of view. Known values: inbound, outbound."""
    source: Address | None
    """Who calls or writes."""
    destination: Address | None
    """Who is called or written to."""
    text: str
    """The text."""
    status: str
    """The status of its delivery. Known values: received, queued, sent, delivered, undelivered, failed."""
    tm_create: str
    """When the resource began to exist."""
    tm_update: str
    """When it last changed."""
    automatic: bool
    """Whether a program wrote it."""


class MessageDelivery(TypedDict):
    """The status of a message's delivery changes."""

    event_type: Literal["message.delivery"]
    timestamp: str
    topic: str
    data: MessageDeliveryData


class ActiveflowUpdatedData(TypedDict, total=False):
    """Data of activeflow.updated."""

    id: str
    """The running flow."""
    customer_id: str
    """The customer."""
    flow_id: str
    """The flow that it runs."""
    flow_name: str
    """The flow's name."""
    reference_type: str
    """What `reference_id` names. Known values: call."""
    reference_id: str
    """The resource that it belongs to."""
    tm_create: str
    """When the resource began to exist."""
    tm_update: str
    """When it last changed."""
    status: str
    """The status of the flow. Known values: running, ended."""
    current_action: CurrentAction | None
    """The action that runs."""


class ActiveflowUpdated(TypedDict):
    """A call flow runs its next action."""

    event_type: Literal["activeflow.updated"]
    timestamp: str
    topic: str
    data: ActiveflowUpdatedData


class ActiveflowCompletedData(TypedDict, total=False):
    """Data of activeflow.completed."""

    id: str
    """The running flow."""
    customer_id: str
    """The customer."""
    flow_id: str
    """The flow that it runs."""
    flow_name: str
    """The flow's name."""
    reference_type: str
    """What `reference_id` names. Known values: call."""
    reference_id: str
    """The resource that it belongs to."""
    tm_create: str
    """When the resource began to exist."""
    tm_update: str
    """When it last changed."""
    status: str
    """The status of the flow. Known values: running, ended."""
    result: Any
    """How it ended: `completed`, `busy`, `cancel`, `noanswer`."""
    tm_end: str
    """When it ended."""


class ActiveflowCompleted(TypedDict):
    """A call flow is done."""

    event_type: Literal["activeflow.completed"]
    timestamp: str
    topic: str
    data: ActiveflowCompletedData


class ConferenceJoinedData(TypedDict, total=False):
    """Data of conference.joined."""

    conference_id: str
    """The conference."""
    id: str
    """The call's place in the conference, or the conference."""
    customer_id: str
    """The customer."""
    name: str
    """The conference's name."""
    participant_count: int
    """The number of participants after the event."""
    tm_update: str
    """When it last changed."""
    activeflow_id: str
    """The flow that controls the call."""
    call_id: str | None
    """The call."""
    reference_type: str
    """What `reference_id` names. Known values: call."""
    reference_id: str
    """The resource that it belongs to."""
    participant: str
    """The participant's name."""
    status: str
    """The status of the participant. Known values: joined, leaved."""
    tm_join: str
    """When the participant joined."""
    tm_create: str
    """When the resource began to exist."""


class ConferenceJoined(TypedDict):
    """A call enters a conference."""

    event_type: Literal["conference.joined"]
    timestamp: str
    topic: str
    data: ConferenceJoinedData


class ConferenceLeftData(TypedDict, total=False):
    """Data of conference.left."""

    conference_id: str
    """The conference."""
    id: str
    """The call's place in the conference, or the conference."""
    customer_id: str
    """The customer."""
    name: str
    """The conference's name."""
    participant_count: int
    """The number of participants after the event."""
    tm_update: str
    """When it last changed."""
    activeflow_id: str
    """The flow that controls the call."""
    call_id: str | None
    """The call."""
    reference_type: str
    """What `reference_id` names. Known values: call."""
    reference_id: str
    """The resource that it belongs to."""
    participant: str
    """The participant's name."""
    status: str
    """The status of the participant. Known values: joined, leaved."""
    tm_join: str
    """When the participant joined."""
    tm_create: str
    """When the resource began to exist."""
    reason: str
    """Why the participant left. Known values: hangup."""
    tm_leave: str
    """When the participant left."""


class ConferenceLeft(TypedDict):
    """A call leaves a conference."""

    event_type: Literal["conference.left"]
    timestamp: str
    topic: str
    data: ConferenceLeftData


class ConferenceEndedData(TypedDict, total=False):
    """Data of conference.ended."""

    conference_id: str
    """The conference."""
    id: str
    """The call's place in the conference, or the conference."""
    customer_id: str
    """The customer."""
    name: str
    """The conference's name."""
    participant_count: int
    """The number of participants after the event."""
    tm_update: str
    """When it last changed."""
    status: str
    """The status of the conference. Known values: terminated."""
    reason: str
    """Why it ended."""
    tm_end: str
    """When it ended."""


class ConferenceEnded(TypedDict):
    """A conference is over."""

    event_type: Literal["conference.ended"]
    timestamp: str
    topic: str
    data: ConferenceEndedData


class QueueJoinedData(TypedDict, total=False):
    """Data of queue.joined."""

    queue_id: str | None
    """The queue."""
    queue_name: str | None
    """The queue's name."""
    customer_id: str
    """The customer."""
    call_id: str | None
    """The call."""
    agent_id: str | None
    """The agent."""
    source: Address | None
    """Who calls or writes."""
    tm_join: str | None
    """When the call joined the queue."""
    tm_connect: str | None
    """When it was connected to an agent."""
    position: int
    """Its position in the queue, from 1."""
    estimated_wait: float
    """How long it will probably wait. In seconds."""


class QueueJoined(TypedDict):
    """A call waits in a queue."""

    event_type: Literal["queue.joined"]
    timestamp: str
    topic: str
    data: QueueJoinedData


class QueueConnectingData(TypedDict, total=False):
    """Data of queue.connecting."""

    queue_id: str | None
    """The queue."""
    queue_name: str | None
    """The queue's name."""
    customer_id: str
    """The customer."""
    call_id: str | None
    """The call."""
    agent_id: str | None
    """The agent."""
    source: Address | None
    """Who calls or writes."""
    tm_join: str | None
    """When the call joined the queue."""
    tm_connect: str | None
    """When it was connected to an agent."""


class QueueConnecting(TypedDict):
    """A waiting call rings at an agent."""

    event_type: Literal["queue.connecting"]
    timestamp: str
    topic: str
    data: QueueConnectingData


class QueueConnectedData(TypedDict, total=False):
    """Data of queue.connected."""

    queue_id: str | None
    """The queue."""
    queue_name: str | None
    """The queue's name."""
    customer_id: str
    """The customer."""
    call_id: str | None
    """The call."""
    agent_id: str | None
    """The agent."""
    source: Address | None
    """Who calls or writes."""
    tm_join: str | None
    """When the call joined the queue."""
    tm_connect: str | None
    """When it was connected to an agent."""
    wait_time: int
    """How long the caller waited. In seconds."""


class QueueConnected(TypedDict):
    """A waiting call is connected to an agent."""

    event_type: Literal["queue.connected"]
    timestamp: str
    topic: str
    data: QueueConnectedData


class QueueLeftData(TypedDict, total=False):
    """Data of queue.left."""

    queue_id: str | None
    """The queue."""
    queue_name: str | None
    """The queue's name."""
    customer_id: str
    """The customer."""
    call_id: str | None
    """The call."""
    agent_id: str | None
    """The agent."""
    source: Address | None
    """Who calls or writes."""
    tm_join: str | None
    """When the call joined the queue."""
    tm_connect: str | None
    """When it was connected to an agent."""
    reason: str | None
    """Why it left. Known values: done, abandoned, transferred, deleted."""
    wait_time: int
    """How long the caller waited. In seconds."""


class QueueLeft(TypedDict):
    """A call leaves a queue."""

    event_type: Literal["queue.left"]
    timestamp: str
    topic: str
    data: QueueLeftData


class AgentStatusData(TypedDict, total=False):
    """Data of agent.status."""

    agent_id: str | None
    """The agent."""
    id: str
    """The agent, as `agent_id`."""
    customer_id: str
    """The customer."""
    name: str
    """The agent's name."""
    status: str
    """The status of the agent. Known values: available, away, busy, offline, ringing."""
    previous_status: str | None
    """The status before. Known values: available, away, busy, offline, ringing."""
    call_id: str | None
    """The call."""
    cause: str
    """Why it changed, if no person chose it and no call did. Known values: connection_lost."""
    tm_update: str
    """When it last changed."""
    away_reason: str | None
    """Why the agent is away: the label of one of the customer's reasons."""
    returns_at: str | None
    """When the agent expects to return."""
    set_by: str | None
    """The person who chose the status."""
    set_by_name: str | None
    """The name of that person."""


class AgentStatus(TypedDict):
    """The status of an agent changes."""

    event_type: Literal["agent.status"]
    timestamp: str
    topic: str
    data: AgentStatusData


class SlaBreachedData(TypedDict, total=False):
    """Data of sla.breached."""

    id: str
    """The queue, as `queue_id`."""
    queue_id: str | None
    """The queue."""
    queue_name: str | None
    """The queue's name."""
    customer_id: str
    """The customer."""
    service_level: float
    """The share of the last hour's callers who were answered in time; missing without callers. In per cent."""
    target_percent: int
    """The share that is the target. In per cent."""
    target_seconds: int
    """The time in which a caller should be answered. In seconds."""
    waiting: int
    """The callers who wait in the queue."""
    longest_wait_seconds: int
    """How long the first of them has waited. In seconds."""
    since: str
    """Since when the queue has missed its target."""


class SlaBreached(TypedDict):
    """A queue misses its target; the gateway publishes it."""

    event_type: Literal["sla.breached"]
    timestamp: str
    topic: str
    data: SlaBreachedData


class SlaClearedData(TypedDict, total=False):
    """Data of sla.cleared."""

    id: str
    """The queue, as `queue_id`."""
    queue_id: str | None
    """The queue."""
    queue_name: str | None
    """The queue's name."""
    customer_id: str
    """The customer."""
    service_level: float
    """The share of the last hour's callers who were answered in time; missing without callers. In per cent."""
    target_percent: int
    """The share that is the target. In per cent."""
    target_seconds: int
    """The time in which a caller should be answered. In seconds."""
    waiting: int
    """The callers who wait in the queue."""
    longest_wait_seconds: int
    """How long the first of them has waited. In seconds."""
    since: str
    """Since when the queue has missed its target."""


class SlaCleared(TypedDict):
    """A queue meets its target again."""

    event_type: Literal["sla.cleared"]
    timestamp: str
    topic: str
    data: SlaClearedData


class AgentPresenceData(TypedDict, total=False):
    """Data of agent.presence."""

    agent_id: str | None
    """The agent."""
    id: str
    """The agent, as `agent_id`."""
    customer_id: str
    """The customer."""
    name: str
    """The agent's name."""
    connected: bool
    """Whether a connection with the agent's own token is open."""
    since: str
    """Since when it is so."""


class AgentPresence(TypedDict):
    """An agent's desktop is connected, or no longer."""

    event_type: Literal["agent.presence"]
    timestamp: str
    topic: str
    data: AgentPresenceData


class RecordingStartedData(TypedDict, total=False):
    """Data of recording.started."""

    id: str
    """The recording."""
    customer_id: str
    """The customer."""
    call_id: str | None
    """The call."""
    reference_type: str
    """What `reference_id` names. Known values: call."""
    reference_id: str
    """The resource that it belongs to."""
    owner_type: str
    """What `owner_id` names. Known values: agent."""
    owner_id: str
    """The owner, to whom the event is delivered too."""
    format: str
    """The file format. Known values: wav, mp3."""
    status: str
    """The status of the recording. Known values: recording, ended."""
    tm_start: str
    """When it began."""
    tm_create: str
    """When the resource began to exist."""
    tm_update: str
    """When it last changed."""


class RecordingStarted(TypedDict):
    """A recording begins."""

    event_type: Literal["recording.started"]
    timestamp: str
    topic: str
    data: RecordingStartedData


class RecordingCompletedData(TypedDict, total=False):
    """Data of recording.completed."""

    id: str
    """The recording."""
    customer_id: str
    """The customer."""
    call_id: str | None
    """The call."""
    reference_type: str
    """What `reference_id` names. Known values: call."""
    reference_id: str
    """The resource that it belongs to."""
    owner_type: str
    """What `owner_id` names. Known values: agent."""
    owner_id: str
    """The owner, to whom the event is delivered too."""
    format: str
    """The file format. Known values: wav, mp3."""
    status: str
    """The status of the recording. Known values: recording, ended."""
    tm_start: str
    """When it began."""
    tm_create: str
    """When the resource began to exist."""
    tm_update: str
    """When it last changed."""
    duration: float
    """How long it is. In seconds."""
    size: int
    """The size of the file. In bytes."""
    reference_url: str
    """Where to get the file."""
    tm_end: str
    """When it ended."""


class RecordingCompleted(TypedDict):
    """A recording is ready."""

    event_type: Literal["recording.completed"]
    timestamp: str
    topic: str
    data: RecordingCompletedData


class TranscriptionCompletedData(TypedDict, total=False):
    """Data of transcription.completed."""

    transcription_id: str
    """The transcription."""
    id: str
    """The transcription, as `transcription_id`."""
    customer_id: str
    """The customer."""
    call_id: str | None
    """The call."""
    recording_id: str
    """The recording."""
    reference_type: str
    """What `reference_id` names. Known values: call."""
    reference_id: str
    """The resource that it belongs to."""
    owner_type: str
    """What `owner_id` names. Known values: agent."""
    owner_id: str
    """The owner, to whom the event is delivered too."""
    status: str
    """The status of the transcription. Known values: done."""
    language: str
    """The language (BCP 47)."""
    text: str
    """The text."""
    tm_create: str
    """When the resource began to exist."""
    tm_update: str
    """When it last changed."""


class TranscriptionCompleted(TypedDict):
    """A transcription is ready."""

    event_type: Literal["transcription.completed"]
    timestamp: str
    topic: str
    data: TranscriptionCompletedData


AgreedEvent = (
    CallCreated
    | CallStatus
    | CallEnded
    | CallAssigned
    | CallNoted
    | MessageReceived
    | MessageSent
    | MessageDelivery
    | ActiveflowUpdated
    | ActiveflowCompleted
    | ConferenceJoined
    | ConferenceLeft
    | ConferenceEnded
    | QueueJoined
    | QueueConnecting
    | QueueConnected
    | QueueLeft
    | AgentStatus
    | SlaBreached
    | SlaCleared
    | AgentPresence
    | RecordingStarted
    | RecordingCompleted
    | TranscriptionCompleted
)
"""The frame of an event: comparing its `event_type` selects its data."""
