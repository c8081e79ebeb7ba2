/**
 * Reads a whole installation: configuration, users, certificate, accounts,
 * directories. Everything that can be wrong is found here, before any socket
 * is opened, and said in plain words.
 */
import { faultText, loadConfig, MAX_CONFIG_OCTETS } from "../config/load.ts";
import type { Config } from "../config/settings.ts";
import { journalBytes } from "../shred/file_system_io.ts";
import { ownLibcPath } from "../walls/libc.ts";
import {
  type Accounts,
  accountsFromRange,
  accountsFromTable,
  makeAccounts,
} from "./accounts.ts";
import { deadAliases } from "./alias_check.ts";
import {
  authoritiesFault,
  certificateFiles,
  checkCertificate,
  makeCertificate,
} from "./certificate.ts";
import { newerFault, readFormat, standingOf } from "./care/format_file.ts";
import { readGateFiles } from "./gate_files.ts";
import { checkPlaces, placesOf } from "./home.ts";
import { isRoot } from "./installation.ts";
import {
  hasGlobalIpv6,
  parseResolvConf,
  type Paths,
  pathsOf,
  planServer,
} from "./plan.ts";
import { parseLocalUsers } from "./local_users.ts";
import { replaceFile } from "./replace_file.ts";
import { ROLES } from "./roles.ts";
import type { ServerPlan } from "./supervisor.ts";
import { hasOldHashes, loginDoubts, readLogins } from "./logins.ts";
import { readSmarthostPassword, smarthostDoubts } from "./smarthost.ts";
import { THIS_MACHINE, wayDoubts } from "./way_doubts.ts";
import { mailboxesOf } from "./users.ts";

/** An installation that may be started. */
export interface Opened {
  readonly config: Config;
  readonly paths: Paths;
  /** null if not root. */
  readonly accounts: Accounts | null;
  readonly plan: ServerPlan;
  /** What is odd, but no reason not to start. */
  readonly warnings: readonly string[];
}

/** What came of opening it: all faults at once. */
export type Opening =
  | { readonly ok: true; readonly opened: Opened }
  | {
    readonly ok: false;
    readonly faults: readonly string[];
    /** This user may not read the configuration. */
    readonly isDenied?: boolean;
  };

/** Reads the configuration file alone. */
export function readConfig(
  path: string,
):
  | { ok: true; config: Config }
  | { ok: false; faults: string[]; isDenied?: boolean } {
  let text: string;
  try {
    const info = Deno.statSync(path);
    if (info.size > MAX_CONFIG_OCTETS) {
      return {
        ok: false,
        faults: [`${path} is larger than ${MAX_CONFIG_OCTETS} octets`],
      };
    }
    text = Deno.readTextFileSync(path);
  } catch (error) {
    const hint = error instanceof Deno.errors.NotFound
      ? ": --config names another, `bulkhead up` makes one"
      : "";
    return {
      ok: false,
      faults: [cannotRead(path, error) + hint],
      isDenied: error instanceof Deno.errors.PermissionDenied,
    };
  }
  const loaded = loadConfig(text, Deno.realPathSync(path));
  return loaded.ok ? loaded : {
    ok: false,
    faults: loaded.faults.map((fault) => faultText(path, fault)),
  };
}

/** The accounts of an installation, or what is missing. */
export function readAccounts(
  config: Config,
):
  | { ok: true; accounts: Accounts | null }
  | { ok: false; faults: string[]; missing: readonly string[] } {
  if (!isRoot()) return { ok: true, accounts: null };
  if (config.roles.uid_base > 0) {
    return { ok: true, accounts: accountsFromRange(config.roles.uid_base) };
  }
  const found = accountsFromTable(config.roles.user_prefix);
  return found.ok ? found : {
    ok: false,
    missing: found.missing,
    faults: [
      `users are missing: ${found.missing.join(", ")}; \`bulkhead up ${
        config.server.local_domains[0] ?? "DOMAIN"
      }\` makes them (or \`bulkhead init\`, if that made this), or ` +
      "roles.uid_base gives them numbers",
    ],
  };
}

/** The same, with the users made that are missing; or why they cannot be. */
export function madeAccounts(
  config: Config,
):
  | { ok: true; accounts: Accounts | null }
  | { ok: false; faults: string[]; why: string | undefined } {
  const found = readAccounts(config);
  if (found.ok) return found;
  const why = makeAccounts(found.missing);
  const again = readAccounts(config);
  return again.ok ? again : { ok: false, faults: again.faults, why };
}

/** Opens an installation by its configuration file. */
export function openSite(configPath: string): Opening {
  const read = readConfig(configPath);
  if (!read.ok) return read;
  const { config } = read;
  const paths = pathsOf(config.server.home);
  const old = standing(paths);
  if (old.kind === "newer") return { ok: false, faults: [old.fault] };
  const accounts = readAccounts(config);
  if (!accounts.ok) return withAge(accounts.faults, old);
  const faults = checkPlaces(placesOf(paths), accounts.accounts);
  if (faults.length > 0) return withAge(faults, old);

  const warnings: string[] = [];
  const tls = readTls(config, paths);
  if (!tls.ok) faults.push(...tls.faults);
  else warnings.push(...tls.warnings);
  const users = readUsers(paths);
  if (!users.ok) faults.push(...users.faults);
  const gateFiles = readGateFiles(config, cannotRead);
  if (!gateFiles.ok) faults.push(...gateFiles.faults);
  const authorities = readAuthorities(config);
  if (!authorities.ok) faults.push(...authorities.faults);
  const smarthost = readSmarthostPassword(config, cannotRead);
  if (!smarthost.ok) faults.push(...smarthost.faults);
  if (
    !tls.ok || !users.ok || !gateFiles.ok || !authorities.ok || !smarthost.ok
  ) {
    return { ok: false, faults };
  }

  const unknown = users.mailboxes.filter((one) =>
    !config.server.local_domains.includes(one.domain)
  );
  if (unknown.length > 0) {
    warnings.push(
      `${paths.usersFile} has users of domains that are not in ` +
        `server.local_domains: ${
          unknown.slice(0, 5).map((one) => `${one.user}@${one.domain}`)
            .join(", ")
        }`,
    );
  }
  const { listen, tls_listen } = config.submission;
  if (tls.pem === null && listen.length + tls_listen.length > 0) {
    warnings.push(
      'submission is not started: tls.mode is "off", and nobody may log in ' +
        "in clear",
    );
  }
  warnings.push(...users.warnings);
  warnings.push(...smarthostDoubts(config, configPath));
  warnings.push(...wayDoubts(config, THIS_MACHINE));
  warnings.push(...deadAliases(config, users.mailboxes).slice(0, 20));
  const plan = planServer({
    config,
    mailboxes: users.mailboxes,
    tls: tls.pem,
    nameservers: systemNameservers(),
    hasIpv6: hasIpv6(),
    libc: ownLibcPath(),
    journalBytes: journalBytes(paths.spentDir),
    ca: authorities.pem,
    smarthostPassword: smarthost.password,
    gateFiles: gateFiles.files,
    localUsers: parseLocalUsers(readIfThere("/etc/passwd")),
    manifests: ROLES,
  });
  return {
    ok: true,
    opened: { config, paths, accounts: accounts.accounts, plan, warnings },
  };
}

/** How old the home is; what is wrong with an old one may be just that. */
type Age = { kind: "same" | "older" } | { kind: "newer"; fault: string };

function standing(paths: Paths): Age {
  const found = readFormat(paths.home);
  if (found.kind === "unreadable") return { kind: "same" }; // serve tells
  const { kind } = standingOf(found.format, paths);
  return kind === "newer"
    ? { kind, fault: newerFault(paths.home, found.format) }
    : { kind };
}

function withAge(
  faults: readonly string[],
  { kind }: Age,
): { ok: false; faults: readonly string[] } {
  const hint =
    "this home is of an older program: `bulkhead serve` upgrades it " +
    "when it starts, and `bulkhead upgrade --check` says what that will do";
  return { ok: false, faults: kind === "older" ? [...faults, hint] : faults };
}

/** True if this machine can reach others by IPv6. */
export function hasIpv6(): boolean {
  return hasGlobalIpv6(readIfThere("/proc/net/if_inet6"));
}

function systemNameservers(): string[] {
  return parseResolvConf(readIfThere("/etc/resolv.conf"));
}

function readIfThere(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

function readUsers(paths: Paths) {
  try {
    const read = readLogins(paths);
    if (!read.ok) return read;
    return {
      ok: true as const,
      mailboxes: mailboxesOf(read.users.users),
      warnings: [
        ...hasOldHashes(read.users)
          ? [
            `${paths.usersFile} has passwords of an older program: the next ` +
            "start, or `bulkhead init`, moves them to " + paths.passwordsFile,
          ]
          : [],
        ...loginDoubts(read, paths),
      ],
    };
  } catch (error) {
    const path = `${paths.usersFile} or ${paths.passwordsFile}`;
    return { ok: false as const, faults: [cannotRead(path, error)] };
  }
}

function readTls(config: Config, paths: Paths) {
  const { mode } = config.tls;
  if (mode === "off") return { ok: true as const, pem: null, warnings: [] };
  const { certificate: certPath, key: keyPath } = certificateFiles(
    config,
    paths,
  );
  let cert: string;
  let key: string;
  try {
    if (mode === "self-signed") {
      makeMissingCertificate(config, certPath, keyPath);
    }
    cert = Deno.readTextFileSync(certPath);
    key = Deno.readTextFileSync(keyPath);
  } catch (error) {
    return {
      ok: false as const,
      faults: [
        cannotRead(certPath, error) + `; the key is ${keyPath}. Mend the ` +
        'files, or set tls.mode to "self-signed" or "off"',
      ],
    };
  }
  const checked = checkCertificate(
    cert,
    key,
    Date.now(),
    config.server.hostname,
  );
  const faults = checked.filter((one) => one.kind === "fault");
  const told = (one: { message: string }) => `${certPath}: ${one.message}`;
  return faults.length > 0
    ? { ok: false as const, faults: faults.map(told) }
    : {
      ok: true as const,
      pem: { cert, key },
      warnings: checked.filter((one) => one.kind === "warning").map(told),
    };
}

function readAuthorities(
  { outbound: { ca_file: path } }: Config,
): { ok: true; pem: string } | { ok: false; faults: string[] } {
  if (path === null) return { ok: true, pem: "" };
  try {
    const pem = Deno.readTextFileSync(path);
    const fault = authoritiesFault(pem);
    return fault === undefined
      ? { ok: true, pem }
      : { ok: false, faults: [`outbound.ca_file: ${path} ${fault}`] };
  } catch (error) {
    return { ok: false, faults: [cannotRead(path, error)] };
  }
}

/** The self-signed certificate is made at the first start. */
function makeMissingCertificate(
  config: Config,
  certPath: string,
  keyPath: string,
): void {
  try {
    Deno.lstatSync(keyPath);
    return;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const made = makeCertificate(config.server.hostname, Date.now());
  replaceFile(certPath, made.cert, 0o644);
  // The key last: its presence is what says that both are there.
  replaceFile(keyPath, made.key, 0o600);
}

/** Why a file cannot be read, in plain words. */
export function cannotRead(path: string, error: unknown): string {
  if (error instanceof Deno.errors.NotFound) {
    return `${path} is not there`;
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return `${path} may not be read by user ${Deno.uid()}`;
  }
  return `${path} cannot be read: ${
    error instanceof Error ? error.message : error
  }`;
}
