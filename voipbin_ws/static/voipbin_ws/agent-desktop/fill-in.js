/** Texts and addresses with variables such as {name}. Sans-I/O. */

/**
 * Return a text with its variables replaced. Without a value the space before a variable goes as well.
 * @param {string} text @param {Record<string, string>} values
 */
export function filledText(text, values) {
  return text.replace(/( ?)\{(\w+)\}/g, (whole, space, name) => {
    if (!Object.hasOwn(values, name)) return whole;
    return values[name] ? space + values[name] : "";
  });
}

/**
 * Return an address with its variables replaced by encoded values; `null` if it is none of http or https.
 * @param {string} template @param {Record<string, string>} values
 */
export function filledAddress(template, values) {
  const address = template.replace(/\{(\w+)\}/g, (whole, name) => (Object.hasOwn(values, name) ? encoded(values[name]) : whole));
  if (!URL.canParse(address)) return null;
  return ["https:", "http:"].includes(new URL(address).protocol) ? address : null;
}

/** @param {string} value */
function encoded(value) {
  try {
    return encodeURIComponent(value);
  } catch {
    return ""; // It ends within a character.
  }
}
