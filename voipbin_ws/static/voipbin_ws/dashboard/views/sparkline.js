/** A small drawing of how a number went: a line over the last hour, or bars of its parts. */

const WIDTH = 120;
const HEIGHT = 32;
const MARGIN = 2; // so that a line at the edge is drawn whole

/** The points of the line through `values`, of 0 and more, in runs: where null stands it is broken. `highest` is the top of the
 * drawing. */
function runsOf(values, highest) {
  const step = WIDTH / (values.length - 1);
  const runs = [[]];
  for (const [index, value] of values.entries()) {
    if (value === null) runs.push([]);
    else runs.at(-1).push([index * step, HEIGHT - MARGIN - (value / highest) * (HEIGHT - 2 * MARGIN)]);
  }
  return runs.filter((run) => run.length).map((run) => run.map((point) => point.map((each) => each.toFixed(1))));
}

/** A bar for each value; none where null stands, and a stump for nothing. */
function barPath(values, highest) {
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
    const runs = runsOf(values, highest);
    const line = runs.map((run) => `M${run.map((point) => point.join(" ")).join("L")}`);
    const area = runs.map((run) => `M${run[0][0]} ${HEIGHT}L${run.map((point) => point.join(" ")).join("L")}V${HEIGHT}Z`);
    this.#draw(line.join(""), area.join(""), label);
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
