/** What a wallboard shows of the figures that the gateway counts: of each queue, and of all that are shown. Sans-I/O. */

import { abandonedShare, grade, judged, waitLevel } from "../dashboard/figures.js";
import { displayText } from "../shared/text.js";
import { parseTime } from "../shared/time.js";

/** @typedef {import("../dashboard/figures.js").Figures & { waiting: number, longest_wait_since: string | null, agents?: AgentCounts }} WallFigures */
/**
 * @typedef {{ waiting: number, longest: number | null, late: "warn" | "bad" | null, level: number | null, grade: "good" | "warn" | "bad" | null,
 *   target: number, seconds: number, abandoned: number, abandonedShare: number | null, agents: AgentCounts | null, isBreached: boolean }} WallLine
 */

/** Return what is shown of some figures. @param {WallFigures} figures @param {number} now @returns {WallLine} */
export function lineOf(figures, now) {
  const { waiting, longest_wait_since: since, service_level: level, targets, abandoned, agents = null, is_breached: isBreached } = figures;
  const at = parseTime(since);
  const longest = at === null ? null : Math.max(0, now - at);
  return {
    ...{ waiting, longest, late: waitLevel(longest, targets), level, grade: grade(level, targets), abandoned, agents, isBreached },
    ...{ target: targets.target_percent, seconds: targets.target_seconds, abandonedShare: abandonedShare(figures) },
  };
}

/** Return the lines of queues: those that miss their target first, then by name. @param {Iterable<WallFigures>} queues @param {number} now */
export function queueLines(queues, now) {
  const lines = [...queues].map((figures) => {
    const id = figures.queue_id ?? "";
    return { id, name: displayText(figures.name) || id.slice(0, 8), ...lineOf(figures, now) };
  });
  return lines.sort((one, other) => Number(other.isBreached) - Number(one.isBreached) || one.name.localeCompare(other.name) || (one.id < other.id ? -1 : 1));
}

/**
 * Return the figures of some queues together; `null` without any. Agents can serve several of them: they are not added up.
 * @param {WallFigures[]} queues @returns {WallFigures | null}
 */
export function sumOf(queues) {
  if (queues.length < 2) return queues[0] ?? null;
  const sum = (/** @type {(each: WallFigures) => number} */ of) => queues.reduce((total, each) => total + of(each), 0);
  const inTime = sum((each) => each.answered_in_time);
  const all = sum(judged);
  const waits = queues.map((each) => each.longest_wait_since).filter((each) => each !== null);
  return {
    ...queues[0],
    ...{ answered: sum((each) => each.answered), answered_in_time: inTime, abandoned: sum((each) => each.abandoned), waiting: sum((each) => each.waiting) },
    longest_wait_since: waits.sort()[0] ?? null,
    service_level: all ? Math.floor((inTime / all) * 1000) / 10 : null,
    agents: undefined,
    is_breached: queues.some((each) => each.is_breached),
  };
}
