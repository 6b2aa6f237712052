/** The alerts: the list and the rules in the header, the sound, and the notifications of the computer's desktop. */

import { Alerts, readRules } from "../alert-rules.js";
import { groupedAgents } from "../agent-groups.js";
import { descendant, element, field, PartList, setShown, setTexts } from "../../shared/dom.js";
import { gettext, shownNumber } from "../../shared/gettext.js";
import { browserData } from "../../shared/site-data.js";
import { Sound } from "../../shared/sound.js";
import { TabLock } from "../../shared/tab-lock.js";
import { timeOfDay } from "../../shared/time.js";

/** @typedef {import("../alert-rules.js").Alert} Alert */

const KEY = "voipbin.alerts.";
const SECOND_NAMES = /** @type {const} */ ({ "alert-wait": "waitSeconds", "alert-away": "awayMinutes" });
const CHOICE_NAMES = /** @type {const} */ ({ "alert-level": "level", "alert-nobody": "nobody", "alert-stale": "stale", "alert-sound": "sound", "alert-desktop": "desktop" });

export class AlertPanel {
  #alerts = new Alerts();
  #liveData;
  #open;
  #person = "";
  #sound = new Sound(() => {});
  // Of several tabs, one makes a sound and shows notifications.
  #lock = new TabLock("voipbin.alerts", () => {});
  #rows = new PartList(element("alert-rows"), element("alert-row"));
  #panel = element("alerts");

  /** @param {LiveData} liveData @param {(alert: Alert) => void} open Called for the alert that was chosen. */
  constructor(liveData, open) {
    this.#liveData = liveData;
    this.#open = open;
    element("mute").addEventListener("click", () => {
      this.#alerts.toggleMute(Date.now());
      this.#store();
      this.#show();
    });
    this.#panel.addEventListener("toggle", (event) => {
      const isOpen = /** @type {ToggleEvent} */ (event).newState === "open";
      element("alerts-button").setAttribute("aria-expanded", String(isOpen));
      if (!isOpen) return;
      this.#alerts.markSeen();
      this.#show();
    });
    element("alert-rows").addEventListener("click", ({ target }) => {
      const key = /** @type {HTMLElement | null} */ (/** @type {Element} */ (target).closest("li"))?.dataset.key;
      const alert = this.#alerts.list.find((each) => `${each.key} ${each.at}` === key);
      if (!alert || alert.kind === "stale") return;
      this.#panel.hidePopover();
      this.#open(alert);
    });
    element("alert-form").addEventListener("submit", (event) => event.preventDefault());
    element("alert-form").addEventListener("change", () => this.#choose());
    // The tab with the sound follows the rules that are chosen in another one.
    addEventListener("storage", ({ key }) => key === KEY + this.#person && this.#read());
    // Browsers allow sound only after a click or a key.
    const arm = () => {
      if (this.#person && this.#alerts.rules.sound && !this.#sound.isArmed) this.#sound.arm();
    };
    addEventListener("pointerdown", arm);
    addEventListener("keydown", arm);
  }

  /** The beginning of the window's title: the number of alerts that were not seen. */
  get title() {
    const { unseen } = this.#alerts;
    return unseen ? `⚠ ${unseen} ` : "";
  }

  /** Take over the rules of the person. @param {Me} me */
  load(me) {
    const person = me.agent?.id ?? "key";
    if (person === this.#person) return;
    this.#person = person;
    this.#lock.want(true);
    this.#read();
  }

  /** Read the person's rules. */
  #read() {
    this.#alerts.rules = readRules(browserData.get(KEY + this.#person));
    this.#showRules();
    this.#show();
  }

  #store() {
    browserData.set(KEY + this.#person, JSON.stringify(this.#alerts.rules));
  }

  clear() {
    this.#person = "";
    this.#alerts.clear();
    this.#lock.want(false);
    this.#show();
    this.#panel.hidePopover();
  }

  /** Check the rules. @param {Board} board @param {Summary} summary @param {number} now */
  check(board, { queues }, now) {
    if (!this.#person) return;
    const waits = [...board.calls.values()].flatMap(({ state, place }) => {
      const isWaiting = place !== null && place.connectedAt === null && state !== "ended";
      return isWaiting ? [{ queueId: place.queueId, queueName: board.queueName(place.queueId), since: place.since }] : [];
    });
    const facts = {
      waits,
      queues: [...queues].map(([id, { waiting, available }]) => ({ id, name: board.queueName(id), waiting, available, isBreached: board.figures.queues.get(id)?.is_breached ?? false })),
      agents: groupedAgents(board, now),
      isStale: this.#liveData.isStale,
    };
    // The time of the data stands still while there are none.
    const raised = this.#alerts.check(facts, this.#liveData.clock.now);
    if (raised.length) this.#notify(raised);
    if (raised.length && this.#panel.matches(":popover-open")) this.#alerts.markSeen();
    this.#show();
  }

  /** @param {Alert[]} raised */
  #notify(raised) {
    const texts = raised.map(({ name, text }) => (name ? `${name}: ${text}` : text));
    // In a place of its own: a screen reader does not read what the counts replace at once.
    setTexts({ "raised-alerts": texts.join(" ") });
    if (this.#alerts.isMuted(Date.now()) || !this.#lock.isHeld) return;
    const { sound, desktop } = this.#alerts.rules;
    if (sound) this.#sound.chime();
    if (!desktop || typeof Notification !== "function" || Notification.permission !== "granted" || (document.hasFocus() && !document.hidden)) return;
    for (const [index, { key, name }] of raised.entries()) {
      try {
        const notification = new Notification(name || gettext("Live calls"), { tag: key, body: raised[index].text });
        notification.addEventListener("click", () => {
          window.focus();
          notification.close();
        });
      } catch {
        // Android's browsers allow it only to service workers.
      }
    }
  }

  /** Take over the rules of the form, and store them. */
  #choose() {
    const { rules } = this.#alerts;
    for (const [id, name] of Object.entries(SECOND_NAMES)) {
      if (field(id).validity.valid && field(id).value !== "") rules[name] = field(id).valueAsNumber;
    }
    for (const [id, name] of Object.entries(CHOICE_NAMES)) rules[name] = field(id).checked;
    this.#store();
    if (rules.desktop && typeof Notification === "function" && Notification.permission === "default") {
      // Older browsers return no promise. A rejection is an answer, too.
      Promise.resolve(Notification.requestPermission()).then(() => this.#showRules(), () => {});
    }
    this.#showRules();
  }

  #showRules() {
    const { rules } = this.#alerts;
    for (const [id, name] of Object.entries(SECOND_NAMES)) if (field(id).valueAsNumber !== rules[name]) field(id).value = String(rules[name]);
    for (const [id, name] of Object.entries(CHOICE_NAMES)) field(id).checked = rules[name];
    const isDenied = rules.desktop && (typeof Notification !== "function" || Notification.permission === "denied");
    setTexts({ "alert-note": isDenied ? gettext("This browser does not allow notifications for this page.") : "" });
  }

  #show() {
    const { list, unseen, rules } = this.#alerts;
    const isMuted = this.#alerts.isMuted(Date.now());
    setTexts({ "alerts-count": unseen ? shownNumber(unseen) : "", mute: isMuted ? gettext("Unmute") : gettext("Mute for 15 min"), "mute-note": isMuted ? gettext("Muted until {time}", { time: timeOfDay(rules.mutedUntil).slice(0, 5) }) : "" });
    setShown({ "no-alerts": list.length === 0 });
    this.#rows.arrange(list.map(({ key, at }) => `${key} ${at}`), (part, key) => part.attributes({ "data-key": key }));
    for (const alert of list) {
      const part = this.#rows.part(`${alert.key} ${alert.at}`);
      part.texts({ clock: timeOfDay(alert.at), name: alert.name, text: alert.text, state: alert.isOpen ? `⚠ ${gettext("now")}` : gettext("over") });
      part.attributes({ "data-open-alert": alert.isOpen ? "" : null });
      descendant(part.element, "button").disabled = alert.kind === "stale";
    }
  }
}
