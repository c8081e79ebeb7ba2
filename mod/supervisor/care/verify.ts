/**
 * `bulkhead verify`: reads everything that a home rests on, each thing in the
 * jail of the role whose it is. Beside a running server, too: what ends while
 * it is read is looked at once more before it is called damaged.
 */
import { verified } from "../../queue/care_ipc.ts";
import { int, object } from "../../ipc/schema.ts";
import { FORMATS } from "../../core/formats.ts";
import { lookAt } from "../replace_file.ts";
import { readFormat, standingOf } from "./format_file.ts";
import { askJailed, type CareSite } from "./jail.ts";
import { entriesIn } from "./maildir_walk.ts";
import { askQueue, readContents, stillBad } from "./read_contents.ts";
import { counted, sizeText, wordsOf } from "./words.ts";

/** One thing that was looked at. */
export interface Verified {
  readonly what: string;
  readonly ok: boolean;
  /** What was found, or what is wrong. */
  readonly says: string;
}

const gateVerified = object({ version: int({ min: 0, max: 2 ** 31 }) });

/** A segment's name, without its ending. */
export const SEGMENT = /^(pool|big)-[0-9a-f]{16}$/;

/** What is looked at. */
export interface Verifying {
  readonly site: CareSite;
  /** Every content is read to its end. */
  readonly deep: boolean;
  readonly say: (text: string) => void;
}

/** Reads databases, keys and segments, and contents where that is asked. */
export async function verifyMail(
  { site, deep, say }: Verifying,
): Promise<Verified[]> {
  const found: Verified[] = [];
  let segments: readonly string[] = [];
  try {
    const said = verified.parse(await askQueue(site, "verify"));
    segments = said.segments;
    const { queue, events } = said.versions;
    found.push({
      what: "queue",
      ok: true,
      says:
        `${counted(said.messages, "message")}, ${
          counted(said.recipients, "recipient")
        }; ` +
        `version ${queue} of ${FORMATS.queue}, history ${events} of ` +
        `${FORMATS.events}`,
    });
    if (said.corrupt > 0) {
      found.push({
        what: "contents",
        ok: false,
        says: `${said.corrupt} messages were damaged when they were to be ` +
          "delivered, and wait for you: `bulkhead queue list`",
      });
    }
  } catch (error) {
    found.push({ what: "queue", ok: false, says: wordsOf(error) });
    return found;
  }
  found.push(segmentsThere(site, segments));
  found.push(await gateFound(site));
  if (!deep) return found;
  try {
    const read = await readContents({
      queue: site,
      spool: site,
      progress: (messages) =>
        say(`contents read: ${counted(messages, "message")}`),
    });
    const bad = read.bad.length > 0 ? await stillBad(site, read.bad) : [];
    found.push({
      what: "contents",
      ok: bad.length === 0,
      says: bad.length === 0
        ? `${counted(read.messages, "message")} read to their end, ` +
          sizeText(read.octets)
        : bad.slice(0, 10).map(({ id, why }) => `${id}: ${why}`).join("; ") +
          (bad.length > 10 ? `; and ${bad.length - 10} more` : ""),
    });
  } catch (error) {
    found.push({ what: "contents", ok: false, says: wordsOf(error) });
  }
  return found;
}

function segmentsThere(site: CareSite, names: readonly string[]): Verified {
  const { spoolDir } = site.plan.site;
  const missing = names.filter((name) =>
    !SEGMENT.test(name) || !lookAt(`${spoolDir}/${name}.seg`)?.isFile
  );
  return {
    what: "segments",
    ok: missing.length === 0,
    says: missing.length === 0
      ? `${names.length} with messages in them`
      : `${missing.length} of ${names.length} are not there, such as ` +
        missing[0],
  };
}

async function gateFound(site: CareSite): Promise<Verified> {
  try {
    const { gateDir } = site.plan.site;
    const said = gateVerified.parse(
      await askJailed(site, "gate", ["inspect-gate", gateDir, "verify"]),
    );
    return {
      what: "gate",
      ok: true,
      says: `version ${said.version} of ${FORMATS.gate}`,
    };
  } catch (error) {
    return { what: "gate", ok: false, says: wordsOf(error) };
  }
}

/** What the home says of its versions. */
export function verifyVersions({ paths }: CareSite): Verified {
  const found = readFormat(paths.home);
  if (found.kind === "unreadable") {
    return { what: "versions", ok: false, says: found.why };
  }
  const standing = standingOf(found.format, paths);
  switch (standing.kind) {
    case "same":
      return { what: "versions", ok: true, says: "all are this program's" };
    case "older":
      return {
        what: "versions",
        ok: true,
        says: `older, the next start upgrades: ${standing.what.join(", ")}`,
      };
    case "newer":
      return {
        what: "versions",
        ok: false,
        says: `newer than this program: ${standing.what.join(", ")}`,
      };
  }
}

/** Most of what is wrong with mailboxes that is named. */
const MOST_NAMED = 10;

/** Whose the mailboxes are, and whether others may look into them. */
export function verifyMailboxes(
  site: CareSite,
  say: Verifying["say"],
): Verified {
  const owner = site.accounts?.roles.get("maildir")?.uid;
  const faults: string[] = [];
  let files = 0;
  let toldMs = Date.now();
  const look = (dir: string) => {
    for (const { name, isDirectory } of entriesIn(dir)) {
      const path = `${dir}/${name}`;
      const info = lookAt(path);
      if (info === undefined || name === ".sync") continue;
      if (Date.now() > toldMs + 2_000) {
        toldMs = Date.now();
        say(`mailboxes: ${counted(files, "file")}`);
      }
      if (!isDirectory) files++;
      const mode = info.mode ?? 0;
      if (info.isSymlink) faults.push(`${path} is a link`);
      else if ((mode & 0o007) !== 0 && dir !== site.paths.mailDir) {
        faults.push(`${path} is open to everybody (mode ${octal(mode)})`);
      } else if (isDirectory && owner !== undefined && info.uid !== owner) {
        faults.push(`${path} belongs to ${info.uid} and not to ${owner}`);
      }
      if (isDirectory) look(path);
    }
  };
  look(site.paths.mailDir);
  return {
    what: "mailboxes",
    ok: faults.length === 0,
    says: faults.length === 0
      ? counted(files, "file")
      : faults.slice(0, MOST_NAMED).join("; ") +
        (faults.length > MOST_NAMED
          ? `; and ${faults.length - MOST_NAMED} more`
          : ""),
  };
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, "0");
}
