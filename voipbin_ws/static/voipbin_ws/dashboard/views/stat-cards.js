/** The cards with the key figures, their last hour, and their explanations. */

import { element, setData, setTexts } from "../../shared/dom.js";
import { abandonedShare, FAIR_POINTS, grade, judged, lastHour, waitLevel } from "../figures.js";
import { levelText } from "./queue-table.js";
import { drawBars, drawLine } from "./sparkline.js";
import { duration } from "../../shared/time.js";

const DRAW_MS = 5000;
const LINES = /** @type {const} */ ({ waiting: "waiting", longest: "longest_wait_seconds", available: "available" });

/** @param {number} share From 0 to 1. */
function percent(share) {
  return `${Math.round(share * 100)} %`;
}

export class StatCards {
  #drawnAt = -Infinity;

  /** @param {Board} board @param {Summary} summary @param {number} now */
  show(board, summary, now) {
    const { active, waiting, oldest, states, agents } = summary;
    this.#card("active", String(active), `${states.talking} talking, ${states.ringing + states.dialing} ringing`);
    this.#card("waiting", String(waiting), waitingNote(summary), waiting ? "warn" : null);
    const longest = oldest ? now - oldest.since : null;
    this.#card("longest", longest === null ? "—" : duration(longest), oldest ? board.queueName(oldest.queueId) : "no one waiting", waitLevel(longest, board.figures.targetsOf(oldest?.queueId)));
    this.#showLevel(board);
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

  /** @param {Board} board */
  #showLevel({ figures }) {
    const { total } = figures;
    const targets = figures.targetsOf(null);
    const { target_seconds: within, target_percent: target, short_abandon_seconds: least } = targets;
    const samples = total ? judged(total) : 0;
    const none = total ? "no callers, last hour" : "reading the last hour…";
    const share = total && abandonedShare(total);
    const level = total?.service_level ?? null;
    const levelShown = level === null ? "—" : levelText(level);
    const abandonedText = share === null ? "—" : percent(share);
    this.#card("level", levelShown, samples ? `${total?.answered_in_time} of ${samples} in ${within} s, last hour` : none, grade(level, targets));
    this.#card("abandoned", abandonedText, samples ? `${total?.abandoned} of ${samples}, last hour` : none);
    const left = `Callers who gave up within ${least} s are not counted.`;
    const sum = samples ? ` = ${total?.answered_in_time} ÷ ${samples} = ${levelShown}` : "";
    const today = total?.today.service_level;
    const day = typeof today === "number" ? ` Today: ${levelText(today)}.` : "";
    const colours = `Green from ${target} %, amber from ${Math.max(0, target - FAIR_POINTS)} %, red below.`;
    setTexts({ "tip-level": `Answered within ${within} s ÷ (answered + abandoned)${sum}, last hour.${day} ${left} ${colours}` });
    const part = samples ? ` = ${total?.abandoned} ÷ ${samples} = ${abandonedText}` : "";
    setTexts({ "tip-abandoned": `Callers who gave up waiting ÷ (answered + abandoned)${part}, last hour. ${left}` });
  }

  /** @param {Board} board @param {Summary} summary @param {number} now */
  #draw({ figures }, summary, now) {
    this.#drawnAt = performance.now();
    const { total } = figures;
    const longest = summary.oldest ? (now - summary.oldest.since) / 1000 : 0;
    const present = { waiting: summary.waiting, longest_wait_seconds: longest, available: summary.agents.available };
    for (const [id, name] of Object.entries(LINES)) {
      const values = total ? [...lastHour(total, now, (bucket) => bucket[name] ?? 0), present[name]] : [];
      drawLine(element(`spark-${id}`), values, rangeText(values, id === "longest" ? (seconds) => duration(seconds * 1000) : String));
    }
    const levels = lastHour(total, now, ({ service_level: level }) => (level === undefined ? null : level / 100));
    const shares = lastHour(total, now, abandonedShare);
    for (const [name, values] of Object.entries({ level: levels, abandoned: shares })) {
      drawBars(element(`spark-${name}`), values, `${rangeText(values, percent)}, five minutes each`);
    }
  }
}

/** @param {(number | null)[]} values @param {(value: number) => string} format */
function rangeText(values, format) {
  const known = values.filter((value) => value !== null);
  if (!known.length) return "Last hour: no data";
  const [least, most] = [Math.min(...known), Math.max(...known)].map((value) => format(value));
  return least === most ? `Last hour: ${least}` : `Last hour: ${least} to ${most}`;
}

/** @param {Summary} summary */
function waitingNote({ waiting, states }) {
  if (waiting === 0) return "no one waiting";
  if (states.connecting) return `${states.connecting} being connected`;
  return waiting === 1 ? "caller in a queue" : "callers in queues";
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
