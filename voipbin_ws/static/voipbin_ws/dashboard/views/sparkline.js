/** A small chart: a line over the last hour, or bars of its parts. */

import { descendant } from "../../shared/dom.js";

/** @typedef {(number | null)[]} Values Numbers from 0; `null` where none is known. */

const WIDTH = 120;
const HEIGHT = 32;
const MARGIN = 2; // Keeps the whole width of a line at the edge visible.

/** Return the points of the line through `values`, in runs that `null` separates. @param {Values} values @param {number} highest The top of the chart. */
function runsOf(values, highest) {
  const step = WIDTH / (values.length - 1);
  /** @type {string[][][]} */
  const runs = [[]];
  for (const [index, value] of values.entries()) {
    if (value === null) runs.push([]);
    else runs[runs.length - 1].push([index * step, HEIGHT - MARGIN - (value / highest) * (HEIGHT - 2 * MARGIN)].map((each) => each.toFixed(1)));
  }
  return runs.filter((run) => run.length);
}

/** Return a bar for each value; a short one for 0, and a gap for `null`. @param {Values} values From 0 to 1. */
function barPath(values) {
  const step = WIDTH / values.length;
  const bars = values.map((value, index) => {
    if (value === null) return "";
    const height = Math.max(1.5, value * HEIGHT);
    return `M${(index * step + 1).toFixed(1)} ${HEIGHT}v-${height.toFixed(1)}h${(step - 2).toFixed(1)}V${HEIGHT}Z`;
  });
  return bars.join("");
}

/** Draw a line in a chart. @param {HTMLElement} svg @param {Values} values @param {string} label Describes the values in words. */
export function drawLine(svg, values, label) {
  const runs = runsOf(values, Math.max(1, ...values.map((value) => value ?? 0)));
  const lines = runs.map((run) => run.map((point) => point.join(" ")).join("L"));
  const areas = runs.map((run, index) => `M${run[0][0]} ${HEIGHT}L${lines[index]}V${HEIGHT}Z`);
  draw(svg, lines.map((line) => `M${line}`).join(""), areas.join(""), label);
}

/** Draw bars from 0 to 1. @param {HTMLElement} svg @param {Values} values @param {string} label Describes the values in words. */
export function drawBars(svg, values, label) {
  draw(svg, "", barPath(values), label);
  svg.dataset.form = "bars";
}

/** @param {HTMLElement} svg Has a path `.area` and a path `.line`. @param {string} line @param {string} area @param {string} label */
function draw(svg, line, area, label) {
  descendant(svg, ".line").setAttribute("d", line);
  descendant(svg, ".area").setAttribute("d", area);
  svg.setAttribute("aria-label", label);
}
