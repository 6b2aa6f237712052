/** The cards with the key figures, their last hour, and their explanations. */

import { element, setData, setTexts } from "../../shared/dom.js";
import { gettext, ngettext, shownNumber, shownPercent } from "../../shared/gettext.js";
import { abandonedShare, FAIR_POINTS, grade, judged, lastHour, waitLevel } from "../figures.js";
import { levelText } from "./queue-table.js";
import { drawBars, drawLine } from "./sparkline.js";
import { duration } from "../../shared/time.js";

const DRAW_MS = 5000;
const LINES = /** @type {const} */ ({ waiting: "waiting", longest: "longest_wait_seconds", available: "available" });

export class StatCards {
  #drawnAt = -Infinity;

  /** @param {Board} board @param {Summary} summary @param {number} now */
  show(board, summary, now) {
    const { active, waiting, oldest, states, agents } = summary;
    this.#card("active", shownNumber(active), gettext("{talking} talking, {ringing} ringing", { talking: states.talking, ringing: states.ringing + states.dialing }));
    this.#card("waiting", shownNumber(waiting), waitingNote(summary), waiting ? "warn" : null);
    const longest = oldest ? now - oldest.since : null;
    this.#card("longest", longest === null ? "—" : duration(longest), oldest ? board.queueName(oldest.queueId) : gettext("no one waiting"), waitLevel(longest, board.figures.targetsOf(oldest?.queueId)));
    this.#showLevel(board);
    const present = agents.available + agents.busy + agents.away;
    const people = gettext("{busy} busy, {away} away, {offline} offline", agents);
    const isShort = present > 0 && waiting > 0 && agents.available === 0;
    this.#card("available", board.agents.size ? shownNumber(agents.available) : "—", board.agents.size ? people : gettext("no agents yet"), isShort ? "bad" : null);
    if (performance.now() - this.#drawnAt >= DRAW_MS) this.#draw(board, summary, now);
  }

  /** Draw the charts again with the next numbers, which are of another board. */
  redraw() {
    this.#drawnAt = -Infinity;
  }

  /** @param {string} name @param {string} value @param {string} note @param {string | null} level */
  #card(name, value, note, level = null) {
    setTexts({ [`card-${name}`]: value, [`card-${name}-note`]: note });
    setData(element(`card-${name}`), "level", level);
  }

  /** @param {Board} board */
  #showLevel({ figures }) {
    const total = figures.whole;
    const targets = figures.targetsOf(null);
    const { target_seconds: within, target_percent: target, short_abandon_seconds: least } = targets;
    const samples = total ? judged(total) : 0;
    const none = total ? gettext("no callers, last hour") : figures.isComing ? gettext("reading the last hour…") : gettext("not available");
    const share = total && abandonedShare(total);
    const level = total?.service_level ?? null;
    const levelShown = level === null ? "—" : levelText(level);
    const abandonedText = share === null ? "—" : shownPercent(share);
    this.#card("level", levelShown, samples ? gettext("{count} of {whole} in {seconds} s, last hour", { count: total?.answered_in_time ?? 0, whole: samples, seconds: within }) : none, grade(level, targets));
    this.#card("abandoned", abandonedText, samples ? gettext("{count} of {whole}, last hour", { count: total?.abandoned ?? 0, whole: samples }) : none);
    const left = gettext("Callers who gave up within {seconds} s are not counted.", { seconds: least });
    const sum = samples ? ` = ${shownNumber(total?.answered_in_time ?? 0)} ÷ ${shownNumber(samples)} = ${levelShown}` : "";
    const today = total?.today.service_level;
    const day = typeof today === "number" ? ` ${gettext("Today: {level}.", { level: levelText(today) })}` : "";
    const colours = gettext("Green from {good}, amber from {fair}, red below.", { good: levelText(target), fair: levelText(Math.max(0, target - FAIR_POINTS)) });
    setTexts({ "tip-level": `${gettext("Answered within {seconds} s ÷ (answered + abandoned){result}, last hour.", { seconds: within, result: sum })}${day} ${left} ${colours}` });
    const part = samples ? ` = ${shownNumber(total?.abandoned ?? 0)} ÷ ${shownNumber(samples)} = ${abandonedText}` : "";
    setTexts({ "tip-abandoned": `${gettext("Callers who gave up waiting ÷ (answered + abandoned){result}, last hour.", { result: part })} ${left}` });
  }

  /** @param {Board} board @param {Summary} summary @param {number} now */
  #draw({ figures }, summary, now) {
    this.#drawnAt = performance.now();
    const total = figures.whole;
    const longest = summary.oldest ? (now - summary.oldest.since) / 1000 : 0;
    const present = { waiting: summary.waiting, longest_wait_seconds: longest, available: summary.agents.available };
    for (const [id, name] of Object.entries(LINES)) {
      // Agents are not counted for those who do not see all of them.
      const values = total && (figures.total || id !== "available") ? [...lastHour(total, now, (bucket) => bucket[name] ?? 0), present[name]] : [];
      drawLine(element(`spark-${id}`), values, rangeText(values, id === "longest" ? (seconds) => duration(seconds * 1000) : shownNumber));
    }
    const levels = lastHour(total, now, ({ service_level: level }) => (level === undefined ? null : level / 100));
    const shares = lastHour(total, now, abandonedShare);
    for (const [name, values] of Object.entries({ level: levels, abandoned: shares })) {
      drawBars(element(`spark-${name}`), values, gettext("{range}, five minutes each", { range: rangeText(values, shownPercent) }));
    }
  }
}

/** @param {(number | null)[]} values @param {(value: number) => string} format */
function rangeText(values, format) {
  const known = values.filter((value) => value !== null);
  if (!known.length) return gettext("Last hour: no data");
  const [least, most] = [Math.min(...known), Math.max(...known)].map((value) => format(value));
  return least === most ? gettext("Last hour: {value}", { value: least }) : gettext("Last hour: {least} to {most}", { least, most });
}

/** @param {Summary} summary */
function waitingNote({ waiting, states }) {
  if (waiting === 0) return gettext("no one waiting");
  if (states.connecting) return ngettext("{count} being connected", "{count} being connected", states.connecting);
  return ngettext("caller in a queue", "callers in queues", waiting);
}

/** Let Escape hide a card's explanation, until the pointer or the focus leaves the card. */
export function enableTooltips() {
  addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    for (const tip of document.querySelectorAll(".card:is(:hover, :focus-within) .tooltip")) tip.setAttribute("data-dismissed", "");
  });
  for (const card of document.querySelectorAll(".card")) {
    for (const leaving of ["mouseleave", "focusout"]) card.addEventListener(leaving, () => card.querySelector(".tooltip")?.removeAttribute("data-dismissed"));
  }
}
