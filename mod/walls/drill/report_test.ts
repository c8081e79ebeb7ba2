import assert from "node:assert/strict";
import type { Act } from "./act.ts";
import { drillReport } from "./report.ts";

const DENIED: Act = {
  role: "smtpd",
  mode: "flags",
  act: "run a shell",
  denied: true,
  wall: "deno",
};

Deno.test("drillReport says that all was denied only if it was", () => {
  assert.match(drillReport({ acts: [DENIED] }), /All 1 acts were denied\./);
  const through: Act = { ...DENIED, denied: false, wall: "none" };
  const report = drillReport({ acts: [DENIED, through] });
  assert.doesNotMatch(report, /were denied\./);
  assert.match(report, /1 of 2 acts were NOT denied/);
  assert.match(report, /smtpd, as it runs: could run a shell/);
});

Deno.test("drillReport tells a blunder of the drill from a success", () => {
  const blunder: Act = {
    ...DENIED,
    mode: "kernel",
    denied: false,
    wall: "none",
    error: "ENOENT",
  };
  assert.match(
    drillReport({ acts: [blunder] }),
    /with Deno's checks off: could not run a shell, but for no wall's sake \(ENOENT\)/,
  );
});

Deno.test("drillReport counts acts by role, mode and wall", () => {
  const kernel: Act = { ...DENIED, mode: "kernel", wall: "seccomp" };
  const rows = drillReport({ acts: [DENIED, DENIED, kernel] }).split("\n");
  const cells = rows.filter((row) => row.startsWith("smtpd "))
    .map((row) => row.split(/ +/));
  assert.deepEqual(cells, [
    ["smtpd", "flags", "2", "2", "0", "0", "0", "0"],
    ["smtpd", "kernel", "1", "0", "0", "0", "1", "0"],
  ]);
});

Deno.test("drillReport names the limits of the roles that were drilled", () => {
  assert.doesNotMatch(drillReport({ acts: [DENIED] }), /UDP/);
  assert.match(drillReport({ acts: [{ ...DENIED, role: "dns" }] }), /UDP/);
});
