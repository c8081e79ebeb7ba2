/** Logins whose hashes cost next to nothing, for tests. */
import type { PasswordLine } from "../login/password_file.ts";
import { makeScram, saltOf } from "../login/scram_keys.ts";
import { type Cost, makeScrypt } from "../login/scrypt_hash.ts";
import { Logins } from "./logins.ts";

const CHEAP: Cost = { N: 1_024, r: 1, p: 1 };
const ITERATIONS = 4_096;
/** The key of the salts. */
export const SALT_KEY = new Uint8Array(32).fill(9);

/** One password of `user@home.test`. */
export interface CheapPassword {
  readonly user: string;
  readonly app?: string;
  readonly password: string;
  /** Only a hash, as it comes from an old users file. */
  readonly isOld?: boolean;
  readonly cost?: Cost;
  readonly iterations?: number;
}

/** The lines of a file. */
export function cheapLines(
  passwords: readonly CheapPassword[],
): PasswordLine[] {
  return [
    { kind: "salts", key: SALT_KEY },
    ...passwords.map((one): PasswordLine => {
      const { user, app = "", password, isOld = false } = one;
      const salt = saltOf(SALT_KEY, `${user}@home.test`);
      const iterations = one.iterations ?? ITERATIONS;
      return {
        kind: "password",
        password: {
          mailbox: { user, domain: "home.test" },
          app,
          scrypt: app === ""
            ? makeScrypt(password, undefined, one.cost ?? CHEAP)
            : null,
          scram: isOld ? null : makeScram(password, { salt, iterations }),
          made: "2026-11-21",
        },
      };
    }),
  ];
}

/** The file, read. */
export function cheapLogins(passwords: readonly CheapPassword[]): Logins {
  return new Logins(cheapLines(passwords), new Uint8Array(32));
}
