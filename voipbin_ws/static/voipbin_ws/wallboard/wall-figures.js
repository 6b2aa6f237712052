/** What a wallboard shows of the figures that the gateway counts: of each queue, and of all that are shown. Sans-I/O. */

import { abandonedShare, grade, waitLevel } from "../dashboard/figures.js";
import { displayText } from "../shared/text.js";
import { parseTime } from "../shared/time.js";

/** @typedef {import("../dashboard/figures.js").Figures & { agents?: AgentCounts }} WallFigures */
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
