/**
 * scrypt hashes of passwords (RFC 7914), as
 *
 *     scrypt$32768$8$3$<salt>$<hash>
 *
 * with N, r and p, and base64 without padding. For PLAIN and LOGIN, where the
 * server sees the password and can afford memory.
 */
import { Buffer } from "node:buffer";
import { randomBytes, scrypt, scryptSync } from "node:crypto";

/** scrypt's three costs. */
export interface Cost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

/** One hash. */
export interface ScryptHash {
  readonly cost: Cost;
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

/**
 * What new hashes cost: 32 MiB and 0.2 s, one of the equal choices that
 * OWASP's Password Storage Cheat Sheet gives for scrypt. Stored with each
 * hash, so that it can be raised without making anybody's password invalid.
 */
export const COST: Cost = { N: 32_768, r: 8, p: 3 };
const SALT_OCTETS = 16;
const HASH_OCTETS = 32;

/** Reads the text form; undefined if it is none, or of absurd costs. */
export function parseScrypt(text: string): ScryptHash | undefined {
  const match =
    /^scrypt\$(\d{1,8})\$(\d{1,3})\$(\d{1,3})\$([A-Za-z0-9+/]{16,86})\$([A-Za-z0-9+/]{43})$/
      .exec(text);
  if (match === null) return undefined;
  const [N, r, p] = [Number(match[1]), Number(match[2]), Number(match[3])];
  // Bounds keep a slip of the pen from costing gigabytes or hours.
  const isPossible = N >= 1_024 && N <= 2 ** 20 &&
    Number.isInteger(Math.log2(N)) &&
    r >= 1 && r <= 32 && p >= 1 && p <= 16;
  return isPossible
    ? {
      cost: { N, r, p },
      salt: Buffer.from(match[4]!, "base64"),
      hash: Buffer.from(match[5]!, "base64"),
    }
    : undefined;
}

/** Writes the text form. */
export function formatScrypt({ cost, salt, hash }: ScryptHash): string {
  const { N, r, p } = cost;
  return ["scrypt", N, r, p, base64(salt), base64(hash)].join("$");
}

/**
 * Hashes a prepared password, in the calling thread.
 *
 * @param salt A parameter so that tests are exact
 * @param cost Lower than {@link COST} in tests only
 */
export function makeScrypt(
  password: string,
  salt: Uint8Array = randomBytes(SALT_OCTETS),
  cost: Cost = COST,
): ScryptHash {
  const hash = scryptSync(password, salt, HASH_OCTETS, optionsOf(cost));
  return { cost, salt, hash };
}

/** The hash of a prepared password, made in another thread. */
export function deriveScrypt(
  password: string,
  { salt, cost }: Pick<ScryptHash, "salt" | "cost">,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) =>
    scrypt(
      password,
      salt,
      HASH_OCTETS,
      optionsOf(cost),
      (error, hash) => error ? reject(error) : resolve(hash),
    )
  );
}

function optionsOf({ N, r, p }: Cost) {
  // Node's own limit is just what N and r need here, and refuses that.
  return { N, r, p, maxmem: 128 * N * r + 128 * r * p + 2 ** 20 };
}

function base64(octets: Uint8Array): string {
  return Buffer.from(octets).toString("base64").replaceAll("=", "");
}
