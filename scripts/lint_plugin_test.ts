import assert from "node:assert/strict";
import plugin, { importFault, roleOf } from "./lint_plugin.ts";

for (
  const [path, want] of [
    ["/x/mod/smtpd/session.ts", "smtpd"],
    ["/x/mod/supervisor/commands/init.ts", "supervisor"],
    ["/x/mod/core/log.ts", undefined],
    ["/x/mod/ipc/call.ts", undefined],
    ["/x/web/app.ts", "console"],
    ["/x/main.ts", undefined],
    ["/x/scripts/ok.ts", undefined],
  ] as const
) {
  Deno.test(`roleOf ${path} is ${want}`, () =>
    assert.equal(roleOf(path), want));
}

const TABLE: [from: string, target: string, allowed: boolean][] = [
  ["/x/mod/smtpd/main.ts", "../queue/queue_ipc.ts", true],
  ["/x/mod/smtpd/main.ts", "../queue/schedule.ts", false],
  ["/x/mod/smtpd/main.ts", "../queue/role.ts", false],
  ["/x/mod/smtpd/main.ts", "./session.ts", true],
  ["/x/mod/smtpd/main.ts", "../core/log.ts", true],
  ["/x/mod/smtpd/main.ts", "npm:zod", true],
  ["/x/mod/smtpd/main.ts", "node:net", true],
  ["/x/mod/smtpd/main.ts", "../smtpd/../queue/schedule.ts", false],
  ["/x/mod/queue/main.ts", "../supervisor/child.ts", false],
  ["/x/mod/supervisor/roles.ts", "../smtpd/role.ts", true],
  ["/x/mod/supervisor/roles.ts", "../smtpd/session.ts", false],
  ["/x/mod/supervisor/roles.ts", "../shred/overwrite.ts", true],
  ["/x/mod/supervisor/roles.ts", "../shred/main.ts", false],
  ["/x/mod/queue/main.ts", "../shred/overwrite.ts", false],
  ["/x/mod/supervisor/roles.ts", "../../web/role.ts", true],
  ["/x/mod/supervisor/roles.ts", "../../web/app.ts", false],
  ["/x/web/main.ts", "../mod/queue/queue_ipc.ts", true],
  ["/x/web/main.ts", "../mod/queue/database_io.ts", false],
  ["/x/mod/core/log.ts", "../ipc/schema.ts", true],
  ["/x/mod/core/log.ts", "../queue/queue_ipc.ts", false],
  ["/x/mod/ipc/edge.ts", "../smtpd/role.ts", false],
  ["/x/main.ts", "./mod/smtpd/main.ts", true],
];

for (const [from, target, allowed] of TABLE) {
  Deno.test(`importFault ${allowed ? "lets" : "stops"} ${from} import ${target}`, () => {
    assert.equal(importFault(from, target) === undefined, allowed);
  });
}

for (
  const source of [
    'import { x } from "../queue/schedule.ts";',
    'import type { X } from "../queue/schedule.ts";',
    'export { x } from "../queue/schedule.ts";',
    'export * from "../queue/schedule.ts";',
    'const x = await import("../queue/schedule.ts");',
    'type X = import("../queue/schedule.ts").X;',
    'import { x } from "/x/mod/queue/schedule.ts";',
    'import { x } from "file:///x/mod/queue/schedule.ts";',
  ]
) {
  Deno.test(`role-imports sees ${source}`, () => {
    const run = (text: string) =>
      Deno.lint.runPlugin(plugin, "/x/mod/smtpd/main.ts", text);
    assert.deepEqual(
      run(source).map((one) => one.id),
      ["bulkhead/role-imports"],
    );
    assert.deepEqual(run(source.replace("schedule", "queue_ipc")), []);
  });
}

Deno.test("role-imports refuses a role an import that is not written out", () => {
  const text = "const x = await import(name);";
  const run = (path: string) => Deno.lint.runPlugin(plugin, path, text).length;
  assert.equal(run("/x/mod/smtpd/main.ts"), 1);
  assert.equal(run("/x/scripts/x.ts"), 0);
});
