import assert from "node:assert/strict";
import { keptName, switchProgram } from "./switch_program.ts";

interface Case {
  readonly name: string;
  /** Whether the new file's checks pass. */
  readonly passes?: boolean;
  readonly runs?: boolean;
  /** The new server became ready, unseen, and the home is of its form. */
  readonly tookMail?: boolean;
  /** Which programs become ready. */
  readonly ready: readonly string[];
  readonly want: { did: string; isRunning?: boolean };
  /** What is installed in the end. */
  readonly installed: string;
  readonly log: readonly string[];
}

const CASES: readonly Case[] = [
  {
    name: "replaces the file and the server",
    ready: ["new"],
    want: { did: "replaced", isRunning: true },
    installed: "new",
    log: ["--check", "--users", "restart new"],
  },
  {
    name: "changes nothing when the new program's rehearsal fails",
    passes: false,
    ready: ["new"],
    want: { did: "nothing" },
    installed: "old",
    log: ["--check"],
  },
  {
    name: "goes back when the new server is not ready",
    ready: ["old"],
    want: { did: "back", isRunning: true },
    installed: "old",
    log: ["--check", "--users", "restart new", "stop", "--back", "restart old"],
  },
  {
    name: "does not go back to a program that would refuse the home",
    tookMail: true,
    ready: ["old"],
    want: { did: "stays", isRunning: false },
    installed: "new",
    log: ["--check", "--users", "restart new", "stop", "--back", "restart new"],
  },
  {
    name: "says so when neither is ready",
    ready: [],
    want: { did: "back", isRunning: false },
    installed: "old",
    log: ["--check", "--users", "restart new", "stop", "--back", "restart old"],
  },
  {
    name: "starts nothing where nothing ran",
    runs: false,
    ready: ["new"],
    want: { did: "replaced", isRunning: false },
    installed: "new",
    log: ["--check", "--users"],
  },
];

for (
  const { name, passes = true, runs = true, tookMail, ready, ...want } of CASES
) {
  Deno.test(`switchProgram() ${name}`, async () => {
    const dir = Deno.makeTempDirSync({ prefix: "bulkhead-care-" });
    const installed = `${dir}/bulkhead`;
    const newFile = `${dir}/new`;
    Deno.writeTextFileSync(installed, "old");
    Deno.writeTextFileSync(newFile, "new");
    const log: string[] = [];
    const now = () => Deno.readTextFileSync(installed);
    const done = await switchProgram({
      newFile,
      installed,
      server: {
        isRunning: () => runs,
        restart: () => Promise.resolve(void log.push(`restart ${now()}`)),
        stop: () => Promise.resolve(void log.push("stop")),
        becomesReady: () => Promise.resolve(ready.includes(now())),
      },
      ask: (what) => {
        log.push(what!);
        return Promise.resolve({ ok: passes, words: "no" });
      },
      form: () => tookMail && log.length > 0 ? "newer" : "older",
      say: () => {},
    });
    assert.equal(done.did, want.want.did);
    if (done.did !== "nothing") {
      assert.equal(done.isRunning, want.want.isRunning);
      assert.equal(Deno.readTextFileSync(keptName(installed)), "old");
    }
    assert.equal(now(), want.installed);
    assert.deepEqual(log, want.log);
    assert.equal(Deno.statSync(installed).mode! & 0o022, 0);
    Deno.removeSync(dir, { recursive: true });
  });
}
