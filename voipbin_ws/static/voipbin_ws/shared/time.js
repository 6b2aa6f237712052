/** Times as the gateway and VoIPBIN write them, and durations as people read them. */

const NOT_YET = 9000; // VoIPBIN writes the year 9999 for what has not happened, and 0001 for nothing.

/** Milliseconds since the epoch, or null where `text` tells no time. What names no zone is UTC. */
export function parseTime(text) {
  if (typeof text !== "string" || text.length < 19 || text.length > 40) return null;
  const normal = text.replace(" ", "T");
  const at = Date.parse(/(?:Z|[+-]\d\d:\d\d)$/i.test(normal) ? normal : `${normal}Z`);
  if (Number.isNaN(at)) return null;
  const year = new Date(at).getUTCFullYear();
  return year > 1 && year < NOT_YET ? at : null;
}

/** "0:07", "12:34", "1:02:03", "3 d 4 h": how long, never less than nothing. */
export function duration(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (number) => String(number).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}:${two(minutes % 60)}:${two(seconds % 60)}`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** "10:31:07", on the clock of whoever looks. */
export function timeOfDay(milliseconds) {
  const at = new Date(milliseconds);
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}
