/**
 * The installed file replaced by a new one, and back if the new server does
 * not come up. The old file stays beside, as `FILE.before`.
 *
 *     check     the new file rehearses on copies        nothing was changed
 *     users     it makes users that it needs            an older one passes over them
 *     keep      the old file is copied to FILE.before   the same
 *     replace   one rename                              the next start is the new one's
 *     restart   and wait until it is ready
 *     back      what it changed is undone, one rename, the old one is started
 *
 * A new server that became ready is never taken back: it has taken mail. If it
 * ended at once and nobody saw it ready, the home's form tells.
 */
import { dirname } from "node:path";
import { syncPath, writeNew } from "../replace_file.ts";
import { removeTree } from "./sink_io.ts";

/** What a command said. */
export interface Said {
  readonly ok: boolean;
  readonly words: string;
}

/** A server, however it is started. */
export interface ServerControl {
  /** True if one runs on this home. */
  isRunning(): boolean;
  /** Ends it, if it runs, and starts what is installed now. */
  restart(): Promise<void>;
  /** Ends it, if it runs. */
  stop(): Promise<void>;
  /** True when a server that was started since is ready; false if none will. */
  becomesReady(): Promise<boolean>;
}

/** What is to be done. */
export interface ProgramSwitch {
  readonly newFile: string;
  readonly installed: string;
  readonly server: ServerControl;
  /** Runs `upgrade ARGS` of the new file. */
  readonly ask: (...args: readonly string[]) => Promise<Said>;
  /** Of what form the home is now; an older program refuses a newer one. */
  readonly form: () => string;
  readonly say: (text: string) => void;
}

/** What came of it. */
export type Switched =
  | { readonly did: "nothing"; readonly why: string }
  | { readonly did: "replaced"; readonly isRunning: boolean }
  /** The old program runs again; or does not: `isRunning`. */
  | { readonly did: "back"; readonly isRunning: boolean }
  /** It took mail in a newer form and ended: there is no way back. */
  | { readonly did: "stays"; readonly isRunning: boolean };

/** Name of the file that was installed before. */
export function keptName(installed: string): string {
  return `${installed}.before`;
}

/** Replaces the installed file. */
export async function switchProgram(todo: ProgramSwitch): Promise<Switched> {
  const { newFile, installed, server, ask, say } = todo;
  const form = todo.form();
  const checked = await ask("--check");
  if (!checked.ok) return { did: "nothing", why: checked.words };
  const users = await ask("--users");
  if (!users.ok) return { did: "nothing", why: users.words };
  copyTo(installed, keptName(installed));
  copyTo(newFile, installed);
  say(`${installed} is replaced; the one before is ${keptName(installed)}`);
  if (!server.isRunning()) return { did: "replaced", isRunning: false };
  say("the server is started again");
  await server.restart();
  if (await server.becomesReady()) return { did: "replaced", isRunning: true };
  say("it does not become ready: back to the program of before");
  await server.stop();
  const undone = await ask("--back");
  if (!undone.ok) say(undone.words);
  if (todo.form() !== form) {
    say("it took mail before it ended, so there is no way back: once more");
    await server.restart();
    return { did: "stays", isRunning: await server.becomesReady() };
  }
  copyTo(keptName(installed), installed);
  await server.restart();
  return { did: "back", isRunning: await server.becomesReady() };
}

/** A copy, whole under its name or not there; on the disk. */
function copyTo(from: string, to: string): void {
  const part = `${to}.part`;
  removeTree(part);
  writeNew(part, Deno.readFileSync(from), 0o755);
  Deno.chmodSync(part, 0o755);
  Deno.renameSync(part, to);
  syncPath(dirname(to));
}
