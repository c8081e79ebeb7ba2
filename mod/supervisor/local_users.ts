/**
 * What `sendmail` and pickup must know of this machine and this server. The
 * configuration may be closed to users, so what they need stands in a file of
 * its own that all may read, beside the drop directory.
 */
import type { Config } from "../config/settings.ts";
import type { SubmitFacts } from "../submit/submit_facts.ts";
import { submitFactsPath } from "../submit/submit_facts.ts";
import { pathsOf } from "./plan.ts";
import { isThere, replaceFile } from "./replace_file.ts";

/** One user of this machine. */
export interface LocalUser {
  readonly uid: number;
  readonly name: string;
}

/** As many as pickup is told of; of others it tells the number alone. */
const MAX_USERS = 5_000;

/** Reads passwd(5); of several names of one number the first counts. */
export function parseLocalUsers(passwd: string): LocalUser[] {
  const users = new Map<number, string>();
  for (const line of passwd.split("\n")) {
    const [name, , number] = line.split(":");
    const isName = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(name ?? "");
    if (!isName || !/^[0-9]{1,10}$/.test(number ?? "")) continue;
    const uid = Number(number);
    if (uid < 2 ** 32 && !users.has(uid)) users.set(uid, name!);
    if (users.size >= MAX_USERS) break;
  }
  return [...users].map(([uid, name]) => ({ uid, name }));
}

/** The domain of an address that has none. */
export function originOf({ server, submit }: Config): string {
  return submit.origin ?? server.local_domains[0] ?? server.hostname;
}

/** Writes the file for `sendmail`, if it says something else now. */
export function writeSubmitFacts(config: Config): void {
  const { home, dropDir } = pathsOf(config.server.home);
  const facts: SubmitFacts = {
    version: 1,
    enabled: config.submit.enabled,
    dropDir,
    hostname: config.server.hostname,
    origin: originOf(config),
    maxMessageBytes: config.smtp.max_message_size,
    maxRecipients: config.smtp.max_recipients,
    hopLimit: config.smtp.hop_limit,
    users: [...config.submit.users],
  };
  const path = submitFactsPath(home);
  const text = JSON.stringify(facts, null, 2) + "\n";
  if (isThere(path) && Deno.readTextFileSync(path) === text) return;
  replaceFile(path, text, 0o644);
  Deno.chmodSync(path, 0o644); // the umask may have taken others' part
}
