import assert from "node:assert/strict";
import { ROLE_NAMES } from "../../ipc/call.ts";
import { actsFor, allActs, LEAST_ACTS } from "./acts.ts";
import { TARGETS } from "./drill_fixture.ts";
import { EXEMPTIONS } from "./exemptions.ts";

const MACHINES = ["x86_64", "aarch64"] as const;

for (const machine of MACHINES) {
  Deno.test(`actsFor on ${machine} has enough acts for every role and mode`, () => {
    for (const role of ROLE_NAMES) {
      for (const mode of ["flags", "kernel"] as const) {
        const count = actsFor(role, mode, { ...TARGETS, machine }).length;
        assert.ok(count >= LEAST_ACTS, `${role} ${mode}: ${count}`);
      }
    }
  });

  Deno.test(`allActs on ${machine} names no act twice`, () => {
    const names = allActs({ ...TARGETS, machine }).map((one) => one.act);
    assert.deepEqual(names, [...new Set(names)]);
  });
}

Deno.test("EXEMPTIONS names only acts that there are", () => {
  const names = new Set(allActs(TARGETS).map((one) => one.act));
  for (const { acts } of EXEMPTIONS) {
    for (const act of acts) assert.ok(names.has(act), act);
  }
});

Deno.test("actsFor leaves out a role's own job and nothing of the others", () => {
  const acts = (role: "queue" | "smtpd") =>
    actsFor(role, "flags", TARGETS).map((one) => one.act);
  assert.ok(!acts("queue").includes("read the message keys"));
  assert.ok(acts("smtpd").includes("read the message keys"));
});

Deno.test("actsFor of the role that faces the world leaves nothing out", () => {
  for (const role of ["smtpd", "console"] as const) {
    const acts = actsFor(role, "kernel", TARGETS);
    const all = allActs(TARGETS).filter((one) => one.modes.includes("kernel"));
    assert.equal(acts.length, all.length);
  }
});
