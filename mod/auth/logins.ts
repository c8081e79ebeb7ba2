/**
 * The password file in memory, by login, with a stand-in for every login that
 * is not there: the same work is done for both, so that neither time nor the
 * salt that SCRAM tells says whether a mailbox exists.
 */
import { randomBytes } from "node:crypto";
import type { Mailbox } from "../core/shapes.ts";
import { nameOf } from "../login/mailbox_name.ts";
import {
  type Password,
  type PasswordLine,
  passwordsIn,
  saltKeyIn,
} from "../login/password_file.ts";
import {
  hmac,
  ITERATIONS,
  SALT_OCTETS,
  saltOf,
  type ScramKeys,
  type ScramParameters,
} from "../login/scram_keys.ts";
import { COST, type ScryptHash } from "../login/scrypt_hash.ts";

/** What a password is compared with. */
export interface Account {
  /** Null for a stand-in, which nothing can match. */
  readonly mailbox: Mailbox | null;
  /** The user's own. */
  readonly scrypt: ScryptHash;
  /** The same for all of an account's keys. */
  readonly parameters: ScramParameters;
  readonly keys: readonly {
    readonly app: string;
    readonly keys: ScramKeys;
  }[];
}

const HASH_OCTETS = 32;

/** See the file's header. */
export class Logins {
  readonly #accounts: ReadonlyMap<string, readonly Password[]>;
  readonly #saltKey: Uint8Array;
  /** Costs of the hashes in the file, from which stand-ins draw theirs. */
  readonly #scrypts: readonly ScryptHash["cost"][];
  readonly #iterations: readonly number[];

  /**
   * @param spareKey Key of the salts if the file has none: good for the life
   * of the process
   */
  constructor(lines: readonly PasswordLine[], spareKey: Uint8Array) {
    const accounts = new Map<string, Password[]>();
    for (const one of passwordsIn(lines)) {
      const name = nameOf(one.mailbox);
      const there = accounts.get(name);
      if (there === undefined) accounts.set(name, [one]);
      else there.push(one);
    }
    this.#accounts = accounts;
    this.#saltKey = saltKeyIn(lines) ?? spareKey;
    const all = passwordsIn(lines);
    this.#scrypts = all.flatMap(({ scrypt }) => scrypt ? [scrypt.cost] : []);
    this.#iterations = all.flatMap(({ scram }) =>
      scram ? [scram.iterations] : []
    );
  }

  /** Logins in the file. */
  get size(): number {
    return this.#accounts.size;
  }

  /**
   * The account of a login, or its stand-in: the same each time.
   *
   * @param name `user@domain`, or whatever else was given as a login
   */
  accountOf(name: string): Account {
    const passwords = this.#accounts.get(name) ?? [];
    const own = passwords.find(({ app }) => app === "");
    const first = passwords.find(({ scram }) => scram !== null)?.scram;
    return {
      mailbox: passwords[0]?.mailbox ?? null,
      scrypt: own?.scrypt ?? this.#standIn(name),
      parameters: first ?? {
        salt: saltOf(this.#saltKey, name),
        iterations: this.#draw(this.#iterations, name) ?? ITERATIONS,
      },
      keys: passwords.flatMap(({ app, scram }) =>
        scram === null ? [] : [{ app, keys: scram }]
      ),
    };
  }

  #standIn(name: string): ScryptHash {
    return {
      cost: this.#draw(this.#scrypts, name) ?? COST,
      salt: saltOf(this.#saltKey, `scrypt ${name}`).subarray(0, SALT_OCTETS),
      // Not kept, so no password can be made for it.
      hash: randomBytes(HASH_OCTETS),
    };
  }

  /** One of the list, by chance, but always the same for a name. */
  #draw<T>(list: readonly T[], name: string): T | undefined {
    const octets = hmac(this.#saltKey, `draw ${name}`);
    const number = new DataView(octets.buffer, octets.byteOffset).getUint32(0);
    return list[number % Math.max(1, list.length)];
  }
}
