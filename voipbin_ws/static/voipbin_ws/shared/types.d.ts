/** Types that several scripts use: the gateway's events and answers, and the pages' own models. */

type GatewayEvent = import("../event-client.js").GatewayEvent;
type EventHandler = import("../event-client.js").EventHandler;

type Part = import("./dom.js").Part;
type LiveData = import("./live-data.js").LiveData;
type Call = import("./call.js").Call;
type Party = { number: string; name: string };

type Board = import("../dashboard/board.js").Board;
type ViewOptions = import("../dashboard/view-options.js").ViewOptions;

/** The events of a call, and what they make of it. */
interface TimelineContent {
  call: Call; // As it is now.
  steps: TimelineStep[];
  queues: string[];
  agents: string[];
  recordings: Recording[];
  hangup: string; // Why the call ended, and by which side.
  isWhole: boolean; // Whether the first event is still stored.
}

interface TimelineStep {
  key: string;
  at: number;
  until: number | null; // When the next state began.
  state: string | null; // The state that began; `null` if the event changed nothing.
  title: string;
  note: string;
  event: GatewayEvent;
  leaves?: string; // How the call left a queue.
}

type TimelineNames = { agents: Map<string, string>; queues: Map<string, string> }; // By id, as the events give them.
type Recording = { id: string; seconds: number | null; isRunning: boolean; url: string | null };

type Desk = import("../agent-desktop/desk.js").Desk;
type DeskCall = import("../agent-desktop/desk-call.js").DeskCall;
type Outcome = "missed" | "abandoned" | "transferred" | "voicemail" | "ended"; // How a call ended at a desk.
type Toasts = import("../agent-desktop/alerts.js").Toasts;

type Message = { id: string; isInbound: boolean; text: string; at: number; status: string; isAutomatic: boolean };

/** The messages to and from one number. */
interface Thread {
  key: string; // The number in E.164, or the id of a message if the number is withheld or masked.
  number: string; // As it was last spelled; "" for none.
  name: string;
  messages: Message[];
  unread: number;
  optedOutAt: number | null;
  at: number; // When the last message came.
  version: number; // Grows with each change.
  next: string | null | undefined; // The place of the next page of earlier messages: `null` for none, `undefined` before the first.
}

/** How numbers are dialled in the customer's region. */
interface Dialing {
  country_code: string;
  national_prefix: string;
  international_prefix: string;
  national_digits: number;
  national_pattern: string;
}

type Disposition = { code: string; label: string };
type AwayReason = { code: string; label: string; minutes: number | null };
type QuickReply = { title: string; text: string };

/** What the customer has set for the desktops of its agents. */
interface DeskSettings {
  dispositions: Disposition[];
  away_reasons: AwayReason[];
  quick_replies: QuickReply[];
  crm_url: string;
}

type Agent = { id: string; name: string; role?: string; status?: string; status_changed_at?: string; teams?: string[] };
type Queue = { id: string; name: string; agent_ids?: string[] | null };

/** The answer of /v1.0/me. `agent` is `null` for an access key that belongs to no agent. */
interface Me {
  customer: { id: string; name: string };
  agent: Agent | null;
  role: string | null;
  topics: string[];
  queues: Queue[];
  agents: Agent[];
  masks_numbers?: boolean;
  may_reveal_numbers?: boolean;
  dialing?: Dialing | null;
  desk?: DeskSettings;
}

/** The answer of /v1.0/actions. */
type Actions = { available: boolean; reason: string; message: boolean };
/** What the account may do with calls and with other agents, by the same answer. */
type PermittedActions = { call: string[]; agent: string[] };

/** What a page has read before it subscribes. */
interface Loaded {
  cursor: string | null; // The log's position at which the state was read.
  topics: string[]; // None if the page shows no live data.
  needsAll?: boolean; // Whether the session ends if one of the topics is refused.
  show(): void;
}

/** The board's numbers. */
interface Summary {
  states: Record<string, number>; // Calls by their state.
  active: number;
  waiting: number;
  oldest: { queueId: string; since: number } | null; // The longest wait.
  queues: Map<string, QueueSummary>;
  agents: AgentCounts;
}

type QueueSummary = { waiting: number; talking: number; oldest: number | null; serving: number | null; available: number | null };
type AgentCounts = { available: number; busy: number; away: number; offline: number };
