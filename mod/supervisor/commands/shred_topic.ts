/** Commands about erasing. */
import { type Command, InvalidArgumentError } from "commander";
import { type CommandLine, withConfig, withJson } from "./topic.ts";

const SHRED_EXAMPLES = `
Examples:
  bulkhead shred letter.txt          overwrite, sync, read back, remove
  bulkhead shred --keep disk.img     overwrite, and leave the file there
  bulkhead shred --passes 3 -- -x    three passes, each synced, over a file -x
  bulkhead shred ./status            a file with a command's name

One pass of random octets is enough on any disk made this century. What it is
worth depends on the file system, and is said for each file; where it would
erase nothing (btrfs, zfs), nothing is written. Holes of a sparse file are not
filled: stretches of 1 MiB that read all zero are left alone. A file is removed
only after everything before that succeeded.`;

/** `shred`. */
export function addShredCommands(
  program: Command,
  { programs, ended }: CommandLine,
): void {
  const shred = withJson(program.command("shred"))
    .description("erase files by overwriting them in place; see what is erased")
    .argument("[files...]", "files to erase and remove")
    .option("--passes <n>", "how often each is overwritten", passes, 1)
    .option("--keep", "do not remove them")
    .option("--links", "also if a file has more names: they lose it, too")
    .option("--progress", "say how far it is, not only to a terminal")
    .action(async (files, options) =>
      ended(await (await import("./shred.ts")).shred(files, options))
    );
  shred.addHelpText("after", SHRED_EXAMPLES);
  const load = () => import("./shred_status.ts");
  withJson(withConfig(shred.command("status")))
    .description("say what of delivered mail is still to be erased, and where")
    .action(async ({ config, json }) =>
      ended(await (await load()).shredStatus(config, json === true, programs))
    );
  withJson(withConfig(shred.command("verify")))
    .description("look whether everything is erased that should be")
    .action(async ({ config, json }) =>
      ended(await (await load()).shredVerify(config, json === true, programs))
    );
}

function passes(value: string): number {
  const n = Number(value);
  if (!Number.isInteger(n) || n < 1 || n > 100) {
    throw new InvalidArgumentError("It must be a number from 1 to 100.");
  }
  return n;
}
