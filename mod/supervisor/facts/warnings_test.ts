import assert from "node:assert/strict";
import { VERSION } from "../../core/version.ts";
import { type Known, warningsFor } from "./warnings.ts";

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 0, 1);

const quiet: Known = {
  nowMs: NOW,
  odd: [],
  isRoot: true,
  certificates: [],
  disks: [],
  drill: null,
  down: [],
  restarts: new Map(),
  errors: new Map(),
  logged: new Map(),
  jumps: [],
};

function certificate(leftMs: number) {
  return {
    use: "smtp",
    file: "/h/cert.pem",
    names: ["mx.home.test"],
    issuer: "",
    isSelfSigned: false,
    notBeforeMs: 0,
    notAfterMs: NOW + leftMs,
  };
}

function drill(denied: number, version = VERSION) {
  return {
    atMs: 0,
    tookMs: 0,
    version,
    acts: 9,
    denied,
    byWall: {},
    byRole: [],
    succeeded: [],
  };
}

const CASES: { name: string; known: Partial<Known>; says: RegExp | null }[] = [
  { name: "nothing", known: {}, says: null },
  {
    name: "a certificate of 20 days",
    known: { certificates: [certificate(20.5 * DAY_MS)] },
    says: /expires on 2026-01-21, in 20 days/,
  },
  {
    name: "a certificate of 22 days",
    known: { certificates: [certificate(22 * DAY_MS)] },
    says: null,
  },
  {
    name: "a certificate of yesterday",
    known: { certificates: [certificate(-DAY_MS)] },
    says: /expired on 2025-12-31/,
  },
  {
    name: "a disk with 9 %",
    known: { disks: [{ path: "/s", freeBytes: 90, allBytes: 1_000 }] },
    says: /disk of \/s is nearly full: 9 %/,
  },
  {
    name: "a disk with 10 %",
    known: { disks: [{ path: "/s", freeBytes: 100, allBytes: 1_000 }] },
    says: null,
  },
  {
    name: "a disk that does not say",
    known: { disks: [{ path: "/s", freeBytes: 0, allBytes: 0 }] },
    says: null,
  },
  {
    name: "two restarts",
    known: { restarts: new Map([["smtpc.0", 2]]) },
    says: null,
  },
  {
    name: "three restarts",
    known: { restarts: new Map([["smtpc.0", 3]]) },
    says: /smtpc\.0 was started again 3 times/,
  },
  {
    name: "an error of a role's own",
    known: { errors: new Map([["dns.0", 1]]) },
    says: /dns\.0 ended by an error of its own once/,
  },
  {
    name: "errors in the log",
    known: { logged: new Map([["shred.0", 2]]) },
    says: /shred\.0 wrote errors into the log/,
  },
  {
    name: "a role that is down",
    known: { down: ["gate.0"] },
    says: /gate\.0 does not answer/,
  },
  { name: "a drill that held", known: { drill: drill(9) }, says: null },
  {
    name: "a drill that did not hold",
    known: { drill: drill(7) },
    says: /2 of 9 acts/,
  },
  {
    name: "a drill of another version",
    known: { drill: drill(9, "0.0.1") },
    says: /version 0\.0\.1/,
  },
  {
    name: "a jump of the clock",
    known: { jumps: [{ atMs: NOW, byMs: -90_000 }] },
    says: /jumped back by 90 s at 2026-01-01/,
  },
  { name: "no root", known: { isRoot: false }, says: /not started as root/ },
  { name: "what was odd", known: { odd: ["odd thing"] }, says: /^odd thing$/ },
];

for (const { name, known, says } of CASES) {
  Deno.test(`warningsFor() says ${says ? "one thing" : "nothing"} of ${name}`, () => {
    const said = warningsFor({ ...quiet, ...known });
    assert.equal(said.length, says === null ? 0 : 1, said.join("\n"));
    if (says !== null) assert.match(said[0]!, says);
  });
}

Deno.test("warningsFor() keeps to the bounds of what the console takes", () => {
  const odd = Array.from({ length: 200 }, () => "x".repeat(3_000));
  const said = warningsFor({ ...quiet, odd });
  assert.equal(said.length, 100);
  assert.ok(said.every((one) => one.length <= 1_000));
});
