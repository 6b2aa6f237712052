/** How much of a text fits, in the characters that the gateway counts. Sans-I/O. */

import { ngettext } from "../shared/gettext.js";

const NEAR_MAX = 200;

/** Return how many characters a text has left; fewer than 0 are too many. @param {string} text @param {number} max */
export const charactersLeft = (text, max) => max - [...text].length;

/** Return what to say of the length of a text: "" while it is far from the most. @param {string} text @param {number} max */
export function lengthText(text, max) {
  const left = charactersLeft(text, max);
  if (left < 0) return ngettext("{count} character too many", "{count} characters too many", -left);
  return left < NEAR_MAX ? ngettext("{count} character left", "{count} characters left", left) : "";
}
