/**
 * The command line, as commander sees it: a topic is a file beside this one,
 * and so is each command, which returns its exit code. Nothing is decided
 * here. Help, man pages and completion are made from the same table.
 */
import { Command, CommanderError } from "commander";
import { FORMATS } from "../../core/formats.ts";
import { VERSION } from "../../core/version.ts";
import { addCareCommands } from "./care_topic.ts";
import { addClientCommands } from "./client_topic.ts";
import { addConfigCommands } from "./config_topic.ts";
import { addConsoleCommand } from "./console_topic.ts";
import { EXIT, fail, print } from "./exit.ts";
import { addManualCommands } from "./manual_topic.ts";
import { addQueueCommands } from "./queue_topic.ts";
import { addServerCommands } from "./server_topic.ts";
import { addShredCommands } from "./shred_topic.ts";
import { addSubmitCommands } from "./submit_topic.ts";
import { addTlsCommand } from "./tls_topic.ts";
import type { CommandLine, Topic } from "./topic.ts";
import { addUpCommands } from "./up_topic.ts";
import { addUserCommands } from "./user_topic.ts";
import { addWhyCommand } from "./why_topic.ts";
import { versionText } from "./version_text.ts";

/** In the order of `--help`. */
const TOPICS: readonly Topic[] = [
  addUpCommands,
  addServerCommands,
  addUserCommands,
  addQueueCommands,
  addSubmitCommands,
  addWhyCommand,
  addClientCommands,
  addTlsCommand,
  addConsoleCommand,
  addShredCommands,
  addCareCommands,
  addConfigCommands,
  addManualCommands,
];

export async function run(
  args: readonly string[],
  programs: ReadonlyMap<string, string>,
): Promise<number> {
  if (asksVersions(args)) {
    print(true, { program: VERSION, formats: FORMATS }, () => "");
    return EXIT.ok;
  }
  let code: number = EXIT.ok;
  const program = buildProgram({ programs, ended: (value) => code = value });
  try {
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    }
    if (isOfSystem(error)) return fail(EXIT.config, [error.message]);
    throw error;
  }
}

/** True of what the machine refused, such as a write to a full disk. */
function isOfSystem(error: unknown): error is Error {
  return error instanceof Error && "code" in error &&
    typeof error.code === "string" && /^E[A-Z0-9]+$/.test(error.code);
}

/** `--version --json`: which versions of everything this program knows. */
function asksVersions(args: readonly string[]): boolean {
  return args.length === 2 && args.includes("--json") &&
    (args.includes("--version") || args.includes("-V"));
}

/** The table of all commands. */
export function buildProgram(line: CommandLine): Command {
  const program = new Command("bulkhead")
    .description("A mail server in compartments.")
    .version(versionText(line.programs))
    .showHelpAfterError("(see --help)")
    // An option belongs to the last command before it: `shred --json FILE`
    // and `shred status --json` are two.
    .enablePositionalOptions()
    .exitOverride();
  for (const add of TOPICS) add(program, line);
  return program;
}
