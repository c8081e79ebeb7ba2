/**
 * What an upgrade to this program would do with a home, tried on copies and
 * thrown away: beside a running server, and without changing anything.
 */
import { type Rehearsal, rehearsal } from "../../queue/care_ipc.ts";
import type { Config } from "../../config/settings.ts";
import {
  type Accounts,
  accountsFromRange,
  accountsFromTable,
  DEFAULT_UID_BASE,
} from "../accounts.ts";
import { makePlaces, placesOf } from "../home.ts";
import { isRoot } from "../installation.ts";
import { pathsOf } from "../plan.ts";
import { isThere } from "../replace_file.ts";
import { readAccounts, readConfig } from "../site_io.ts";
import { newerFault, readFormat, standingOf } from "./format_file.ts";
import { careSite } from "./jail.ts";
import { askQueue } from "./read_contents.ts";
import { wordsOf } from "./words.ts";

/** What was found. */
export type Rehearsed =
  | { readonly ok: false; readonly faults: readonly string[] }
  | {
    readonly ok: true;
    readonly home: string;
    /** What an upgrade would do; empty if the home is this program's. */
    readonly what: readonly string[];
    /** Users that would be made. */
    readonly users: readonly string[];
    readonly queue: Rehearsal;
  };

/** Rehearses an upgrade of the home that a configuration names. */
export async function rehearse(
  configPath: string,
  programs: ReadonlyMap<string, string>,
): Promise<Rehearsed> {
  const read = readConfig(configPath);
  if (!read.ok) return { ok: false, faults: read.faults };
  const { config } = read;
  const paths = pathsOf(config.server.home);
  const found = readFormat(paths.home);
  if (found.kind === "unreadable") return { ok: false, faults: [found.why] };
  const standing = standingOf(found.format, paths);
  if (standing.kind === "newer") {
    return { ok: false, faults: [newerFault(paths.home, found.format)] };
  }
  const { accounts, missing } = accountsSoFar(config);
  const site = careSite({ config, accounts, programs });
  try {
    // The first program's history had no place of its own, and the jail needs
    // one: an empty directory, which that program passes over.
    if (!isThere(paths.eventsDir)) {
      makePlaces(
        placesOf(paths).filter(({ path }) => path === paths.eventsDir),
        accounts,
      );
    }
    const said = rehearsal.parse(await askQueue(site, "rehearse"));
    return {
      ok: true,
      home: paths.home,
      what: standing.kind === "older" ? standing.what : [],
      users: missing,
      queue: said,
    };
  } catch (error) {
    return { ok: false, faults: [wordsOf(error)] };
  }
}

/** Those that there are; numbers that nobody has stand for the others. */
function accountsSoFar(
  config: Config,
): { accounts: Accounts | null; missing: readonly string[] } {
  const all = readAccounts(config);
  if (all.ok || !isRoot()) {
    return { accounts: all.ok ? all.accounts : null, missing: [] };
  }
  const prefix = config.roles.user_prefix;
  const stand = accountsFromRange(DEFAULT_UID_BASE);
  const table = accountsFromTable(prefix, stand);
  return {
    accounts: table.ok ? table.accounts : stand,
    missing: all.missing,
  };
}
