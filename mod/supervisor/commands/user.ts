/** `bulkhead user add|list|remove|passwd`. */
import type { Mailbox } from "../../core/shapes.ts";
import { type Paths, pathsOf } from "../plan.ts";
import { readConfig } from "../site_io.ts";
import { readStatus } from "../status_file.ts";
import {
  addUser,
  mailboxesOf,
  parseUsers,
  readUsersFile,
  removeUser,
  setPassword,
  type UsersFile,
  writeUsersFile,
} from "../users.ts";
import { EXIT, fail, print } from "./exit.ts";
import { passwordOf, userOf } from "./init.ts";

interface Options {
  readonly config: string;
  readonly json?: boolean;
  readonly passwordFile?: string;
}

interface Opened {
  readonly paths: Paths;
  readonly domains: readonly string[];
  readonly file: UsersFile;
}

/** Makes a mailbox. */
export function add(address: string, options: Options): number {
  return change(address, options, (opened, user) => {
    if (!opened.domains.includes(user.domain)) {
      return {
        ok: false,
        fault: `${user.domain} is not in server.local_domains: add it first`,
      };
    }
    return withPassword(options, (text) => addUser(opened.file, user, text));
  });
}

/** Removes a mailbox; the Maildir stays. */
export function remove(address: string, options: Options): number {
  return change(
    address,
    options,
    (opened, user) => removeUser(opened.file, user),
  );
}

/** Changes a password. */
export function passwd(address: string, options: Options): number {
  return change(
    address,
    options,
    (opened, user) =>
      withPassword(options, (text) => setPassword(opened.file, user, text)),
  );
}

/** Lists the mailboxes. */
export function list(options: Options): number {
  const opened = open(options.config);
  if (!opened.ok) return fail(EXIT.config, opened.faults);
  const users = mailboxesOf(opened.opened.file.users).map((one) =>
    `${one.user}@${one.domain}`
  );
  print(
    options.json === true,
    { users },
    () =>
      users.length === 0
        ? "There are no mailboxes: bulkhead user add NAME"
        : users.join("\n"),
  );
  return EXIT.ok;
}

type Changed = UsersFile & { readonly ok: true } | {
  readonly ok: false;
  readonly fault: string;
};

function withPassword(
  options: Options,
  then: (text: string) => Changed,
): Changed {
  const password = passwordOf(options.passwordFile);
  if (!password.ok) return password;
  const changed = then(password.text);
  if (changed.ok && options.passwordFile === undefined) {
    console.log(`password   ${password.text}  (shown once)`);
  }
  return changed;
}

function open(
  config: string,
): { ok: true; opened: Opened } | { ok: false; faults: readonly string[] } {
  const read = readConfig(config);
  if (!read.ok) return read;
  const paths = pathsOf(read.config.server.home);
  const parsed = parseUsers(readUsersFile(paths.usersFile));
  if (!parsed.ok) {
    return {
      ok: false,
      faults: parsed.faults.map((one) =>
        `${paths.usersFile}:${one.line}: ${one.message}`
      ),
    };
  }
  const domains = read.config.server.local_domains;
  return { ok: true, opened: { paths, domains, file: parsed } };
}

function change(
  address: string,
  options: Options,
  how: (opened: Opened, user: Mailbox) => Changed,
): number {
  const opened = open(options.config);
  if (!opened.ok) return fail(EXIT.config, opened.faults);
  const { paths, domains } = opened.opened;
  const user = userOf(address, domains[0] ?? "");
  if (user === undefined) {
    return fail(EXIT.usage, [`${address} cannot be a mailbox`]);
  }
  const changed = how(opened.opened, user);
  if (!changed.ok) return fail(EXIT.no, [changed.fault]);
  try {
    writeUsersFile(paths.usersFile, changed);
  } catch (error) {
    return fail(EXIT.busy, [(error as Error).message]);
  }
  const running = readStatus(paths.runDir);
  if (running) Deno.kill(running.pid, "SIGHUP");
  console.log(
    `${user.user}@${user.domain}: done${running ? ", and in force" : ""}`,
  );
  return EXIT.ok;
}
