/** For tests: old homes, and ends at any step. */
import fs from "node:fs";
import {
  forgetUpgrade,
  prepareUpgrade,
  switchUpgrade,
  undoUpgrade,
} from "../../mod/queue/upgrade_io.ts";
import { careFor, isCare } from "../../mod/gate/inspect_care.ts";
import { inspectCare } from "../../mod/queue/inspect_care.ts";
import { contentsAsk } from "../../mod/spool/care_ipc.ts";
import { inspectContents } from "../../mod/spool/inspect_contents.ts";
import type { AskRole } from "../../mod/supervisor/care/jail.ts";
import { type Paths, pathsOf } from "../../mod/supervisor/plan.ts";
import type { UpgradeWorld } from "../../mod/supervisor/care/upgrade.ts";

const FIXTURES = new URL("./", import.meta.url).pathname;

const made: string[] = [];
globalThis.addEventListener("unload", () => {
  for (const dir of made) fs.rmSync(dir, { recursive: true, force: true });
});

/** A new directory, gone when the tests of the file are over. */
export function tempDir(): string {
  const dir = Deno.makeTempDirSync({ prefix: "bulkhead-care-" });
  made.push(dir);
  return dir;
}

/** Unpacks `home-vN.tar.gz`, all of it ours; gives its home. */
export async function oldHome(version: number): Promise<string> {
  const dir = tempDir();
  const { success } = await new Deno.Command("tar", {
    args: ["-C", dir, "--no-same-owner", "-xzf"]
      .concat(`${FIXTURES}home-v${version}.tar.gz`),
  }).output();
  if (!success) throw new Error(`Cannot unpack home-v${version}.tar.gz`);
  return `${dir}/home`;
}

/** A copy of a directory, to be tried with. */
export async function copied(dir: string): Promise<string> {
  const to = tempDir();
  await new Deno.Command("cp", { args: ["-a", dir, `${to}/home`] }).output();
  return `${to}/home`;
}

/** Ends whatever is under way at the `at`th step, in one of two ways. */
export class Ender {
  readonly seen: string[] = [];
  readonly #at: number;
  readonly #how: "dies" | "throws";
  #ended = Promise.withResolvers<"ended">();

  constructor(at = Infinity, how: "dies" | "throws" = "dies") {
    this.#at = at;
    this.#how = how;
  }

  /** Told of each step. */
  readonly step = (name: string): Promise<void> => {
    this.seen.push(name);
    if (this.seen.length - 1 !== this.#at) return Promise.resolve();
    if (this.#how === "throws") {
      throw Object.assign(new Error("No space left on device"), {
        code: "ENOSPC",
      });
    }
    // As a process that was killed: what it would do next is never done, not
    // even what stands in a `finally`.
    this.#ended.resolve("ended");
    return new Promise(() => {});
  };

  /** Runs it; `ended` if it died. */
  run<T>(work: Promise<T>): Promise<T | "ended"> {
    return Promise.race([work, this.#ended.promise]);
  }
}

/** The world of an upgrade, in this process and without jails. */
export function worldWithoutJails(
  home: string,
  { ender = new Ender(), check = () => [] }: {
    ender?: Ender;
    check?: () => readonly string[];
  } = {},
): UpgradeWorld {
  const paths: Paths = pathsOf(home);
  const dirs = { queue: paths.queueDir, events: paths.eventsDir };
  const onStep = ender.step;
  return {
    paths,
    accounts: null,
    queue: {
      prepare: () => prepareUpgrade(dirs, { onStep }),
      switch: () => switchUpgrade(dirs, onStep),
      undo: () => undoUpgrade(dirs, onStep),
      forget: () => Promise.resolve(forgetUpgrade(dirs)),
    },
    check,
    freeBytes: () => 2 ** 40,
    step: onStep,
  };
}

/** What the roles' one-shot programs do, in this process. */
export const withoutJails: AskRole = async (role, args, input) => {
  if (role === "queue") {
    const [, queue, events, , ...words] = args;
    return await inspectCare({ queue: queue!, events: events! }, words);
  }
  if (role === "gate") {
    const [, dir, what] = args;
    return isCare(what) ? await careFor(dir!, what) : undefined;
  }
  const asked = JSON.parse(new TextDecoder().decode(input));
  return inspectContents(args[2]!, contentsAsk.parse(asked));
};

/** Every file of a home with its octets, but for what may differ. */
export function contentsOf(home: string, ignore: RegExp): Map<string, string> {
  const found = new Map<string, string>();
  const look = (dir: string) => {
    for (const name of fs.readdirSync(dir).sort()) {
      const path = `${dir}/${name}`;
      const short = path.slice(home.length + 1);
      if (ignore.test(short)) continue;
      if (fs.lstatSync(path).isDirectory()) look(path);
      else found.set(short, fs.readFileSync(path).toString("base64"));
    }
  };
  look(home);
  return found;
}
