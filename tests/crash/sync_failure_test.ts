/**
 * The disk refuses to sync or to write, for a while, under load: clients are
 * told to come again, what was acknowledged stays, and the server is well
 * again when the disk is.
 */
import assert from "node:assert/strict";
import { delay, type Installation, until } from "../system/server_fixture.ts";
import { drained, LogTail, RECIPIENTS, scene } from "./crash_fixture.ts";
import { assertNothingLost, Ledger, sentence } from "./ledger.ts";
import { Load } from "./load.ts";
import { CAN_INJECT, type Fault, Injection } from "./strace_fixture.ts";

const FAULT_MS = 2_000;
const WELL_WITHIN_MS = 10_000;

interface Failure {
  readonly name: string;
  readonly instance: "spool.0" | "queue.0";
  fault(made: Installation): Fault;
  /**
   * `none`: nothing can be accepted while it lasts; `some`: perhaps;
   * `ends`: the role ends itself, and its successor is not hit.
   */
  readonly accepts: "none" | "some" | "ends";
}

const FAILURES: readonly Failure[] = [
  {
    name: "spool: fdatasync says EIO",
    instance: "spool.0",
    fault: () => ({ calls: "fdatasync", error: "EIO" }),
    accepts: "none",
  },
  {
    name: "spool: writes into its segments say ENOSPC",
    instance: "spool.0",
    fault: (made) => ({
      calls: "write,pwrite64",
      error: "ENOSPC",
      files: filesIn(`${made.home}/spool/segments`),
    }),
    accepts: "some",
  },
  {
    name: "queue: fdatasync says EIO",
    instance: "queue.0",
    fault: () => ({ calls: "fdatasync,fsync", error: "EIO" }),
    accepts: "ends",
  },
  {
    name: "queue: pwrite64 says EIO",
    instance: "queue.0",
    fault: () => ({ calls: "pwrite64", error: "EIO" }),
    accepts: "none",
  },
  {
    name: "queue: pwrite64 says ENOSPC",
    instance: "queue.0",
    fault: () => ({ calls: "pwrite64", error: "ENOSPC" }),
    accepts: "none",
  },
];

Deno.test({
  name: "a disk that fails for a while costs nothing acknowledged",
  ignore: !CAN_INJECT,
  fn: async (t) => {
    await using stage = await scene();
    const { made } = stage;
    using tail = new LogTail(made);
    const ledger = new Ledger();
    const accepted = () => ledger.of("accepted").length;
    const load = new Load({
      port: made.smtpPort,
      ledger,
      senders: 4,
      to: RECIPIENTS,
      pauseMs: 20,
    });
    await delay(500);
    for (const { name, instance, fault, accepts } of FAILURES) {
      await t.step(name, async () => {
        const { pid } = (await made.roles()).find((one) =>
          one.instance === instance
        )!;
        const injection = await Injection.into(pid, fault(made));
        // What was on its way before may still come to a good end.
        await delay(300);
        const before = accepted();
        await delay(FAULT_MS);
        const during = accepted() - before;
        const injected = await injection.end();
        const ended = performance.now();
        const after = accepted();
        await until("mail again", () => accepted() > after, WELL_WITHIN_MS);
        console.log(
          `${name}: ${injected} calls failed, ${during} accepted meanwhile, ` +
            `mail again ${Math.round(performance.now() - ended)} ms later`,
        );
        assert.ok(injected > 0, "some calls failed");
        if (accepts === "none") {
          assert.equal(during, 0, "accepted without a sync");
        }
        await delay(500);
      });
    }
    await load.end();
    const verdict = await drained(stage, ledger);
    console.log(sentence(verdict));
    assertNothingLost(verdict);
    const deaths = tail.read().filter(({ event }) => event === "role-died");
    assert.deepEqual(
      deaths.map(({ instance }) => instance),
      FAILURES.filter(({ accepts }) => accepts === "ends")
        .map(({ instance }) => instance),
      "a role dies of a bad disk only where nobody knows what is on it",
    );
    assert.deepEqual(verdict.ghosts, [], "answered 4xx and delivered");
    await made.stopCleanly();
  },
});

function filesIn(dir: string): string[] {
  return [...Deno.readDirSync(dir)].filter(({ isFile }) => isFile)
    .map(({ name }) => `${dir}/${name}`);
}
