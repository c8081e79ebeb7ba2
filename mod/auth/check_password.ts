/** Compares a password with all that an account has, in constant work. */
import { timingSafeEqual } from "node:crypto";
import { deriveScram } from "../login/scram_keys.ts";
import { deriveScrypt } from "../login/scrypt_hash.ts";
import type { Account } from "./logins.ts";

/**
 * Which of an account's passwords it is.
 *
 * A password that is right is known after the cheaper derivation, which the
 * keys of SCRAM come from. One that is wrong costs both, whatever the account
 * has or is: a user's own password that came from an old users file has only
 * the second, a stand-in has neither.
 *
 * @param password As prepared
 * @returns The app password's name, empty for the user's own, undefined if it
 * is none
 */
export async function matchPassword(
  account: Account,
  password: string,
): Promise<string | undefined> {
  const { storedKey } = await deriveScram(password, account.parameters);
  let found: string | undefined;
  for (const { app, keys } of account.keys) {
    if (timingSafeEqual(storedKey, keys.storedKey)) found ??= app;
  }
  if (found !== undefined) return found;
  const hash = await deriveScrypt(password, account.scrypt);
  const isOwn = timingSafeEqual(hash, account.scrypt.hash);
  return isOwn && account.mailbox !== null ? "" : undefined;
}
