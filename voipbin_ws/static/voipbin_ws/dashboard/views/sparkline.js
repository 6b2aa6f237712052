/** A small drawing of how a number went: a line over the last hour, or bars of its parts. */

const WIDTH = 120;
const HEIGHT = 32;
const MARGIN = 2; // so that a line at the edge is drawn whole

/** Where the values stand: [x, y] each, null where there is none. */
function positions(values, highest) {
  const step = WIDTH / (values.length - 1);
  return values.map((value, index) => (value === null ? null : [index * step, HEIGHT - MARGIN - (value / highest) * (HEIGHT - 2 * MARGIN)]));
}

/** The path through `values`, of 0 and more; where null stands it is broken. `highest` is the top of the drawing. */
export function linePath(values, highest) {
  let isDrawing = false;
  const parts = [];
  for (const point of positions(values, highest)) {
    if (point) parts.push(`${isDrawing ? "L" : "M"}${point.map((each) => each.toFixed(1)).join(" ")}`);
    isDrawing = point !== null;
  }
  return parts.join("");
}

/** What lies below the line. */
export function areaPath(values, highest) {
  const parts = [];
  let from = null;
  for (const [index, point] of [...positions(values, highest), null].entries()) {
    if (point) {
      parts.push(from === null ? `M${point[0].toFixed(1)} ${HEIGHT}L` : "L", point.map((each) => each.toFixed(1)).join(" "));
      from ??= index;
    } else if (from !== null) {
      parts.push(`V${HEIGHT}Z`);
      from = null;
    }
  }
  return parts.join("");
}

/** A bar for each value; none where null stands, and a stump for nothing. */
export function barPath(values, highest) {
  const step = WIDTH / values.length;
  const bars = values.map((value, index) => {
    if (value === null) return "";
    const height = Math.max(1.5, (value / highest) * HEIGHT);
    return `M${(index * step + 1).toFixed(1)} ${HEIGHT}v-${height.toFixed(1)}h${(step - 2).toFixed(1)}V${HEIGHT}Z`;
  });
  return bars.join("");
}

/** Draws into an SVG of the page that has a path `.area` and a path `.line`. */
export class Sparkline {
  #svg;

  constructor(svg) {
    this.#svg = svg;
  }

  /** `label` says the same in words. */
  line(values, label) {
    const highest = Math.max(1, ...values.map((value) => value ?? 0));
    this.#draw(linePath(values, highest), areaPath(values, highest), label);
  }

  bars(values, highest, label) {
    this.#draw("", barPath(values, highest), label);
    this.#svg.dataset.form = "bars";
  }

  #draw(line, area, label) {
    this.#svg.querySelector(".line").setAttribute("d", line);
    this.#svg.querySelector(".area").setAttribute("d", area);
    this.#svg.setAttribute("aria-label", label);
  }
}
