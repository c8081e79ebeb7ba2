/** How this very program is called, and where it may stay. */
import { isThere } from "../replace_file.ts";
import { DEFAULT_CONFIG } from "../commands/topic.ts";
import { shellWord, wrapperText } from "./unit.ts";

/** Where the command is put for everybody. */
export const COMMAND_PATH = "/usr/local/bin/bulkhead";

/** This program. */
export interface OwnProgram {
  /** The command that runs it, and its first arguments; all absolute. */
  readonly command: readonly string[];
  /** What to put at {@link COMMAND_PATH}; null if it lies there. */
  readonly install: { path: string; content: string | Uint8Array } | null;
}

/**
 * Finds out. The launcher of the one file says by `BULKHEAD_FILE` where it
 * lies; without it this is a checkout, and a few lines of shell call it.
 */
export function ownProgram(isRoot: boolean): OwnProgram {
  const file = Deno.env.get("BULKHEAD_FILE");
  const command = file !== undefined && isThere(file)
    ? [Deno.realPathSync(file)]
    : [Deno.execPath(), "run", "-A", new URL(Deno.mainModule).pathname];
  if (!isRoot || command[0] === COMMAND_PATH) return { command, install: null };
  return {
    command: [COMMAND_PATH],
    install: {
      path: COMMAND_PATH,
      content: command.length === 1
        ? Deno.readFileSync(command[0]!)
        : wrapperText(command, cacheDir()),
    },
  };
}

/** How a person types it: by its name where everybody has it. */
export function typed(command: readonly string[]): string {
  return command[0] === COMMAND_PATH
    ? "bulkhead"
    : command.map(shellWord).join(" ");
}

/** What is typed to have `up` mend a server that it made. */
export function upAgain(
  command: readonly string[],
  { domain, configPath }: { domain: string; configPath: string },
): string {
  const config = configPath === DEFAULT_CONFIG
    ? ""
    : ` --config ${shellWord(configPath)}`;
  return `${typed(command)} up ${domain}${config}`;
}

function cacheDir(): string {
  return Deno.env.get("DENO_DIR") ??
    `${Deno.env.get("HOME") ?? "/root"}/.cache/deno`;
}
