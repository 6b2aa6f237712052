/** The console for developers: live frames of topics, publishing, and code to copy. */

import { withTopics } from "./code-samples.js";
import { FrameList } from "./frame-list.js";
import { FrameLog } from "./frame-log.js";
import { PublishPanel } from "./publish-panel.js";
import { EventClient, State } from "../event-client.js";
import { descendant, element, field, PartList, setShown, setTexts } from "../shared/dom.js";
import { gettext } from "../shared/gettext.js";
import { GatewayClock } from "../shared/gateway-clock.js";
import { refusalText } from "../shared/refusals.js";
import { roleName } from "../shared/role.js";
import { token } from "../shared/token.js";

const RESOURCES = ["call", "message", "activeflow", "conference", "queue", "agent", "recording", "transcription"];

/** @type {Map<string, string>} */
const STATES = new Map([
  [State.IDLE, gettext("Not connected")], [State.CONNECTING, gettext("Connecting…")], [State.RECONNECTING, gettext("Reconnecting…")],
  [State.SUSPENDED, gettext("Offline")], [State.FAILED, gettext("Connection refused")],
]);
const clock = new GatewayClock();
const log = new FrameLog();
const frames = new FrameList(log);
const topicList = new PartList(element("topics"), element("topic-template"));
/** @type {Map<string, { filter: string, unsubscribe(): Promise<void> }>} */ const subscriptions = new Map();
/** @type {EventClient | null} */ let client = null;
/** @type {string | null} */ let credential = null;
const publishPanel = new PublishPanel(() => credential);

// --- Credential ---

/** @param {string} value */
async function connect(value) {
  setTexts({ "credential-error": "" });
  const answer = await fetch("/v1.0/me", { headers: { Authorization: `Bearer ${value}` }, cache: "no-store" }).catch(() => null);
  const me = await answer?.json().catch(() => null);
  if (!answer?.ok || !me) {
    setTexts({ "credential-error": me?.message ? refusalText(me.message) : gettext("The gateway does not answer.") });
    return;
  }
  credential = value;
  clock.set({ at: Date.parse(me.now), uncertainty: 0, receivedAt: performance.now() });
  const name = me.agent?.name ?? gettext("an access key");
  setTexts({ who: gettext("Connected as {name} of {customer}.", { name: me.role ? `${name} (${roleName(me.role)})` : name, customer: me.customer.name ?? me.customer.id }) });
  offerTopics(me.topics);
  open();
}

/** @param {string[]} widest */
function offerTopics(widest) {
  const patterns = widest.flatMap((topic) => {
    const [scope, id, resource] = topic.split(":");
    return resource === "*" ? [topic, ...RESOURCES.map((each) => `${scope}:${id}:${each}:*`)] : [topic];
  });
  element("topic-list").replaceChildren(...patterns.map((pattern) => new Option("", pattern)));
  field("topic").value ||= patterns[1] ?? patterns[0] ?? "";
}

function open() {
  const url = new URL("/v1.0/ws", location.href);
  client = new EventClient({ url, token: credential ?? "" });
  client.on("frame", ({ direction, frame }) => {
    log.add(direction, frame, clock.now);
    frames.changed();
  });
  client.on("state", ({ current, reason, transport }) => {
    const connected = transport === "sse" ? gettext("Connected by server-sent events") : gettext("Connected");
    setTexts({ connection: current === State.CONNECTED ? connected : `${STATES.get(current) ?? current}${reason ? `: ${reason}` : ""}` });
    element("connection").dataset.state = current;
  });
  client.connect();
  showConnected(true);
}

function disconnect() {
  client?.close();
  client = credential = null;
  subscriptions.clear();
  showTopics();
  showConnected(false);
  setTexts({ who: gettext("Use your session of the other pages, an access key, or a token."), connection: gettext("Not connected") });
}

/** @param {boolean} isConnected */
function showConnected(isConnected) {
  setShown({ "credential-form": !isConnected, disconnect: isConnected, "use-session": !isConnected && token() !== null });
  descendant(element("publish-form"), "[type=submit]").disabled = !isConnected;
  // The topics are offered before the field opens: an offer would otherwise mix with what is being typed.
  for (const id of ["topic", "filter", "subscribe"]) field(id).disabled = !isConnected;
}

element("credential-form").addEventListener("submit", (event) => {
  event.preventDefault();
  connect(field("credential").value.trim());
  field("credential").value = "";
});
element("use-session").addEventListener("click", () => connect(token() ?? ""));
element("disconnect").addEventListener("click", disconnect);

// --- Topics ---

async function subscribe() {
  const topic = field("topic").value.trim();
  const filter = field("filter").value.trim();
  setTexts({ "subscribe-error": "" });
  if (!client || !topic || subscriptions.has(topic)) return;
  try {
    const subscription = await client.subscribe(topic, () => {}, filter ? { filter: JSON.parse(filter) } : {});
    subscriptions.set(topic, { filter, unsubscribe: () => subscription.unsubscribe() });
  } catch (error) {
    setTexts({ "subscribe-error": error instanceof SyntaxError ? gettext("The filter is no JSON: {reason}", { reason: error.message }) : error.message });
  }
  showTopics();
}

function showTopics() {
  topicList.arrange([...subscriptions.keys()], (part, topic) => {
    part.texts({ topic, filter: subscriptions.get(topic)?.filter ?? "" });
    descendant(part.element, "button").addEventListener("click", () => {
      subscriptions.get(topic)?.unsubscribe();
      subscriptions.delete(topic);
      showTopics();
    });
  });
}

element("subscribe-form").addEventListener("submit", (event) => {
  event.preventDefault();
  subscribe();
});

// --- Frames ---

/** Let a button switch something. @param {string} id @param {(isOn: boolean) => void} act */
function toggle(id, act) {
  element(id).addEventListener("click", () => {
    const isOn = element(id).getAttribute("aria-pressed") !== "true";
    element(id).setAttribute("aria-pressed", String(isOn));
    act(isOn);
  });
}

toggle("pause", (isOn) => {
  log.isPaused = isOn;
  log.missed = 0;
  frames.changed();
});
toggle("raw", (isOn) => (frames.isRaw = isOn));
element("clear").addEventListener("click", () => {
  log.clear();
  frames.changed();
});
element("search").addEventListener("input", () => {
  log.search = field("search").value;
  frames.changed();
});

// --- Code ---

const dialog = /** @type {HTMLDialogElement} */ (element("code-dialog"));

function showCode() {
  const template = /** @type {HTMLTemplateElement} */ (document.querySelector(`.program[data-language="${field("language").value}"]`));
  setTexts({ code: withTopics(template.content.textContent ?? "", [...subscriptions.keys()]) });
}

element("show-code").addEventListener("click", () => {
  showCode();
  dialog.showModal();
});
element("language").addEventListener("change", showCode);
element("close-code").addEventListener("click", () => dialog.close());
element("copy-code").addEventListener("click", async () => {
  await navigator.clipboard.writeText(element("code").textContent ?? "");
  setTexts({ "copy-code": gettext("Copied") });
});

showConnected(false);
publishPanel.load();
if (token()) connect(token() ?? "");
