/**
 * Small plots as SVG, drawn on the server: no script, no library, colours by
 * the style sheet. Each says in words what it shows, and has its figures as a
 * table, too.
 */
import { html, raw } from "hono/html";
import type { FlowSample } from "../news.ts";
import { type Html, NOTHING, table } from "./parts.ts";
import { count, hourMinute, number, span } from "./words.ts";

const WIDTH = 360;
const HEIGHT = 120;
/** The plotted area inside; the rest is for words. */
const LEFT = 2;
const RIGHT = 358;
const TOP = 18;
const BOTTOM = 102;

/** Shown at least. */
const MINUTES = 60;
const MINUTE_MS = 60_000;

/** Fewer rows than samples: a table of sixty is read by nobody. */
const ROWS = 12;

/** The three plots of the last hour; words where there is nothing yet. */
export function flowPlots(samples: readonly FlowSample[]): Html {
  if (samples.length === 0) {
    return html`<p class="empty">The plots begin with the first minute that is over.</p>`;
  }
  return html`
    <div class="plots">${flow(samples)}${delay(samples)}${refusals(
      samples,
    )}</div>
    <details
      class="figures"><summary>The same as a table</summary>${figures(
        samples,
      )}</details>
  `;
}

function flow(samples: readonly FlowSample[]): Html {
  const accepted = total(samples, (one) => one.accepted);
  const delivered = total(samples, (one) => one.delivered);
  const top = niceTop(
    Math.max(...samples.map((one) => Math.max(one.accepted, one.delivered))),
  );
  return plot({
    id: "flow",
    name: "Flow",
    unit: "a minute",
    says: `${count(accepted, "message")} accepted and ${
      count(delivered, "recipient")
    } delivered in this time.`,
    top: number(top),
    samples,
    keys: [["p1", "accepted"], ["p2 line", "delivered"]],
    drawn: bars(samples, (one) => one.accepted / top, "p1") +
      line(samples, (one) => one.delivered / top, "p2"),
  });
}

// A logarithm: 20 ms and 20 minutes are both worth seeing.
const LEAST_MS = 10;

function delay(samples: readonly FlowSample[]): Html {
  const known = samples.filter((one) => one.delayP95Ms > 0);
  const worst = Math.max(LEAST_MS * 10, ...known.map((one) => one.delayP95Ms));
  const height = (ms: number) =>
    ms <= 0 ? undefined : Math.log(Math.max(ms, LEAST_MS) / LEAST_MS) /
      Math.log(worst / LEAST_MS);
  return plot({
    id: "delay",
    name: "Delay",
    unit: "from arrival to delivery",
    says: known.length === 0
      ? "Nothing was delivered in this time."
      : `Half of the deliveries took at most ${
        span(median(known.map((one) => one.delayP50Ms)))
      }; the slowest minute's 95th percentile was ${span(worstOf(known))}.`,
    top: span(worst),
    samples,
    keys: [["p2 line", "half"], ["p3 line", "95 of 100"]],
    drawn: line(samples, (one) => height(one.delayP95Ms), "p3") +
      line(samples, (one) => height(one.delayP50Ms), "p2"),
  });
}

function refusals(samples: readonly FlowSample[]): Html {
  const top = niceTop(
    Math.max(
      ...samples.map((one) => one.refused + one.deferred + one.bounced),
    ),
  );
  return plot({
    id: "refusals",
    name: "Refusals",
    unit: "a minute",
    says: `${
      number(total(samples, (one) => one.refused))
    } refused at the door, ${
      number(total(samples, (one) => one.deferred))
    } put off by others, ${
      number(total(samples, (one) => one.bounced))
    } returned in this time.`,
    top: number(top),
    samples,
    keys: [["p4", "refused"], ["p3", "put off"], ["p5", "returned"]],
    drawn: bars(samples, (one) => one.refused / top, "p4") +
      bars(samples, (one) => one.deferred / top, "p3", {
        from: (one) => one.refused / top,
      }) +
      bars(samples, (one) => one.bounced / top, "p5", {
        from: (one) => (one.refused + one.deferred) / top,
      }),
  });
}

interface Plot {
  readonly id: string;
  readonly name: string;
  readonly unit: string;
  /** One sentence: what is to be seen. */
  readonly says: string;
  /** What the upper edge stands for. */
  readonly top: string;
  readonly samples: readonly FlowSample[];
  /** Class and name of each colour. */
  readonly keys: readonly (readonly [string, string])[];
  /** Made of numbers alone. */
  readonly drawn: string;
}

function plot(
  { id, name, unit, says, top, samples, keys, drawn }: Plot,
): Html {
  return html`
    <figure class="plot">
      <figcaption><h3>${name}</h3> <span class="dim">${unit}</span> <span class="keys">${keys
        .map(([className, key]) =>
          html`<span class="key ${className}">${key}</span>`
        )}</span></figcaption>
      <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img"
        aria-labelledby="${id}-t ${id}-d"><title id="${id}-t">${name}, the last hour</title><desc id="${id}-d">${says}</desc>
    ${raw(GRID)}${raw(
      drawn,
    )}<text x="${LEFT}" y="12">${top}</text><text x="${LEFT}" y="116">${hourMinute(
      Math.min(
        samples[0]!.atMs,
        samples.at(-1)!.atMs - (MINUTES - 1) * MINUTE_MS,
      ),
    )}</text><text x="${RIGHT}" y="116" text-anchor="end">${hourMinute(
      samples.at(-1)!.atMs,
    )}</text></svg>
      <p class="dim">${says}</p>
    </figure>
  `;
}

const GRID = [TOP, (TOP + BOTTOM) / 2, BOTTOM].map((y) =>
  `<path class="grid" d="M${LEFT} ${y}H${RIGHT}"/>`
).join("");

/** A server that is young has its minutes at the right, where now is. */
function stepOf(samples: readonly FlowSample[]): number {
  return (RIGHT - LEFT) / Math.max(MINUTES, samples.length);
}

type Share = (sample: FlowSample) => number | undefined;

function bars(
  samples: readonly FlowSample[],
  share: Share,
  className: string,
  { from = () => 0 }: { from?: Share } = {},
): string {
  const step = stepOf(samples);
  const begin = RIGHT - step * samples.length;
  const width = round(Math.max(1, step - 1.5));
  let d = "";
  samples.forEach((one, at) => {
    const height = (share(one) ?? 0) * (BOTTOM - TOP);
    if (height <= 0) return;
    const foot = BOTTOM - (from(one) ?? 0) * (BOTTOM - TOP);
    const x = round(begin + at * step);
    d += `M${x} ${round(foot)}v-${round(Math.max(1, height))}h${width}V${
      round(foot)
    }z`;
  });
  return `<path class="${className} area" d="${d}"/>`;
}

function line(
  samples: readonly FlowSample[],
  share: Share,
  className: string,
): string {
  const step = stepOf(samples);
  const begin = RIGHT - step * samples.length;
  let d = "";
  let isDrawing = false;
  samples.forEach((one, at) => {
    const height = share(one);
    if (height === undefined) {
      isDrawing = false;
      return;
    }
    const x = round(begin + (at + 0.5) * step);
    const y = round(BOTTOM - height * (BOTTOM - TOP));
    // A minute that stands alone is a dot.
    d += isDrawing ? `L${x} ${y}` : `M${x} ${y}h.01`;
    isDrawing = true;
  });
  return `<path class="${className} stroke" d="${d}"/>`;
}

/** The samples by a dozen, as a table. */
function figures(samples: readonly FlowSample[]): Html {
  const size = Math.ceil(samples.length / ROWS);
  const groups: FlowSample[][] = [];
  for (let at = 0; at < samples.length; at += size) {
    groups.push(samples.slice(at, at + size));
  }
  if (groups.length === 0) return NOTHING;
  return table({
    caption: "Flow, delay and refusals in the last hour",
    head: [
      "From",
      ...["#Accepted", "#Delivered", "#Refused", "#Put off", "#Returned"],
      ...["#Half within", "#95 of 100 within"],
    ],
    rows: groups.map((group) => {
      const known = group.filter((one) => one.delayP95Ms > 0);
      return [
        hourMinute(group[0]!.atMs),
        number(total(group, (one) => one.accepted)),
        number(total(group, (one) => one.delivered)),
        number(total(group, (one) => one.refused)),
        number(total(group, (one) => one.deferred)),
        number(total(group, (one) => one.bounced)),
        known.length === 0 ? "–" : span(median(known.map((o) => o.delayP50Ms))),
        known.length === 0 ? "–" : span(worstOf(known)),
      ];
    }),
  });
}

function total(
  samples: readonly FlowSample[],
  of: (sample: FlowSample) => number,
): number {
  return samples.reduce((sum, one) => sum + of(one), 0);
}

function worstOf(samples: readonly FlowSample[]): number {
  return Math.max(...samples.map((one) => one.delayP95Ms));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** The next of 1, 2, 5, 10, 20 ... that is not less. */
export function niceTop(most: number): number {
  let power = 1;
  for (let tries = 0; tries < 16; tries++, power *= 10) {
    for (const step of [1, 2, 5]) {
      if (step * power >= most) return step * power;
    }
  }
  return most;
}

function round(n: number): number {
  return Math.round(n * 10) / 10;
}
