/**
 * Whose the files are that the server needs: what a `chown` or a restored
 * copy turned upside down below the directories that `home.ts` verifies, and
 * who else may write what rules the server.
 */
import { dirname } from "node:path";
import type { RoleName } from "../../ipc/call.ts";
import type { Accounts } from "../accounts.ts";
import { isRoot } from "../installation.ts";
import type { Opened } from "../site_io.ts";
import { type Finding, finding } from "./finding.ts";
import { shellWord } from "./unit.ts";

/** Names that are looked at in one directory. */
const MOST_LOOKED_AT = 1_000;
/** A directory's owner has to read it, write there, and enter. */
const OWNERS = 0o700;
/** Who may write. */
const [GROUP, OTHERS] = [0o020, 0o002];
/** Nobody replaces another's file in a directory that has this. */
const STICKY = 0o1000;

/** Looks at it all. */
export function permissionFindings(
  { opened, configPath }: {
    readonly opened: Opened;
    readonly configPath: string;
  },
): Finding[] {
  const { paths, accounts } = opened;
  const found = [
    ...openToOthers([
      ...isRoot() ? [dirname(configPath)] : [],
      configPath,
      paths.home,
    ]),
    ...of("queue", [paths.queueDir, paths.eventsDir], accounts),
    ...of("gate", [paths.gateDir], accounts),
    ...of("sts", [paths.stsDir], accounts),
    ...mailboxes(paths.mailDir, accounts),
  ];
  return found.length > 0 ? found : [
    finding(
      "permissions",
      "good",
      "what the server needs belongs to its roles",
    ),
  ];
}

/** What others may write rules the server: it is as good as theirs. */
function openToOthers(paths: readonly string[]): Finding[] {
  return paths.flatMap((path) => {
    const { mode, uid, gid } = Deno.statSync(path);
    const word = shellWord(path);
    if (isRoot() && uid !== 0) {
      return [finding(
        "permissions",
        "warning",
        `${path} belongs to user ${uid}, who may have the server do anything`,
        `chown root ${word}`,
      )];
    }
    // Users' groups are often their own, and root's is.
    const bits = isRoot() && gid !== 0 ? GROUP | OTHERS : OTHERS;
    const isSticky = ((mode ?? 0) & STICKY) !== 0;
    return ((mode ?? 0) & bits) === 0 || isSticky ? [] : [finding(
      "permissions",
      "wrong",
      `others than its owner may write to ${path}, and so have the server do ` +
        "anything",
      `chmod go-w ${word}`,
    )];
  });
}

/** Files of a role that are another's: it can do nothing without them. */
function of(
  role: RoleName,
  dirs: readonly string[],
  accounts: Accounts | null,
): Finding[] {
  return dirs.flatMap((dir) => {
    const { uid, gid } = idsOf(role, accounts);
    const foreign = entriesOf(dir).find((path) =>
      (infoOf(path)?.uid ?? uid) !== uid
    );
    return foreign === undefined ? [] : [finding(
      "permissions",
      "fault",
      `${foreign} does not belong to the role ${role}, which needs it`,
      `chown -R ${uid}:${gid} ${shellWord(dir)}, and start the server again`,
    )];
  });
}

/** Mailboxes that nothing can be delivered to; the first of each domain. */
function mailboxes(mailDir: string, accounts: Accounts | null): Finding[] {
  const { uid, gid } = idsOf("maildir", accounts);
  const fits = (path: string) => {
    const info = infoOf(path);
    if (info === undefined || !info.isDirectory) return true;
    const needed = info.uid === uid
      ? OWNERS
      : info.gid === gid
      ? OWNERS >> 3
      : OWNERS >> 6;
    return ((info.mode ?? 0) & needed) === needed;
  };
  const domains = entriesOf(mailDir).filter((path) =>
    infoOf(path)?.isDirectory
  );
  return domains.flatMap((domain) => {
    const closed = [domain, ...entriesOf(domain)]
      .flatMap((path) => [path, `${path}/tmp`, `${path}/new`])
      .find((path) => !fits(path));
    const word = shellWord(domain);
    return closed === undefined ? [] : [finding(
      "permissions",
      "wrong",
      `${closed} is closed to the role maildir: no mail is delivered there`,
      `chown -R ${uid}:${gid} ${word} && chmod -R u+rwX ${word}`,
    )];
  });
}

function idsOf(
  role: RoleName,
  accounts: Accounts | null,
): { uid: number; gid: number } {
  return accounts?.roles.get(role) ??
    { uid: Deno.uid() ?? 0, gid: Deno.gid() ?? 0 };
}

/** Undefined if it went away meanwhile, as files of a running server do. */
function infoOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function entriesOf(dir: string): string[] {
  const found: string[] = [];
  try {
    for (const { name } of Deno.readDirSync(dir)) {
      found.push(`${dir}/${name}`);
      if (found.length === MOST_LOOKED_AT) break;
    }
  } catch (error) {
    // A mailbox that is closed even to us is found by its mode.
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
  }
  return found;
}
