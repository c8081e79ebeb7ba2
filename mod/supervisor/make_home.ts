/**
 * What `init` and `up` make alike: the roles' accounts, the tree of a home
 * with the runtime in it, and mailboxes. Nothing that is there is changed.
 */
import type { Config } from "../config/settings.ts";
import type { Mailbox } from "../core/shapes.ts";
import { openLibc, ownLibcPath } from "../walls/libc.ts";
import {
  type Accounts,
  accountsFromRange,
  DEFAULT_UID_BASE,
} from "./accounts.ts";
import { writeFormatOfNew } from "./care/format_file.ts";
import { switchOffCopyOnWrite } from "./copy_on_write.ts";
import { erasedDirs } from "./erased_places.ts";
import { makePlaces, moveOldSegments, placesOf } from "./home.ts";
import { placeRuntime } from "./installation.ts";
import {
  addLogin,
  type LoginFiles,
  readLogins,
  writeLogins,
} from "./logins.ts";
import type { Paths } from "./plan.ts";
import { replaceFile } from "./replace_file.ts";
import { madeAccounts } from "./site_io.ts";
import { hasUser } from "./users.ts";

/** Makes what is missing of a home's tree, and places the runtime in it. */
export function makeHome(paths: Paths, accounts: Accounts | null): void {
  makePlaces(placesOf(paths), accounts);
  moveOldSegments(paths);
  overwriteInPlace(paths);
  placeRuntime(paths.home);
  writeFormatOfNew(paths);
}

/** Before the first file is made; `serve` tells what it can no longer mend. */
function overwriteInPlace(paths: Paths): void {
  const libc = openLibc(ownLibcPath());
  for (const one of switchOffCopyOnWrite(libc, erasedDirs(paths))) {
    if (one.did !== "failed") continue;
    console.error(
      `bulkhead: copy-on-write stays on in ${one.dir} (${one.why}): what is ` +
        "overwritten there is not erased",
    );
  }
}

/** The roles' accounts, made if missing; a UID range where they cannot be. */
export function accountsFor(
  config: Config,
  configPath: string,
): Accounts | null {
  const made = madeAccounts(config);
  if (made.ok) return made.accounts;
  console.error(
    `bulkhead: the user table cannot be written (${made.why}): the roles get ` +
      `numbers from ${DEFAULT_UID_BASE} on (roles.uid_base)`,
  );
  replaceFile(
    configPath,
    `${Deno.readTextFileSync(configPath)}\n[roles]\n` +
      `uid_base = ${DEFAULT_UID_BASE}\n`,
    0o600,
  );
  return accountsFromRange(DEFAULT_UID_BASE);
}

/** Adds who is missing, and moves an older program's passwords. */
export function addUsers(
  paths: Paths,
  { users, password, accounts }: {
    users: readonly Mailbox[];
    password: string;
    accounts: Accounts | null;
  },
): { ok: true; count: number } | { ok: false; faults: readonly string[] } {
  const read = readLogins(paths);
  if (!read.ok) return read;
  let files: LoginFiles = read;
  let count = 0;
  for (const user of users) {
    // init changes nothing that is there.
    if (hasUser(files.users, user)) continue;
    const added = addLogin(files, user, password);
    if (!added.ok) return { ok: false, faults: [added.fault] };
    files = added;
    count++;
  }
  writeLogins(paths, files, accounts);
  return { ok: true, count };
}
