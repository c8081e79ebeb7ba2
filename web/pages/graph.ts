/**
 * The roles as one picture: a hull with its compartments, a column for each
 * level of trust, and a line for who may ask whom.
 */
import { html } from "hono/html";
import { type Facts, isWell, type News, roleOf } from "../news.ts";
import { type Html, NOTHING } from "./parts.ts";
import { plain } from "./words.ts";

/** One role's manifest, as the supervisor tells it. */
export type Manifest = Facts["manifests"][number];

const COLUMN = 206;
const ROW = 52;
const BOX_WIDTH = 116;
const BOX_HEIGHT = 32;
const TOP = 64;
const EDGE = 24;

/** Where a role's box is: its middle. */
interface Place {
  readonly x: number;
  readonly y: number;
}

/** The picture; nothing where there are no manifests yet. */
export function graph(
  manifests: readonly Manifest[],
  news: News | undefined,
): Html {
  if (manifests.length === 0) return NOTHING;
  const levels = [...new Set(manifests.map((one) => one.trust))]
    .toSorted((a, b) => a - b);
  const columns = levels.map((trust) =>
    manifests.filter((one) => one.trust === trust)
  );
  const most = Math.max(...columns.map((column) => column.length));
  const width = 2 * EDGE + levels.length * COLUMN;
  const height = TOP + most * ROW + 2 * EDGE;
  const places = placed(columns, most);
  const wires = wiresOf(manifests, places);
  const ends = endsOf(wires, places);
  const middle = (at: number) => EDGE + (at + 0.5) * COLUMN;
  return html`
    <div class="wide" role="region" aria-label="Picture of the roles" tabindex="0">
      <svg class="hull-plan" viewBox="0 0 ${width} ${height}"
        width="${width}" height="${height}" role="group"
        aria-labelledby="plan-t plan-d"><title id="plan-t">The roles and who may ask whom</title><desc id="plan-d">Columns from least to most trusted. The table below says the same in words.</desc>
    <path class="hull" d="${hull(width, height)}"/>
    ${levels.map((trust, at) =>
      html`
        ${at === 0 ? NOTHING : html`
          <path class="bulkhead" d="M${EDGE + at * COLUMN} 12V${height - 12}" />
        `}<text class="level" x="${middle(at)}" y="34"
          text-anchor="middle">trust ${trust}</text><text class="level-words"
          x="${middle(at)}" y="50" text-anchor="middle">${TRUST_WORDS[trust] ??
            ""}</text>
      `
    )}
    ${wires.map((one) => wireLine(one, ends))}
    ${manifests.map((one) =>
      box(places, one, {
        well: roleIsWell(news, one.name),
        wires: wires.filter(({ from }) => from.role === one.name)
          .map((wire) => wireLine(wire, ends)),
      })
    )}
      </svg>
    </div>
  `;
}

/** What the levels mean, in two words; `ARCHITECTURE.md` has more. */
const TRUST_WORDS: readonly string[] = [
  "read strangers' octets",
  "pass them on",
  "work on content",
  "hold what is sealed",
  "holds the keys",
  "is root",
];

/** True if all its processes answer; undefined if there is none. */
function roleIsWell(news: News | undefined, role: string): boolean | undefined {
  const own = processesOf(news, role);
  return own.length === 0 ? undefined : own.every(isWell);
}

/** The processes of a role. */
export function processesOf(
  news: News | undefined,
  role: string,
): News["roles"] {
  return (news?.roles ?? []).filter((one) => roleOf(one) === role);
}

function placed(
  columns: readonly (readonly Manifest[])[],
  most: number,
): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  columns.forEach((column, at) => {
    const first = TOP + EDGE / 2 + (most - column.length) * ROW / 2;
    column.forEach((one, row) =>
      places.set(one.name, {
        x: EDGE + (at + 0.5) * COLUMN,
        y: first + (row + 0.5) * ROW,
      })
    );
  });
  return places;
}

type Side = "left" | "right";

interface End {
  readonly role: string;
  readonly side: Side;
  /** Where the line's other end is: ends are sorted by it, so few cross. */
  readonly otherY: number;
}

interface Wire {
  readonly from: End;
  readonly to: End;
}

/** A line for each edge: out at the side that is nearer. */
function wiresOf(
  manifests: readonly Manifest[],
  places: ReadonlyMap<string, Place>,
): readonly Wire[] {
  return manifests.flatMap((one) =>
    one.asks.flatMap((asked): Wire[] => {
      const a = places.get(one.name);
      const b = places.get(asked);
      if (a === undefined || b === undefined) return [];
      return [{
        from: {
          role: one.name,
          side: a.x <= b.x ? "right" : "left",
          otherY: b.y,
        },
        to: { role: asked, side: a.x < b.x ? "left" : "right", otherY: a.y },
      }];
    })
  );
}

/** Ends at one side of a box are spread over it. */
function endsOf(
  wires: readonly Wire[],
  places: ReadonlyMap<string, Place>,
): ReadonlyMap<End, Place> {
  const bySide = new Map<string, End[]>();
  for (const end of wires.flatMap(({ from, to }) => [from, to])) {
    const key = `${end.side} ${end.role}`;
    bySide.set(key, [...bySide.get(key) ?? [], end]);
  }
  const found = new Map<End, Place>();
  for (const ends of bySide.values()) {
    ends.sort((a, b) => a.otherY - b.otherY).forEach((end, at) => {
      const { x, y } = places.get(end.role)!;
      found.set(end, {
        x: x + (end.side === "left" ? -0.5 : 0.5) * BOX_WIDTH,
        y: round(y + ((at + 1) / (ends.length + 1) - 0.5) * BOX_HEIGHT),
      });
    });
  }
  return found;
}

function wireLine({ from, to }: Wire, ends: ReadonlyMap<End, Place>): Html {
  const a = ends.get(from)!;
  const b = ends.get(to)!;
  const reach = Math.max(26, Math.abs(b.x - a.x) / 2);
  const out = (end: End) => end.side === "left" ? -reach : reach;
  return html`
    <path class="wire"
      d="M${a.x} ${a.y}C${round(a.x + out(from))} ${a.y} ${round(
        b.x + out(to),
      )} ${b.y} ${b.x} ${b.y}" />
    <circle class="port" cx="${b.x}" cy="${b.y}" r="2.5" />
  `;
}

function round(n: number): number {
  return Math.round(n * 10) / 10;
}

function box(
  places: ReadonlyMap<string, Place>,
  one: Manifest,
  { well, wires }: {
    well: boolean | undefined;
    /** Drawn once more, to be seen when somebody points at it. */
    wires: readonly Html[];
  },
): Html {
  const { x, y } = places.get(one.name)!;
  const name = plain(one.name);
  const [tone, glyph] = well === undefined
    ? ["off", "–"]
    : well
    ? ["good", "✓"]
    : ["bad", "✕"];
  const how = well === undefined ? "not started" : well ? "answers" : "down";
  return html`
    <a href="/roles/${encodeURIComponent(one.name)}"
      aria-label="${name}: ${how}"><g class="lit">${wires}</g><rect class="room ${tone}" x="${x -
        BOX_WIDTH / 2}" y="${y -
        BOX_HEIGHT /
          2}" width="${BOX_WIDTH}" height="${BOX_HEIGHT}" rx="4"/><text x="${x -
        BOX_WIDTH / 2 + 12}" y="${y +
        4.5}">${name}</text><text class="glyph ${tone}" x="${x + BOX_WIDTH / 2 -
        12}" y="${y + 4.5}" text-anchor="end">${glyph}</text></a>
  `;
}

function hull(width: number, height: number): string {
  const right = width - 4;
  const bottom = height - 4;
  return `M4 4H${right}V${bottom - 30}Q${right} ${bottom} ${
    right - 30
  } ${bottom}` +
    `H34Q4 ${bottom} 4 ${bottom - 30}Z`;
}
