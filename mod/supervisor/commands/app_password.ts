/**
 * `bulkhead user app-password add|list|remove`: passwords of single programs,
 * made by us and shown once, each of which can be taken back alone.
 */
import {
  addAppPassword,
  appPasswordsOf,
  makeAppPassword,
  removeAppPassword,
} from "../../login/change_passwords.ts";
import { nameOf } from "../../login/mailbox_name.ts";
import { hasUser } from "../users.ts";
import { EXIT, fail, failToOpen, print } from "./exit.ts";
import { noMailbox, userOf } from "./init.ts";
import { changeLogins, openLogins } from "./open_logins.ts";

interface Options {
  readonly config: string;
  readonly json?: boolean;
}

/** Makes an app password and shows it. */
export function add(address: string, app: string, options: Options): number {
  return changeLogins(address, options, ({ files }, user) => {
    if (!hasUser(files.users, user)) {
      return { ok: false, fault: `${nameOf(user)} is not there` };
    }
    const password = makeAppPassword();
    const changed = addAppPassword(files.passwords, {
      mailbox: user,
      app,
      password,
    });
    if (!changed.ok) return changed;
    return {
      ...files,
      ok: true,
      passwords: changed,
      told: { appPassword: app, password },
      lines: [`password   ${password}  (shown once; the login stays the same)`],
    };
  });
}

/** Removes an app password: it is refused from the next login on. */
export function remove(
  address: string,
  app: string,
  options: Options,
): number {
  return changeLogins(address, options, ({ files }, user) => {
    const changed = removeAppPassword(files.passwords, user, app);
    return changed.ok
      ? {
        ...files,
        ok: true,
        passwords: changed,
        told: { appPassword: app },
        lines: [],
      }
      : changed;
  });
}

/** Lists a user's app passwords and the days they were made. */
export function list(address: string, options: Options): number {
  const opening = openLogins(options.config);
  if (!opening.ok) return failToOpen(opening);
  const { files, domains } = opening.opened;
  const user = userOf(address, domains[0] ?? "");
  if (user === undefined) {
    return fail(EXIT.usage, [noMailbox(address)]);
  }
  if (!hasUser(files.users, user)) {
    return fail(EXIT.no, [`${nameOf(user)} is not there`]);
  }
  const appPasswords = appPasswordsOf(files.passwords, user)
    .map(({ app, made }) => ({ name: app, made }));
  print(
    options.json === true,
    { user: nameOf(user), appPasswords },
    () =>
      appPasswords.length === 0
        ? `${nameOf(user)} has none: bulkhead user app-password add ` +
          `${nameOf(user)} NAME`
        : appPasswords.map(({ name, made }) => `${made}  ${name}`).join("\n"),
  );
  return EXIT.ok;
}
