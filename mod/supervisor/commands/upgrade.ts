/** `bulkhead upgrade [NEWFILE]`. */
import { resolve } from "node:path";
import { lockOf, unlock, worldOf } from "../care/bring_up.ts";
import { readFormat } from "../care/format_file.ts";
import { careSite } from "../care/jail.ts";
import { faultOfProgram } from "../care/prove_program.ts";
import { rehearse, type Rehearsed } from "../care/rehearse.ts";
import { serverControl } from "../care/server_control.ts";
import { keptName, type Said, switchProgram } from "../care/switch_program.ts";
import { undo } from "../care/upgrade.ts";
import { journalPath, readJournal } from "../care/upgrade_journal.ts";
import { CareError, counted, wordsOf } from "../care/words.ts";
import { pathsOf } from "../plan.ts";
import { isThere } from "../replace_file.ts";
import { madeAccounts, readAccounts, readConfig } from "../site_io.ts";
import { say } from "./backup.ts";
import { EXIT, fail, failToOpen, print } from "./exit.ts";
import { StopSignals } from "./stop_signals.ts";

/** Options of `bulkhead upgrade`. */
export interface UpgradeOptions {
  readonly newFile: string | undefined;
  /** The installed file. */
  readonly file: string | undefined;
  readonly check: boolean;
  readonly users: boolean;
  readonly back: boolean;
  readonly json: boolean;
}

/** Checks, or replaces the program; returns the exit code. */
export async function upgradeCommand(
  configPath: string,
  programs: ReadonlyMap<string, string>,
  options: UpgradeOptions,
): Promise<number> {
  try {
    if (options.back) return await back(configPath, programs);
    if (options.users) return makeUsers(configPath);
    if (options.newFile !== undefined && !options.check) {
      return await replace(configPath, options.newFile, options.file);
    }
    if (options.newFile !== undefined) {
      const fault = await faultOfProgram(resolve(options.newFile));
      if (fault !== undefined) return fail(EXIT.config, [fault]);
      const said = await asking(resolve(options.newFile), configPath)(
        "--check",
      );
      if (said.ok) console.log(said.words);
      return said.ok ? EXIT.ok : fail(EXIT.config, [said.words]);
    }
    const found = await rehearse(configPath, programs);
    if (!found.ok) return fail(EXIT.config, found.faults);
    print(options.json, found, () => textOf(found));
    return EXIT.ok;
  } catch (error) {
    return fail(EXIT.config, [wordsOf(error)]);
  }
}

function textOf(found: Extract<Rehearsed, { ok: true }>): string {
  const { home, what, users, queue } = found;
  const lines = [
    `${home}: ${counted(queue.messages, "message")} and ${
      counted(queue.recipients, "recipient")
    }, ` +
    "read and compared on a copy.",
  ];
  if (users.length > 0) lines.push(`users to make: ${users.join(", ")}`);
  lines.push(
    what.length === 0
      ? "It is of this program's form: there is nothing to upgrade."
      : `To do: ${
        what.join(", ")
      }. The next start of the server does it, and ` +
        "goes back by itself if the server does not become ready.",
  );
  return lines.join("\n");
}

/** Users of roles that are new; an older program passes over them. */
function makeUsers(configPath: string): number {
  const read = readConfig(configPath);
  if (!read.ok) return failToOpen(read);
  const made = madeAccounts(read.config);
  return made.ok
    ? EXIT.ok
    : fail(EXIT.permission, [`users cannot be made: ${made.why}`]);
}

/** Undoes a trial whose server is gone. */
async function back(
  configPath: string,
  programs: ReadonlyMap<string, string>,
): Promise<number> {
  const read = readConfig(configPath);
  if (!read.ok) return failToOpen(read);
  const { config } = read;
  const paths = pathsOf(config.server.home);
  if (readJournal(paths.home)?.stage !== "trial") return EXIT.ok;
  const lock = lockOf(paths.runDir);
  if (lock === undefined) {
    return fail(EXIT.busy, [`a server runs on ${paths.home}: stop it first`]);
  }
  const found = readAccounts(config);
  const accounts = found.ok ? found.accounts : null;
  const site = careSite({ config, accounts, programs });
  const isUndone = await undo(worldOf(configPath, site));
  unlock(lock);
  return isUndone
    ? EXIT.ok
    : fail(EXIT.no, ["mail was taken since: the new state stays"]);
}

function asking(
  file: string,
  configPath: string,
): (...args: readonly string[]) => Promise<Said> {
  return async (...args) => {
    const { success, stdout, stderr } = await new Deno.Command(file, {
      args: ["upgrade", ...args, "--config", configPath],
      stdin: "null",
    }).output();
    const text = new TextDecoder().decode(success ? stdout : stderr).trim();
    const words = text.replaceAll(/^bulkhead: /gm, "");
    return { ok: success, words: words || `${file} says no and not why` };
  };
}

async function replace(
  configPath: string,
  newFile: string,
  file: string | undefined,
): Promise<number> {
  const read = readConfig(configPath);
  if (!read.ok) return failToOpen(read);
  const { home, runDir } = pathsOf(read.config.server.home);
  const installed = installedFile(file);
  const from = resolve(newFile);
  const fault = await faultOfProgram(from);
  if (fault !== undefined) {
    return fail(EXIT.config, [fault, "Nothing was changed."]);
  }
  if (Deno.realPathSync(from) === installed) {
    return fail(EXIT.usage, [
      `${from} is the file that is to be replaced: give this command to the ` +
      "installed program, or name that one with --file",
    ]);
  }
  const config = resolve(configPath);
  if (lockOf(runDir, "upgrade.lock") === undefined) {
    return fail(EXIT.busy, ["another upgrade is under way: wait for its end"]);
  }
  const wasWell = isWell(home);
  // Between the old server and the new one there must be no way out.
  using _signals = new StopSignals(() =>
    say("it goes on until a server runs: wait for its end")
  );
  const done = await switchProgram({
    newFile: from,
    installed,
    server: serverControl(runDir, [installed, "serve", "--config", config]),
    ask: asking(from, config),
    form: () => JSON.stringify([readFormat(home), !wasWell && isWell(home)]),
    say,
  });
  switch (done.did) {
    case "nothing":
      return fail(EXIT.config, [done.why, "Nothing was changed."]);
    case "replaced":
      console.log(
        done.isRunning
          ? `${installed} is the new program, and its server is ready.`
          : `${installed} is the new program. No server ran: its start upgrades the home.`,
      );
      return EXIT.ok;
    case "back":
      return fail(EXIT.config, [
        "the new program's server did not become ready: its log says why. " +
        `${installed} is the program of before` +
        (done.isRunning
          ? ", and its server is ready"
          : "; its server is not ready either: see its log"),
      ]);
    case "stays":
      return fail(EXIT.config, [
        `the new program's server took mail, and ended: its log says why. There ` +
        `is no way back without loss, so ${installed} is the new program` +
        (done.isRunning
          ? ", and its server is ready again"
          : "; its server is not ready"),
      ]);
  }
}

/** Written a moment before the format: from then on mail may be taken. */
function isWell(home: string): boolean {
  try {
    return Deno.readTextFileSync(journalPath(home)).includes('"well"');
  } catch {
    return false; // none, or not ours to read
  }
}

function installedFile(file: string | undefined): string {
  const named = file ?? Deno.env.get("BULKHEAD_FILE");
  if (named !== undefined && isThere(named)) return Deno.realPathSync(named);
  throw new CareError(
    "this program does not run from an installed file: say which with --file; " +
      `the one before stays beside it, as ${keptName("FILE")}`,
  );
}
