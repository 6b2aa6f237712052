/** Texts of events: made safe to show, and compared as people write them. Sans-I/O. */

const MAX_TEXT = 200;
// Characters without a shape, and those that reorder their surroundings.
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Bidi_Control}]/gu;
const NEEDED = /\u200c|\u200d|\p{Variation_Selector}/u; // By emoji and several scripts.
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u;
// Letters that do not decompose into a letter and a mark, and the typographic forms of what a keyboard types.
const PLAIN = new Map(Object.entries({ ø: "o", ł: "l", đ: "d", ð: "d", þ: "th", ı: "i", æ: "ae", œ: "oe", ß: "ss", "’": "'", "‘": "'", ʼ: "'", "´": "'", "`": "'", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-", "‐": "-", "‑": "-" }));
const FORMS = new RegExp(`[${[...PLAIN.keys()].join("")}]`, "gu");

/** Remove characters that cannot be seen, or that reorder or hide others. @param {string} text */
export function withoutInvisible(text) {
  const clean = text.replace(INVISIBLE, (character) => (NEEDED.test(character) ? character : ""));
  return VISIBLE.test(clean) ? clean : "";
}

/** Return a value of an event as one line of text; "" if it is neither text nor a number. @param {unknown} value */
export function displayText(value) {
  if (typeof value === "number") return String(value);
  if (typeof value !== "string") return "";
  // eslint-disable-next-line no-control-regex
  const line = withoutInvisible(value.slice(0, MAX_TEXT * 2).replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ")).trim();
  return line.length > MAX_TEXT ? `${line.slice(0, MAX_TEXT)}…` : line;
}

/** Return a text without case, accents and typographic forms, for comparisons. @param {string} text */
export function folded(text) {
  return text
    .toLowerCase()
    .replace(FORMS, (form) => PLAIN.get(form) ?? form)
    .normalize("NFKD")
    .replace(/\p{M}/gu, "");
}
