/** The cards with the key figures, their last hour, and their explanations. */

import { element, setData, setTexts } from "../../shared/dom.js";
import { ANSWERED_WITHIN_SECONDS, FAIR_SHARE, GOOD_SHARE, grade, LATE_SECONDS, MIN_ABANDONED_SECONDS, WINDOW_MS } from "../service-level.js";
import { drawBars, drawLine } from "./sparkline.js";
import { duration, timeOfDay } from "../../shared/time.js";

const DRAW_MS = 5000;
const SLACK_MS = 60_000;
const LEVELS = { good: "good", fair: "warn", poor: "bad" };
const TRENDS = /** @type {const} */ (["active", "waiting", "longest", "available"]);

/** Format a share. The default rounds; a service level is cut off, for 79.6 % has not reached 80 %. @param {number} share */
function percent(share, round = Math.round) {
  return `${round(share * 100 + 1e-9)} %`;
}

export class StatCards {
  #drawnAt = -Infinity;

  /** @param {Board} board @param {Summary} summary @param {number} now */
  show(board, summary, now) {
    const { active, waiting, oldest, states, agents } = summary;
    this.#card("active", String(active), `${states.talking} talking, ${states.ringing + states.dialing} ringing`);
    this.#card("waiting", String(waiting), waitingNote(summary), waiting ? "warn" : null);
    const longest = oldest ? now - oldest.since : null;
    this.#card("longest", longest === null ? "—" : duration(longest), oldest ? board.queueName(oldest.queueId) : "no one waiting", waitLevel(longest));
    this.#showLevel(board, summary, now);
    const present = agents.available + agents.busy + agents.away;
    const people = `${agents.busy} busy, ${agents.away} away, ${agents.offline} offline`;
    const isShort = present > 0 && waiting > 0 && agents.available === 0;
    this.#card("available", board.agents.size ? String(agents.available) : "—", board.agents.size ? people : "no agents yet", isShort ? "bad" : null);
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

  /** @param {Board} board @param {Summary} summary @param {number} now */
  #showLevel(board, { level: { samples, inTime, abandoned, level, abandonedShare } }, now) {
    const period = periodOf(board, now);
    const none = board.knowsLastHour ? `no callers, ${period}` : "reading the last hour…";
    const levelText = level === null ? "—" : percent(level, Math.floor);
    const abandonedText = abandonedShare === null ? "—" : percent(abandonedShare);
    const graded = grade(level);
    this.#card("level", levelText, samples ? `${inTime} of ${samples} in ${ANSWERED_WITHIN_SECONDS} s, ${period}` : none, graded && LEVELS[graded]);
    this.#card("abandoned", abandonedText, samples ? `${abandoned} of ${samples}, ${period}` : none);
    const left = `Callers who gave up within ${MIN_ABANDONED_SECONDS} s are not counted.`;
    const sum = samples ? ` = ${inTime} ÷ ${samples} = ${levelText}` : "";
    const colours = `Green from ${percent(GOOD_SHARE)}, amber from ${percent(FAIR_SHARE)}, red below.`;
    setTexts({ "tip-level": `Answered within ${ANSWERED_WITHIN_SECONDS} s ÷ (answered + abandoned)${sum}, ${period}. ${left} ${colours}` });
    const share = samples ? ` = ${abandoned} ÷ ${samples} = ${abandonedText}` : "";
    setTexts({ "tip-abandoned": `Callers who gave up waiting ÷ (answered + abandoned)${share}, ${period}. ${left}` });
  }

  /** @param {Board} board @param {Summary} summary @param {number} now */
  #draw(board, summary, now) {
    this.#drawnAt = performance.now();
    const period = periodOf(board, now);
    for (const name of TRENDS) {
      const values = board.trends.series(name, summary, now);
      drawLine(element(`spark-${name}`), values, rangeText(values, name === "longest" ? duration : String, period));
    }
    const bars = board.level.bars(now);
    const shares = { level: bars.map(({ level }) => level), abandoned: bars.map(({ abandonedShare }) => abandonedShare) };
    for (const [name, values] of Object.entries(shares)) {
      drawBars(element(`spark-${name}`), values, rangeText(values, percent, `${period}, five minutes each`));
    }
  }
}

/** Return the time that the level covers. @param {Board} board @param {number} now */
function periodOf({ level }, now) {
  return level.since === null || level.since <= now - WINDOW_MS + SLACK_MS ? "last hour" : `since ${timeOfDay(level.since).slice(0, 5)}`;
}

/** @param {(number | null)[]} values @param {(value: number) => string} format @param {string} period */
function rangeText(values, format, period) {
  const known = values.filter((value) => value !== null);
  if (!known.length) return `${period}: no data`;
  const [least, most] = [Math.min(...known), Math.max(...known)].map((value) => format(value));
  return least === most ? `${period}: ${least}` : `${period}: ${least} to ${most}`;
}

/** @param {Summary} summary */
function waitingNote({ waiting, states }) {
  if (waiting === 0) return "no one waiting";
  if (states.connecting) return `${states.connecting} being connected`;
  return waiting === 1 ? "caller in a queue" : "callers in queues";
}

/** Return how bad a wait is; `null` for a normal one. @param {number | null} milliseconds */
export function waitLevel(milliseconds) {
  if (milliseconds === null) return null;
  if (milliseconds > LATE_SECONDS * 1000) return "bad";
  return milliseconds > ANSWERED_WITHIN_SECONDS * 1000 ? "warn" : null;
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
