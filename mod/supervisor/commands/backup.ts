/** `bulkhead backup TARGET`. */
import { type BackedUp, backUp } from "../care/backup.ts";
import { lockOf } from "../care/bring_up.ts";
import { careSite } from "../care/jail.ts";
import { STOPPED } from "../care/turn.ts";
import { counted, sizeText, wordsOf } from "../care/words.ts";
import { noteCare } from "../facts/care_log_io.ts";
import { openSite } from "../site_io.ts";
import { EXIT, fail, failToOpen, print } from "./exit.ts";
import { StopSignals } from "./stop_signals.ts";

/** Makes a backup; returns the exit code. */
export async function backup(
  configPath: string,
  programs: ReadonlyMap<string, string>,
  { target, withMail, json }: {
    target: string;
    withMail: boolean;
    json: boolean;
  },
): Promise<number> {
  const opening = openSite(configPath);
  if (!opening.ok) return failToOpen(opening);
  const { config, accounts, paths } = opening.opened;
  if (lockOf(paths.runDir, "backup.lock") === undefined) {
    return fail(EXIT.busy, ["another backup is being made: wait for its end"]);
  }
  using signals = new StopSignals();
  try {
    const made = await backUp({
      site: careSite({ config, accounts, programs }),
      configPath,
      target,
      withMail,
      say,
      isStopped: () => signals.isStopped,
    });
    const where = target === "-" ? "standard output" : target;
    noteCare(
      paths.home,
      "backup",
      `${sizeText(made.bytes)} in ${made.files} files to ${where}, ` +
        `${
          counted(made.messages, "message")
        } waiting, ${made.damaged.length} damaged`,
    );
    // Standard output has the backup itself.
    if (target === "-") console.error(textOf(made));
    else print(json, made, () => textOf(made));
    return made.damaged.length > 0 ? EXIT.no : EXIT.ok;
  } catch (error) {
    if (signals.isStopped) return fail(EXIT.no, [STOPPED]);
    return fail(EXIT.config, [wordsOf(error)]);
  }
}

/** Progress, for people. */
export function say(text: string): void {
  console.error(`bulkhead: ${text}`);
}

function textOf(made: BackedUp): string {
  const { target, files, bytes, messages, mailFiles, mailBytes } = made;
  const lines = [
    `${target === "-" ? "The backup" : target} is whole: ${
      sizeText(bytes)
    } in ${files} files.`,
    `queue      ${counted(messages, "message")} waiting`,
    `mailboxes  ${sizeText(mailBytes)} in ${mailFiles} files and directories`,
    "It can be read by root alone, and must be kept so: it holds keys, " +
    "passwords and mail.",
  ];
  const { length } = made.passedOver;
  if (length > 0) {
    lines.push(
      `${length} in the mailboxes are neither files nor directories of theirs ` +
        `(links?) and are not in it, such as ${made.passedOver[0]}.`,
    );
  }
  for (const id of made.damaged) {
    lines.push(`${id} is damaged on the server, and so in the backup.`);
  }
  return lines.join("\n");
}
