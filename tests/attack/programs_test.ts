/**
 * Whatever strangers say, no role runs a program: the kernel is watched while
 * every address that was ever a command somewhere is said (CVE-2020-7247,
 * CVE-2019-10149).
 */
import assert from "node:assert/strict";
import { report, sized } from "../crash/proof.ts";
import { CAN_INJECT } from "../crash/strace_fixture.ts";
import { server } from "../system/server_fixture.ts";
import { HostileClient } from "./hostile_client.ts";
import { RELAY_FORMS } from "./relay_forms.ts";

const COMMANDS: readonly string[] = [
  "<;sleep 66;>",
  "<;sleep 66;@>",
  "<;id>/tmp/x;@home.test>",
  "<|id@home.test>",
  "<`id`@home.test>",
  "<$(id)@home.test>",
  "<${run{/bin/id}}@home.test>",
  "<${IFS}id@home.test>",
  '<"|/bin/id"@home.test>',
  '<"; id; #"@home.test>',
  "</etc/passwd>",
  "<:include:/etc/passwd>",
  "<-oQ/tmp@home.test>",
  "<--help@home.test>",
  "<../../etc/x@home.test>",
  "<-rf@home.test>",
];

Deno.test({
  name: "no role runs a program, whatever an address says",
  ignore: !CAN_INJECT,
  fn: async () => {
    await using made = await server({ settings: "[smtp]\nprocesses = 1" });
    const roles = await made.roles();
    const pids = [made.pid, ...roles.map(({ pid }) => pid)];
    const trace = made.beside("execve.txt");
    const strace = new Deno.Command("strace", {
      args: ["-f", "-qq", "-e", "trace=execve,execveat", "-o", trace]
        .concat(pids.flatMap((pid) => ["-p", String(pid)])),
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    try {
      // As soon as it is attached, the kernel names it at every role.
      const until = performance.now() + 10_000;
      while (!pids.every(isTraced)) {
        assert.ok(performance.now() < until, "strace attaches");
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const tried = [
        ...COMMANDS.map((one) => ({ from: one, to: "<me@home.test>" })),
        ...COMMANDS.map((one) => ({ from: "<a@other.test>", to: one })),
        ...RELAY_FORMS.slice(0, sized({ small: 20, full: 80 })),
      ];
      for (const { from, to } of tried) {
        using client = new HostileClient(made.smtpPort);
        await client.hears(1);
        await client.say("EHLO `id`");
        await client.say("EHLO a.test");
        await client.say(`MAIL FROM:${from}`);
        await client.say("MAIL FROM:<a@other.test>");
        await client.say(`RCPT TO:${to.split("\r")[0]!.split("\n")[0]!}`);
        await client.say("RCPT TO:<me@home.test>");
        const go = await client.say("DATA");
        if (!go.startsWith("354")) continue;
        await client.say("Subject: $(id)\r\n\r\n|id\r\n.");
      }
      const seen = Deno.readTextFileSync(trace).split("\n").filter((line) =>
        line !== ""
      );
      assert.deepEqual(seen, []);
      report(`${tried.length} sessions, ${pids.length} processes: no execve`);
    } finally {
      strace.kill("SIGTERM");
      await strace.status;
    }
  },
});

function isTraced(pid: number): boolean {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return !/^TracerPid:\t0$/m.test(status);
}
