/** The wallboard of a link: reads its key from the address, and shows the figures of its queues. */

import { WallView } from "./wall-view.js";
import { QueueFigures } from "../dashboard/figures.js";
import { read } from "../shared/auth.js";
import { ConnectionStatus } from "../shared/connection-status.js";
import { element, setShown, setTexts } from "../shared/dom.js";
import { gettext } from "../shared/gettext.js";
import { LiveData } from "../shared/live-data.js";
import { ScreenLock, toggleFullScreen } from "../shared/screen.js";
import { browserData } from "../shared/site-data.js";
import { displayText } from "../shared/text.js";
import { parseTime, shownDate } from "../shared/time.js";
import { useKey } from "../shared/token.js";

const STORED = "voipbin.wallboard"; // A screen that opens the address without its fragment.
const AGAIN_MS = 60_000; // The key may be extended, or the customer switched on again.
const EXPIRES_SOON_MS = 7 * 24 * 3_600_000;

/** @typedef {{ name: string, customer: { name: string }, queue_ids: string[], topics: string[], expires_at: string | null }} Display */

const figures = new QueueFigures();
/** @type {Display | null} */ let display = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */ let again;
let isDue = true;

const view = new WallView();
const liveData = new LiveData(
  {
    load,
    event(event) {
      figures.apply(event);
      if (isDue) requestAnimationFrame(draw);
      isDue = false;
    },
    state: () => status.show(),
    signedIn() {},
    signedOut: showEnd,
  },
  "/v1.0/display",
);
const status = new ConnectionStatus(liveData, element("wall"));
const screenLock = new ScreenLock((isMissing) => setShown({ "wall-note": isMissing }));

/** @param {any} answer That of /v1.0/display. @returns {Promise<Loaded>} */
async function load(answer) {
  const { content } = await read("/v1.0/summary");
  const show = () => {
    display = answer;
    figures.total = content.total && { ...content.total, agents: content.agents };
    figures.queues = new Map(content.queues.map((/** @type {any} */ each) => [each.queue_id, each]));
    const name = displayText(answer.name);
    document.title = name;
    setTexts({ name, customer: displayText(answer.customer.name) });
    setShown({ wall: true, ended: false });
    screenLock.keep(true);
    draw();
  };
  return { topics: answer.topics, cursor: content.cursor, needsAll: true, show };
}

function draw() {
  isDue = true;
  if (!display || !liveData.isLoaded) return;
  const now = liveData.now;
  const total = /** @type {import("./wall-figures.js").WallFigures | null} */ (figures.total);
  const queues = /** @type {import("./wall-figures.js").WallFigures[]} */ ([...figures.queues.values()]);
  view.show({ total, queues }, now);
  const left = (parseTime(display.expires_at) ?? Infinity) - liveData.clock.now;
  const day = shownDate(parseTime(display.expires_at) ?? 0);
  setTexts({ expiry: left < EXPIRES_SOON_MS ? gettext("This link ends on {day}. An admin can renew it.", { day }) : "" });
}

/** Show that the key is not accepted, and what to do. @param {string} message */
function showEnd(message) {
  display = null;
  figures.total = null;
  figures.queues.clear();
  screenLock.keep(false);
  document.title = gettext("Wallboard");
  setTexts({ "ended-reason": message });
  setShown({ wall: false, ended: true });
  clearTimeout(again);
  again = setTimeout(() => liveData.start(), AGAIN_MS);
}

function start() {
  clearTimeout(again);
  liveData.stop();
  const key = new URLSearchParams(location.hash.slice(1)).get("key") || browserData.get(STORED);
  if (!key) return showEnd(gettext("The address has no key."));
  browserData.set(STORED, key);
  useKey(key);
  setShown({ wall: true, ended: false });
  liveData.start();
}

function tick() {
  setTimeout(tick, 1000 - (Date.now() % 1000) + 5);
  view.tick(liveData.clock.now);
  status.show();
  liveData.checkClock();
  draw();
}

addEventListener("hashchange", start);
addEventListener("resize", draw);
element("full-screen").addEventListener("click", toggleFullScreen);
start();
tick();
