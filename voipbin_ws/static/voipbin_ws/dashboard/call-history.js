/** Calls of the past: the query for them, what is shown of each, and their CSV file. Sans-I/O. */

import { capitalized, partyOf } from "../shared/call.js";
import { numberSearch } from "../shared/phone-number.js";
import { displayText } from "../shared/text.js";
import { dateAndTime, parseTime } from "../shared/time.js";
import { gettext } from "../shared/gettext.js";

/** @typedef {{ id: string, startedAt: number, endedAt: number | null, direction: string, from: Party, to: Party, queues: string[], agents: string[], outcome: string, outcomeLabel: string, waitMs: number | null }} PastCall */
/** @typedef {Pick<Board, "agentName" | "queueName" | "dialing">} Directory */

export const OUTCOMES = new Map(Object.entries({ answered: gettext("Answered"), abandoned: gettext("Abandoned"), voicemail: gettext("Voicemail"), unanswered: gettext("Not answered") }));
const EXPORTED_OUTCOMES = new Map(Object.entries({ answered: "Answered", abandoned: "Abandoned", voicemail: "Voicemail", unanswered: "Not answered", live: "Live" }));
const MIN_DIGITS = 3;
// What begins a formula in a spreadsheet (OWASP, CSV Injection), also in full width.
const FORMULA = /^ *[=+\-@\t\r\n\0\uff1d\uff0b\uff0d\uff20]/;
const BYTE_ORDER_MARK = "\ufeff"; // Makes spreadsheets read the file as UTF-8.

/** Return the beginning of a day in the browser's time zone, `days` later. @param {string} text Such as "2024-01-15". */
function dayOf(text, days = 0) {
  const found = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
  if (!found) return null;
  const [year, month, day] = found.slice(1).map(Number);
  const date = new Date(year, month - 1, day + days);
  // The 31st of February is no day.
  return days || date.getDate() === day ? date.getTime() : null;
}

/** Return the date of a time, such as "2024-01-15". @param {number} milliseconds */
export const dateOf = (milliseconds) => dateAndTime(milliseconds).slice(0, 10);

/** Return the date before a date. A day has not always 24 hours. @param {string} date */
export const dateBefore = (date) => dateOf(dayOf(date, -1) ?? 0);

/** Return the chosen days, today if none is chosen, as dates in their order. @param {{ from: string, to: string }} options @param {number} now */
export function chosenDays({ from, to }, now) {
  const first = dayOf(from) === null ? dateOf(now) : from;
  const last = dayOf(to) === null ? first : to;
  return first <= last ? [first, last] : [last, first];
}

/** Return the parameters of /v1.0/calls. @param {ViewOptions} options @param {number} now @param {Dialing | null} dialing @returns {Record<string, string>} */
export function historyQuery(options, now, dialing) {
  const [first, last] = chosenDays(options, now);
  const words = options.words.trim();
  const isNumber = numberSearch(words, dialing) !== null && words.replace(/\P{Nd}/gu, "").length >= MIN_DIGITS;
  const query = {
    began_from: new Date(dayOf(first) ?? 0).toISOString(),
    began_before: new Date(dayOf(last, 1) ?? 0).toISOString(),
    number: isNumber ? words : "",
    name: isNumber ? "" : words,
    queue_id: options.queue,
    direction: options.direction,
    agent_id: options.agentId,
    outcome: options.outcome,
    min_wait: options.minWait,
  };
  return { ...Object.fromEntries(Object.entries(query).filter(([, value]) => value)), order: "desc", result: "true" };
}

/** Return what is shown of an item of /v1.0/calls. @param {any} item @param {Directory} directory @returns {PastCall} */
export function pastCall({ resource_id: id, active, since, state, data, result }, directory) {
  const startedAt = parseTime(data.tm_create) ?? parseTime(since) ?? 0;
  const { outcome, queue_ids: queues, agent_ids: agents, wait_seconds: wait, ended_at: endedAt } = result;
  const known = OUTCOMES.get(outcome ?? "");
  return {
    ...{ id, startedAt, endedAt: active ? null : parseTime(endedAt ?? state.ended_at), direction: displayText(data.direction) },
    ...{ from: partyOf(data.source), to: partyOf(data.destination), outcome: active ? "live" : (outcome ?? "") },
    queues: queues.map((/** @type {string} */ each) => directory.queueName(each)),
    agents: agents.map((/** @type {string} */ each) => directory.agentName(each)),
    outcomeLabel: known ?? (active ? gettext("Live") : gettext("Ended")),
    waitMs: wait === null ? null : wait * 1000,
  };
}

/** Write a cell (RFC 4180), which no spreadsheet takes for a formula. @param {string | number | null} value */
function cell(value) {
  if (typeof value === "number") return String(value);
  const text = value ?? "";
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Return the calls as a CSV file (RFC 4180) in English, the same for every language, with times in the browser's zone. @param {PastCall[]} calls @param {string} zone The zone's name. */
export function csvOf(calls, zone) {
  const seconds = (/** @type {number | null} */ milliseconds) => (milliseconds === null ? null : Math.round(milliseconds / 1000));
  const columns = [`Started (${zone})`, `Ended (${zone})`, "Direction", "From name", "From number", "To name", "To number", "Queues", "Agents", "Outcome", "Wait in seconds", "Duration in seconds", "Call id"];
  const rows = calls.map(({ id, startedAt, endedAt, direction, from, to, queues, agents, outcome, waitMs }) => [
    dateAndTime(startedAt), endedAt === null ? null : dateAndTime(endedAt), capitalized(direction),
    ...[from.name, from.number, to.name, to.number, queues.join("; "), agents.join("; "), EXPORTED_OUTCOMES.get(outcome) ?? "Ended"],
    ...[seconds(waitMs), endedAt === null ? null : seconds(Math.max(0, endedAt - startedAt)), id],
  ]);
  return BYTE_ORDER_MARK + [columns, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}
