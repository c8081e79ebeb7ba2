import assert from "node:assert/strict";
import { tried, type Wall } from "./act.ts";
import { type Attempts, judge } from "./attribution.ts";

const ACT = tried("x", { do: "list", path: "/x" });
const BOTH = { flags: [ACT], kernel: [ACT] };

function attempts(error: string, denied = error !== ""): Attempts {
  return new Map([["x", { act: "x", denied, error }]]);
}

function walls(rows: Partial<Record<Wall, string>>): Map<Wall, Attempts> {
  return new Map(
    Object.entries(rows).map((
      [wall, error],
    ) => [wall as Wall, attempts(error)]),
  );
}

const VERDICTS: {
  name: string;
  flags: string;
  kernel: string;
  alone: Partial<Record<Wall, string>>;
  want: [Wall, Wall];
}[] = [
  {
    name: "Deno, and the user behind it",
    flags: "NotCapable",
    kernel: "EACCES",
    alone: { uid: "EACCES", landlock: "EACCES", seccomp: "EACCES" },
    want: ["deno", "uid"],
  },
  {
    name: "Landlock where the user alone lets it through",
    flags: "NotCapable",
    kernel: "EACCES",
    alone: { uid: "", landlock: "EACCES", seccomp: "" },
    want: ["deno", "landlock"],
  },
  {
    name: "seccomp where only it refuses",
    flags: "EPERM",
    kernel: "EPERM",
    alone: { uid: "", landlock: "", seccomp: "EPERM" },
    want: ["seccomp", "seccomp"],
  },
  {
    name: "the error's wall if none refuses alone",
    flags: "EACCES",
    kernel: "EPERM",
    alone: {},
    want: ["landlock", "seccomp"],
  },
  {
    name: "Deno where SQLite words its refusal",
    flags: "too many attached databases - max 0",
    kernel: "EPERM",
    alone: { uid: "EPERM" },
    want: ["deno", "uid"],
  },
];

for (const { name, flags, kernel, alone, want } of VERDICTS) {
  Deno.test(`judge credits ${name}`, () => {
    const acts = judge("smtpd", BOTH, {
      flags: attempts(flags),
      kernel: attempts(kernel),
      experiments: walls(alone),
    });
    assert.deepEqual(acts.map((one) => one.wall), want);
    assert.ok(acts.every((one) => one.denied && one.error === undefined));
  });
}

Deno.test("judge takes success, blunder and silence for not denied", () => {
  const none = new Map<Wall, Attempts>();
  const kinds: [Attempts, string | undefined][] = [
    [attempts(""), undefined],
    [attempts("ENOENT", false), "ENOENT"],
    [new Map(), "no answer"],
  ];
  for (const [flags, error] of kinds) {
    const [act] = judge("smtpd", { flags: [ACT], kernel: [] }, {
      flags,
      kernel: new Map(),
      experiments: none,
    });
    assert.equal(act!.denied, false);
    assert.equal(act!.wall, "none");
    assert.equal(act!.error, error);
  }
});
