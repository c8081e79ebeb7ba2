/**
 * The roles' jails for whoever looks after a home: rendered from the
 * configuration and the accounts alone, so that they are to be had for a home
 * that cannot be started yet, and for a copy of one in another place.
 */
import type { Config } from "../../config/settings.ts";
import type { RoleName } from "../../ipc/call.ts";
import { ownLibcPath } from "../../walls/libc.ts";
import type { Accounts } from "../accounts.ts";
import { type Jailing, type JailSite, runJailed } from "../commands/jailed.ts";
import { type Paths, pathsOf, siteOf } from "../plan.ts";
import { ROLES } from "../roles.ts";
import { CareError } from "./words.ts";

/** A place to be looked after. */
export interface CareSite extends JailSite {
  readonly paths: Paths;
  readonly config: Config;
  readonly programs: ReadonlyMap<string, string>;
  /** In place of a jail, for tests. */
  readonly ask?: AskRole | undefined;
}

/** Runs a program as a role would, and gives what it says. */
export type AskRole = (
  role: RoleName,
  args: readonly string[],
  input: Uint8Array | undefined,
) => Promise<unknown>;

/**
 * Describes one.
 *
 * @param home Where it lies, if that is not what the configuration says
 */
export function careSite(
  { config, accounts, programs, ask, home = config.server.home }: {
    readonly config: Config;
    readonly accounts: Accounts | null;
    readonly programs: ReadonlyMap<string, string>;
    readonly home?: string;
    readonly ask?: AskRole | undefined;
  },
): CareSite {
  const site = siteOf({
    config: { ...config, server: { ...config.server, home } },
    nameservers: [],
    hasIpv6: false,
    libc: ownLibcPath(),
  });
  return {
    paths: pathsOf(home),
    config,
    accounts,
    programs,
    ask,
    plan: { site, manifests: ROLES },
  };
}

/** Databases may be large, and reading all of one takes its time. */
const WITHIN_MS = 6 * 3_600_000;

/**
 * Runs a program in a role's jail, and parses the JSON that it prints.
 *
 * @throws {CareError} With what it said, if it says that something is wrong
 */
export async function askJailed(
  site: CareSite,
  role: RoleName,
  args: readonly string[],
  jailing: Jailing = {},
): Promise<unknown> {
  if (site.ask !== undefined) return await site.ask(role, args, jailing.input);
  const run = await runJailed(site, role, args, site.programs, {
    withinMs: WITHIN_MS,
    ...jailing,
  });
  if (run.code !== 0) {
    throw new CareError(
      plainWords(run.errors) || `${args[0]} ended with ${run.code}`,
    );
  }
  return JSON.parse(run.out);
}

/** What the runtime prints of an error, without its places in the code. */
export function plainWords(errors: string): string {
  return errors.split("\n").filter((line) => !line.startsWith("    at "))
    .map((line) =>
      line.replace(
        /^error: Uncaught (?:\(in promise\) )?(?:[A-Za-z]*Error: )?/,
        "",
      )
        .replace(
          /^(?:EACCES|EPERM): .*? '(.*)'$/,
          "$1 may not be used by the role whose it should be: look at its owner " +
            "and mode, and those of the directories above",
        )
    )
    .join("\n").trim();
}
