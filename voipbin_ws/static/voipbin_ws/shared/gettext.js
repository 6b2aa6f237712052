/**
 * Texts and numbers of the pages in the page's language, the texts with named places for values. Sans-I/O.
 *
 * Pages in another language than English load its translations before their modules (languages/, by manage.py write_catalogues).
 */

/** @typedef {Readonly<Record<string, string | number>>} Values */
/** @typedef {Readonly<Record<string, string | Readonly<Record<string, string>>>>} Texts By their English: a translation, or one for each form of `Intl.PluralRules`. */

const texts = /** @type {{ translatedTexts?: Texts }} */ (globalThis).translatedTexts ?? {};

/** The language of the page, for `Intl`. */
export const language = globalThis.document?.documentElement.lang || "en";

const plurals = new Intl.PluralRules(language);
const numbers = new Intl.NumberFormat(language);
const percents = new Intl.NumberFormat(language, { style: "percent" });

/** Format a number as "12,345", or as the page's language does. @param {number} number */
export const shownNumber = (number) => numbers.format(number);

/** Format a share as "80%", or as the page's language does. @param {number} share From 0 to 1. */
export const shownPercent = (share) => percents.format(share);

/** Return a text with its places `{name}` filled in, numbers as `shownNumber` does. @param {string} text A literal, also the key of its translation. @param {Values} [values] */
export const gettext = (text, values = {}) => translated(text, values);

/** Mark a literal for translation, which `translated` looks up later. @param {string} text */
export const gettextNoop = (text) => text;

/** Return the translation of a text that was marked by `gettextNoop`, with its places filled in. @param {string} text @param {Values} [values] */
export function translated(text, values = {}) {
  const found = texts[text] ?? text;
  return filledIn(typeof found === "string" ? found : (found.other ?? text), values);
}

/**
 * Return the text for a number, which fills in `{count}`.
 * @param {string} one A literal, for 1. @param {string} many A literal, for all other numbers. @param {number} count @param {Values} [values]
 */
export function ngettext(one, many, count, values = {}) {
  const found = texts[one];
  const text = typeof found === "object" ? (found[plurals.select(count)] ?? found.other) : undefined;
  return filledIn(text ?? (count === 1 ? one : many), { count, ...values });
}

/** @param {string} text @param {Values} values */
function filledIn(text, values) {
  return text.replace(/\{(\w+)\}/g, (place, name) => {
    const value = values[name] ?? place;
    return typeof value === "number" ? shownNumber(value) : value;
  });
}
