/** Masked telephone numbers, as the gateway writes them. Sans-I/O. */

export const HIDDEN = "•••";

/** Return whether a text has a masked number. @param {string} text */
export const isMasked = (text) => text.includes(HIDDEN);
