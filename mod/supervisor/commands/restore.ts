/** `bulkhead restore SOURCE`. */
import { resolve } from "node:path";
import { lockOf } from "../care/bring_up.ts";
import { BadBackup } from "../care/manifest.ts";
import { restore, type Restored } from "../care/restore.ts";
import { STOPPED } from "../care/turn.ts";
import { CareError, counted, sizeText, wordsOf } from "../care/words.ts";
import { say } from "./backup.ts";
import { noteCare } from "../facts/care_log_io.ts";
import { EXIT, fail, print } from "./exit.ts";
import { StopSignals } from "./stop_signals.ts";

/** Restores a backup; returns the exit code. */
export async function restoreCommand(
  programs: ReadonlyMap<string, string>,
  { source, home, replace, json }: {
    source: string;
    home: string | undefined;
    replace: boolean;
    json: boolean;
  },
): Promise<number> {
  let isBusy = false;
  using signals = new StopSignals();
  try {
    const done = await restore({
      source,
      ...home === undefined ? {} : { home: resolve(home) },
      replace,
      programs,
      say,
      isStopped: () => signals.isStopped,
      lock: ({ home: at, runDir }) => {
        isBusy = lockOf(runDir) === undefined;
        if (isBusy) {
          throw new CareError(`a server runs on ${at}: stop it first`);
        }
      },
    });
    const { config, aside, verified, notes, manifest } = done;
    const { atMs, program } = manifest.header;
    const isWhole = verified.every(({ ok }) => ok);
    noteCare(
      done.home,
      "restore",
      `from ${source}, of ${new Date(atMs).toISOString()}: ` +
        (isWhole ? "all is whole" : "something in it is damaged"),
    );
    print(
      json,
      { home: done.home, config, aside, atMs, program, verified, notes },
      () => textOf(done),
    );
    return isWhole ? EXIT.ok : EXIT.no;
  } catch (error) {
    if (signals.isStopped) return fail(EXIT.no, [STOPPED]);
    if (isBusy) return fail(EXIT.busy, [wordsOf(error)]);
    if (error instanceof Deno.errors.NotFound) {
      return fail(EXIT.notFound, [`${source} is not there`]);
    }
    const told = error instanceof BadBackup ? `${source}: ` : "";
    return fail(EXIT.config, [told + wordsOf(error)]);
  }
}

function textOf({ home, config, manifest, aside, verified, notes }: Restored) {
  const { header, bytes, messages } = manifest;
  return [
    `${home} is as it was on ${new Date(header.atMs).toISOString()}: ` +
    `${sizeText(bytes)}, ${counted(messages, "message")} waiting.`,
    ...verified.map(({ what, ok, says }) =>
      `${ok ? "ok     " : "DAMAGED"} ${what}: ${says}`
    ),
    ...aside === null ? [] : [`what was there is in ${aside}`],
    ...header.hasMail ? [] : ["the backup had no mailboxes: they are empty"],
    ...notes,
    "What was delivered after that time is delivered again, unless its " +
    "mailbox has it.",
    `start      bulkhead serve --config ${config}`,
  ].join("\n");
}
