/** Telephone numbers in E.164, so that every spelling of one compares equal. The gateway has the same rule in events/domain/phone_number.py. Sans-I/O. */

const MIN_INTERNATIONAL_DIGITS = 8;
const MAX_DIGITS = 15;

/** Return the ASCII digit of a decimal digit of any script: Unicode has those of a script in a row, 0 first. @param {string} digit */
function asciiDigit(digit) {
  const code = digit.codePointAt(0) ?? 0;
  let zero = code;
  while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
  return String(code - zero);
}

/** Return a number without invisible characters and scheme, with ASCII digits. @param {string} text */
function plainDigits(text) {
  const visible = text.normalize("NFKC").replace(/\p{Cf}/gu, "").trim();
  return visible.replace(/\p{Nd}/gu, asciiDigit).replace(/^(?:tel|sips?|callto):/i, "");
}

/**
 * Return the number in E.164; what is no telephone number, in lower case without separators. `dialing` is how the
 * customer's region dials; without it a national number is not understood.
 * @param {string} text @param {Dialing | null} [dialing]
 */
export function canonicalNumber(text, dialing = null) {
  const [user] = plainDigits(text).split(/[@;?]/, 1);
  const plain = (/^(?:\+|00)/.test(user) ? user.replace("(0)", "") : user).replace(/[\s().\-/\u2010-\u2015\u2212]+/g, "");
  const digits = plain.replace(/^\+/, "");
  if (!/^\d+$/.test(digits)) return plain.toLowerCase();
  if (plain.startsWith("+")) return plain;
  const prefix = ["00", dialing?.international_prefix ?? "00"].find((each) => digits.startsWith(each));
  if (prefix) return `+${digits.slice(prefix.length)}`;
  if (dialing) {
    const national = nationalOf(digits, dialing);
    const length = dialing.country_code.length + national.length;
    if (length <= MAX_DIGITS && national.length >= dialing.national_digits) return `+${dialing.country_code}${national}`;
  }
  return digits.length >= MIN_INTERNATIONAL_DIGITS && digits.length <= MAX_DIGITS ? `+${digits}` : digits;
}

/** Return the digits without the prefix of national numbers, or the country code without "+". @param {string} digits @param {Dialing} dialing */
function nationalOf(digits, { country_code: code, national_prefix: prefix, national_pattern: pattern }) {
  const isNational = new RegExp(`^(?:${pattern})$`);
  if (digits.startsWith(code) && !isNational.test(digits) && isNational.test(digits.slice(code.length))) return digits.slice(code.length);
  return digits.startsWith(prefix) ? digits.slice(prefix.length) : digits;
}

/**
 * Return a predicate that finds a number by any spelling, or by some of its digits; `null` if the text is no number.
 * @param {string} text @param {Dialing | null} dialing
 */
export function numberSearch(text, dialing) {
  const wanted = canonicalNumber(text, dialing);
  if (!/^\+?\d+$/.test(wanted)) return null;
  const digits = plainDigits(text).replace(/[@;?].*|\D/gs, "").replace(/^0+/, "");
  return (/** @type {string} */ number) => {
    const found = canonicalNumber(number, dialing);
    return found === wanted || (digits !== "" && /^\+?\d+$/.test(found) && found.includes(digits));
  };
}

const STOP = new Set(["stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "optout", "opt out", "revoke", "arret", "arrêt"]);
const START = new Set(["start", "unstop"]);
const MAX_KEYWORD = 1000; // A longer text is no keyword, whatever surrounds it.

/** Return whether a text opts out of messages; `null` if it is no keyword. @param {string} text */
export function optsOut(text) {
  if (text.length > MAX_KEYWORD) return null;
  const visible = text.normalize("NFKC").replace(/\p{Cf}/gu, "");
  const keyword = visible.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, "").replace(/[\s_-]+/g, " ").toLowerCase();
  if (STOP.has(keyword)) return true;
  return START.has(keyword) ? false : null;
}
