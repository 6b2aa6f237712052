/** Texts of the pages, with named places for values. Sans-I/O. */

/** @typedef {Readonly<Record<string, string | number>>} Values */

/** Return a text with its places `{name}` filled in. @param {string} text A literal, also the key of its translation. @param {Values} [values] */
export function gettext(text, values = {}) {
  return text.replace(/\{(\w+)\}/g, (place, name) => String(values[name] ?? place));
}

/**
 * Return the text for a number, which fills in `{count}`.
 * @param {string} one A literal, for 1. @param {string} many A literal, for all other numbers. @param {number} count @param {Values} [values]
 */
export function ngettext(one, many, count, values = {}) {
  return gettext(count === 1 ? one : many, { count, ...values });
}
