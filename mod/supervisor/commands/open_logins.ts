/** What all commands about users and their passwords have in common. */
import type { Mailbox } from "../../core/shapes.ts";
import { nameOf } from "../../login/mailbox_name.ts";
import type { Accounts } from "../accounts.ts";
import {
  type ChangedLogins,
  type LoginFiles,
  readLogins,
  writeLogins,
} from "../logins.ts";
import { type Paths, pathsOf } from "../plan.ts";
import { cannotRead, readAccounts, readConfig } from "../site_io.ts";
import { readStatus } from "../status_file.ts";
import { EXIT, fail, failToOpen, print } from "./exit.ts";
import { noMailbox, userOf } from "./init.ts";

/** An installation's users. */
export interface OpenedLogins {
  readonly paths: Paths;
  readonly accounts: Accounts | null;
  readonly domains: readonly string[];
  readonly files: LoginFiles;
}

/** Reads them by the configuration file. */
export function openLogins(
  config: string,
):
  | { readonly ok: true; readonly opened: OpenedLogins }
  | { readonly ok: false; readonly faults: readonly string[] } {
  const read = readConfig(config);
  if (!read.ok) return read;
  const accounts = readAccounts(read.config);
  if (!accounts.ok) return accounts;
  const paths = pathsOf(read.config.server.home);
  try {
    const files = readLogins(paths);
    if (!files.ok) return files;
    const domains = read.config.server.local_domains;
    return {
      ok: true,
      opened: { paths, accounts: accounts.accounts, domains, files },
    };
  } catch (error) {
    return {
      ok: false,
      faults: [
        cannotRead(`${paths.usersFile} or ${paths.passwordsFile}`, error),
      ],
    };
  }
}

/** A change, and what to tell of it. */
export type ToldChange =
  | (ChangedLogins & { readonly ok: true } & {
    /** For `--json`. */
    readonly told: Readonly<Record<string, string>>;
    /** For people. */
    readonly lines: readonly string[];
  })
  | { readonly ok: false; readonly fault: string };

/** Changes what is kept of one user, and puts it in force. */
export function changeLogins(
  address: string,
  options: { readonly config: string; readonly json?: boolean },
  how: (opened: OpenedLogins, user: Mailbox) => ToldChange,
): number {
  const opening = openLogins(options.config);
  if (!opening.ok) return failToOpen(opening);
  const { opened } = opening;
  const user = userOf(address, opened.domains[0] ?? "");
  if (user === undefined) {
    return fail(EXIT.usage, [noMailbox(address)]);
  }
  const changed = how(opened, user);
  if (!changed.ok) return fail(EXIT.no, [changed.fault]);
  try {
    writeLogins(opened.paths, changed, opened.accounts);
  } catch (error) {
    return fail(EXIT.busy, [(error as Error).message]);
  }
  const running = readStatus(opened.paths.runDir);
  if (running) Deno.kill(running.pid, "SIGHUP");
  // After it is written: a password that was shown and is not kept is worse
  // than one that must be set again.
  print(
    options.json === true,
    { user: nameOf(user), inForce: running !== undefined, ...changed.told },
    () =>
      [
        ...changed.lines,
        `${nameOf(user)}: done${running ? ", and in force" : ""}`,
      ].join("\n"),
  );
  return EXIT.ok;
}
