/** `bulkhead user add|list|remove|passwd`; see `app_password.ts`, too. */
import type { Mailbox } from "../../core/shapes.ts";
import { appPasswordsOf, setPassword } from "../../login/change_passwords.ts";
import { nameOf } from "../../login/mailbox_name.ts";
import { passwordsIn } from "../../login/password_file.ts";
import { addLogin, type ChangedLogins, removeLogin } from "../logins.ts";
import { hasUser, mailboxesOf } from "../users.ts";
import { EXIT, fail, print } from "./exit.ts";
import { passwordOf } from "./init.ts";
import { changeLogins, type OpenedLogins, openLogins } from "./open_logins.ts";

/** Options of the commands. */
export interface UserOptions {
  readonly config: string;
  readonly json?: boolean;
  readonly passwordFile?: string;
}

/** Makes a mailbox. */
export function add(address: string, options: UserOptions): number {
  return change(address, options, ({ files, domains }, user) => {
    if (!domains.includes(user.domain)) {
      return no(
        `${user.domain} is not in server.local_domains: add it first`,
      );
    }
    return withPassword(options, (text) => addLogin(files, user, text));
  });
}

/** Removes a mailbox and its passwords; the Maildir stays. */
export function remove(address: string, options: UserOptions): number {
  return change(address, options, ({ files }, user) => {
    const changed = removeLogin(files, user);
    return changed.ok ? { ...changed, told: {} } : changed;
  });
}

/** Changes a password. */
export function passwd(address: string, options: UserOptions): number {
  return change(address, options, ({ files }, user) => {
    if (!hasUser(files.users, user)) {
      return no(`${nameOf(user)} is not there`);
    }
    return withPassword(options, (text) => {
      const passwords = setPassword(files.passwords, user, text);
      return passwords.ok ? { ...files, ok: true, passwords } : passwords;
    });
  });
}

/** Lists the mailboxes, and with `--json` how each can log in. */
export function list(options: UserOptions): number {
  const opened = openLogins(options.config);
  if (!opened.ok) return fail(EXIT.config, opened.faults);
  const { users, passwords } = opened.opened.files;
  const own = new Map(
    passwordsIn(passwords.lines).filter(({ app }) => app === "")
      .map((one) => [nameOf(one.mailbox), one]),
  );
  const logins = mailboxesOf(users.users).map((one) => {
    const password = own.get(nameOf(one));
    return {
      address: nameOf(one),
      password: password !== undefined,
      scram: password !== undefined && password.scram !== null,
      set: password?.made || null,
      appPasswords: appPasswordsOf(passwords, one).map(({ app }) => app),
    };
  });
  const names = logins.map(({ address }) => address);
  print(
    options.json === true,
    { users: names, logins },
    () =>
      names.length === 0
        ? "There are no mailboxes: bulkhead user add NAME"
        : names.join("\n"),
  );
  return EXIT.ok;
}

type Changed =
  | (ChangedLogins & { readonly ok: true } & {
    /** What `--json` tells beside the user. */
    readonly told: Readonly<Record<string, string>>;
  })
  | { readonly ok: false; readonly fault: string };

function no(fault: string): Changed {
  return { ok: false, fault };
}

function withPassword(
  options: UserOptions,
  then: (text: string) => ChangedLogins,
): Changed {
  const password = passwordOf(options.passwordFile);
  if (!password.ok) return password;
  const changed = then(password.text);
  if (!changed.ok) return changed;
  const told = options.passwordFile === undefined
    ? { password: password.text }
    : {};
  return { ...changed, told };
}

function change(
  address: string,
  options: UserOptions,
  how: (opened: OpenedLogins, user: Mailbox) => Changed,
): number {
  return changeLogins(address, options, (opened, user) => {
    const changed = how(opened, user);
    if (!changed.ok) return changed;
    const { password } = changed.told;
    const lines = password === undefined
      ? []
      : [`password   ${password}  (shown once)`];
    return { ...changed, lines };
  });
}
