/** Parsing of the gateway's and VoIPBIN's timestamps, and formatting of times and durations. Sans-I/O. */

import { gettext, language } from "./gettext.js";

// English is written as in logs: sortable, which Swedish is too.
const LOCALE = /^en\b(?!-xa)/i.test(language) ? "sv" : language;
/** @type {Intl.DateTimeFormatOptions} */
const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
const clockFormat = new Intl.DateTimeFormat(LOCALE, CLOCK);
const dateAndClockFormat = new Intl.DateTimeFormat(LOCALE, { year: "numeric", month: "2-digit", day: "2-digit", ...CLOCK });
const DAY_LOCALE = language === "en" ? "en-GB" : language; // Not the browser's, whose months may be in another language.
const dayFormat = new Intl.DateTimeFormat(DAY_LOCALE, { day: "numeric", month: "short" });
const dateFormat = new Intl.DateTimeFormat(DAY_LOCALE, { dateStyle: "long" });

const FUTURE_YEAR = 9000; // VoIPBIN writes the year 9999 for an event that has not happened, and 0001 for no time.

/**
 * Parse a timestamp, in UTC unless it names a zone.
 *
 * @param {unknown} text
 * @returns {number | null} Milliseconds since the epoch; `null` if `text` is not a time, or VoIPBIN's value for none.
 */
export function parseTime(text) {
  if (typeof text !== "string" || text.length < 19 || text.length > 40) return null;
  const normal = text.replace(" ", "T");
  const at = Date.parse(/(?:Z|[+-]\d\d:\d\d)$/i.test(normal) ? normal : `${normal}Z`);
  if (Number.isNaN(at)) return null;
  const year = new Date(at).getUTCFullYear();
  return year > 1 && year < FUTURE_YEAR ? at : null;
}

/** Parse the time of an answer of the gateway; `null` if there is none. @param {unknown} text */
export function exactTime(text) {
  const at = typeof text === "string" ? Date.parse(text) : NaN;
  return Number.isNaN(at) ? null : at;
}

/**
 * Return the time of an event, which cannot be after `now`: the publisher's clock may be ahead of the gateway's.
 * @param {unknown} text @param {number} now Used if `text` is not a time.
 */
export function pastTime(text, now) {
  return Math.min(parseTime(text) ?? now, now);
}

/** @param {number} number */
const twoDigits = (number) => String(number).padStart(2, "0");

/** Format a duration as "0:07", "12:34", "1:02:03" or "3 d 4 h"; a negative one as "0:00". @param {number} milliseconds */
export function duration(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${twoDigits(seconds % 60)}`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}:${twoDigits(minutes % 60)}:${twoDigits(seconds % 60)}`;
  return gettext("{days} d {hours} h", { days: Math.floor(hours / 24), hours: hours % 24 });
}

/** Format a time as "2024-01-15 10:31:07", or as the page's language does. @param {number} milliseconds Since the epoch. */
export const shownDateAndTime = (milliseconds) => dateAndClockFormat.format(milliseconds);

/** Format a day of this year as "15 Jan", or as the page's language does. @param {number} milliseconds Since the epoch. */
export const shownDay = (milliseconds) => dayFormat.format(milliseconds);

/** Format a day as "15 January 2024", or as the page's language does. @param {number} milliseconds Since the epoch. */
export const shownDate = (milliseconds) => dateFormat.format(milliseconds);

/** Format a time as "2024-01-15 10:31:07" for programs, in the browser's time zone. @param {number} milliseconds Since the epoch. */
export function dateAndTime(milliseconds) {
  const at = new Date(milliseconds);
  const date = [String(at.getFullYear()).padStart(4, "0"), twoDigits(at.getMonth() + 1), twoDigits(at.getDate())].join("-");
  return `${date} ${timeOfDay(milliseconds)}`;
}

/** Format a time as "10:31:07" in the browser's time zone. @param {number} milliseconds Since the epoch. */
export function timeOfDay(milliseconds) {
  return clockFormat.format(milliseconds);
}
