/** The numbers at a glance, each with its last hour and what it means. */

import { element, setData, setText } from "../../shared/dom.js";
import { ANSWERED_WITHIN_SECONDS, FAIR_SHARE, GOOD_SHARE, grade, HARDLY_WAITED_SECONDS, LATE_SECONDS, WINDOW_MS } from "../service-level.js";
import { Sparkline } from "./sparkline.js";
import { timeOfDay, duration } from "../../shared/time.js";

const DRAW_MS = 5000;
const SLACK_MS = 60_000;
const LEVELS = { good: "good", fair: "warn", poor: "bad" };

function percent(share, round = Math.round) {
  // What is 79.6 % is not yet 80, and so not green.
  return `${round(share * 100 + 1e-9)} %`;
}

export class StatCards {
  #lines = Object.fromEntries(["active", "waiting", "longest", "level", "abandoned", "available"].map((name) => [name, new Sparkline(element(`spark-${name}`))]));
  #drawnAt = -Infinity;

  show(board, summary, now) {
    const { active, waiting, oldest, states, agents } = summary;
    this.#card("active", String(active), `${states.talking} talking, ${states.ringing + states.dialing} ringing`);
    this.#card("waiting", String(waiting), waitingNote(summary), waiting ? "warn" : null);
    const longest = oldest ? now - oldest.place.since : null;
    this.#card("longest", oldest ? duration(longest) : "—", oldest ? board.queueName(oldest.place.queueId) : "nobody waits", waitLevel(longest));
    this.#showLevel(board, summary.level, now);
    const here = agents.available + agents.busy + agents.away;
    const people = `${agents.busy} busy, ${agents.away} away, ${agents.offline} offline`;
    const isShort = here > 0 && waiting > 0 && agents.available === 0;
    this.#card("available", board.agents.size ? String(agents.available) : "—", board.agents.size ? people : "no agents yet", isShort ? "bad" : null);
    if (performance.now() - this.#drawnAt >= DRAW_MS) this.#draw(board, summary, now);
  }

  /** Draw the lines anew with the next numbers: they are of another board. */
  redraw() {
    this.#drawnAt = -Infinity;
  }

  #card(name, value, note, level = null) {
    setText(element(`card-${name}`), value);
    setText(element(`card-${name}-note`), note);
    setData(element(`card-${name}`), "level", level);
  }

  #showLevel(board, figures, now) {
    const { samples, inTime, abandoned, level, abandonedShare } = figures;
    const period = periodOf(board, now);
    const none = board.knowsLastHour ? `no callers, ${period}` : "reading the last hour…";
    this.#card("level", samples ? percent(level, Math.floor) : "—", samples ? `${inTime} of ${samples} in ${ANSWERED_WITHIN_SECONDS} s, ${period}` : none, LEVELS[grade(level)] ?? null);
    this.#card("abandoned", samples ? percent(abandonedShare) : "—", samples ? `${abandoned} of ${samples}, ${period}` : none);
    const left = `Who gave up within ${HARDLY_WAITED_SECONDS} s is left out.`;
    const sum = samples ? ` = ${inTime} ÷ ${samples} = ${percent(level, Math.floor)}` : "";
    const colours = `Green from ${percent(GOOD_SHARE)}, amber from ${percent(FAIR_SHARE)}, red below.`;
    setText(element("tip-level"), `Answered within ${ANSWERED_WITHIN_SECONDS} s ÷ (answered + abandoned)${sum}, ${period}. ${left} ${colours}`);
    const share = samples ? ` = ${abandoned} ÷ ${samples} = ${percent(abandonedShare)}` : "";
    setText(element("tip-abandoned"), `Callers who gave up waiting ÷ (answered + abandoned)${share}, ${period}. ${left}`);
  }

  #draw(board, summary, now) {
    this.#drawnAt = performance.now();
    for (const name of ["active", "waiting", "longest", "available"]) {
      const values = board.trends.series(name, summary, now);
      this.#lines[name].line(values, spanWords(values, name === "longest" ? duration : String, periodOf(board, now)));
    }
    const bars = board.level.bars(now);
    for (const [name, share] of [["level", "level"], ["abandoned", "abandonedShare"]]) {
      const values = bars.map((bar) => bar[share]);
      this.#lines[name].bars(values, 1, spanWords(values, percent, `${periodOf(board, now)}, five minutes each`));
    }
  }
}

/** "last hour", or since when what is shown is known. */
function periodOf({ level }, now) {
  return level.since === null || level.since <= now - WINDOW_MS + SLACK_MS ? "last hour" : `since ${timeOfDay(level.since).slice(0, 5)}`;
}

function spanWords(values, words, period) {
  const known = values.filter((value) => value !== null);
  if (!known.length) return `${period}: nothing known`;
  const [least, most] = [Math.min(...known), Math.max(...known)].map((value) => words(value));
  return least === most ? `${period}: ${least}` : `${period}: ${least} to ${most}`;
}

function waitingNote({ waiting, states }) {
  if (waiting === 0) return "nobody waits";
  if (states.connecting) return `${states.connecting} being connected`;
  return waiting === 1 ? "caller in a queue" : "callers in queues";
}

/** How bad a wait of so many milliseconds is; null for not. */
export function waitLevel(milliseconds) {
  if (milliseconds === null) return null;
  if (milliseconds > LATE_SECONDS * 1000) return "bad";
  return milliseconds > ANSWERED_WITHIN_SECONDS * 1000 ? "warn" : null;
}

/** The explanations that show at a card's question mark: Escape hides one, as long as nobody comes back to it. */
export function enableTooltips() {
  addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    for (const tip of document.querySelectorAll(".card:is(:hover, :focus-within) .tooltip")) tip.setAttribute("data-dismissed", "");
  });
  for (const card of document.querySelectorAll(".card")) {
    for (const leaving of ["mouseleave", "focusout"]) card.addEventListener(leaving, () => card.querySelector(".tooltip")?.removeAttribute("data-dismissed"));
  }
}
