/** The drill's result for people. */
import type { Act, Wall } from "./act.ts";
import { EXEMPTIONS } from "./exemptions.ts";

const WALLS: readonly Wall[] = ["deno", "uid", "landlock", "seccomp"];

/** What a drill found. */
export interface DrillResult {
  readonly acts: readonly Act[];
}

/** Renders a result: a table by role, what was not denied, and the limits. */
export function drillReport({ acts }: DrillResult): string {
  const through = acts.filter((one) => !one.denied);
  return [
    "Break-in drill: a hostile script in every role's place, with the role's " +
    'rights ("flags"),',
    'and with those that are left once V8 is taken over ("kernel").',
    "",
    ...table(acts),
    "",
    ...(through.length === 0 ? [`All ${acts.length} acts were denied.`] : [
      `${through.length} of ${acts.length} acts were NOT denied:`,
      ...through.map(inWords),
    ]),
    ...limits(acts),
  ].join("\n");
}

function table(acts: readonly Act[]): string[] {
  const groups = Map.groupBy(acts, (one) => `${one.role} ${one.mode}`);
  const rows = [...groups.values()].map((group) => [
    group[0]!.role,
    group[0]!.mode,
    String(group.length),
    ...WALLS.map((wall) =>
      String(group.filter((one) => one.denied && one.wall === wall).length)
    ),
    String(group.filter((one) => !one.denied).length),
  ]);
  const all = [
    ["role", "mode", "acts", ...WALLS, "not denied"],
    ...rows,
  ];
  const widths = all[0]!.map((_, n) =>
    Math.max(...all.map((row) => row[n]!.length))
  );
  return all.map((row) =>
    row.map((cell, n) =>
      n < 2 ? cell.padEnd(widths[n]!) : cell.padStart(widths[n]!)
    ).join("  ")
  );
}

function inWords({ role, mode, act, error }: Act): string {
  const when = mode === "flags" ? "as it runs" : "with Deno's checks off";
  return error === undefined
    ? `  ${role}, ${when}: could ${act}`
    : `  ${role}, ${when}: could not ${act}, but for no wall's sake (${error}); ` +
      "this proves nothing";
}

function limits(acts: readonly Act[]): string[] {
  const tried = new Set(acts.map((one) => one.role));
  const rows = EXEMPTIONS.filter((one) =>
    one.kind === "limit" && one.roles.some((role) => tried.has(role))
  );
  if (rows.length === 0) return [];
  return [
    "",
    "Not tried, because no wall can deny it:",
    ...rows.map((one) =>
      `  ${one.roles.join(", ")}, ${
        one.modes.includes("flags") ? "always" : "with Deno's checks off"
      }: ${one.acts.join("; ")} (${one.why})`
    ),
  ];
}
