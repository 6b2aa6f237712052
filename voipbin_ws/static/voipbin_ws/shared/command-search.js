/** Commands of the palette, and which of them a text finds. Sans-I/O. */

import { folded } from "./text.js";

/** @typedef {{ title: string, kind: string, run: () => void, isFoundOnly?: boolean }} Command `isFoundOnly` if it is offered for a search alone. */

const MAX_SHOWN = 30;

/**
 * Return the commands in whose title or kind each word of the text is: those whose title begins with the text first.
 * @template {Pick<Command, "title" | "kind" | "isFoundOnly">} T
 * @param {T[]} commands @param {string} text @returns {T[]}
 */
export function searched(commands, text) {
  const wanted = folded(text).trim();
  if (!wanted) return commands.filter(({ isFoundOnly }) => !isFoundOnly).slice(0, MAX_SHOWN);
  const words = wanted.split(/\s+/);
  const found = commands.filter(({ title, kind }) => words.every((word) => folded(`${title} ${kind}`).includes(word)));
  const begins = found.filter(({ title }) => folded(title).startsWith(wanted));
  return [...begins, ...found.filter((each) => !begins.includes(each))].slice(0, MAX_SHOWN);
}
