/**
 * `bulkhead down`: removes what `up` made, and keeps the mail. Run twice it is
 * harmless.
 */
import { basename, dirname } from "node:path";
import { listing } from "../../queue/inspect_ipc.ts";
import { visible } from "../../core/visible.ts";
import { isRoot } from "../installation.ts";
import { isThere } from "../replace_file.ts";
import { openSite } from "../site_io.ts";
import { type Made, Manifest } from "../up/manifest.ts";
import { ownProgram } from "../up/program.ts";
import { type ServiceKind, serviceKindHere, serviceOf } from "../up/service.ts";
import { placesFor } from "../up/target.ts";
import { removeIfEmpty, undoAll, type Undone } from "../up/undo.ts";
import { EXIT, fail, faultsTold, print } from "./exit.ts";
import { inspectQueue } from "./jailed.ts";

/** Options of `bulkhead down`. */
export interface DownOptions {
  readonly home?: string;
  readonly config?: string;
  readonly purgeMail: boolean;
  readonly yes: boolean;
  readonly json: boolean;
}

/** Runs it; returns the exit code. */
export function down(
  options: DownOptions,
  programs: ReadonlyMap<string, string>,
  onDurable: () => void = () => {},
): Promise<number> {
  return faultsTold(() => goDown(options, programs, onDurable));
}

async function goDown(
  options: DownOptions,
  programs: ReadonlyMap<string, string>,
  onDurable: () => void,
): Promise<number> {
  const places = placesFor(options, {
    isRoot: isRoot(),
    userHome: Deno.env.get("HOME") ?? "/nonexistent",
  });
  const manifest = Manifest.read(places.manifestPath, onDurable);
  const home = manifest.all.findLast((one) => one.kind === "home");
  if (manifest.all.length === 0) {
    // The last thing that an interrupted `down` may have left.
    removeIfEmpty(dirname(places.manifestPath));
    print(
      options.json,
      { ok: true, undone: [] },
      () => `There is nothing to remove: ${places.manifestPath} is not there.`,
    );
    return EXIT.ok;
  }
  const waiting = await waitingMail(places.configPath, programs);
  if (home !== undefined && waiting !== null) {
    manifest.add({ ...home, waiting: waiting.total });
  }
  const told = waiting ?? { total: home?.waiting ?? null, oldest: [] };
  if (!options.json) console.log(waitingText(told).join("\n"));
  if (options.purgeMail && home !== undefined) {
    if (!options.yes && !confirms(home.path)) {
      return fail(EXIT.no, ["nothing was removed"]);
    }
  }
  const undone: Undone[] = [];
  await undoAll({
    manifest,
    service: serviceFor(manifest, { ...places, home }),
    purgesMail: options.purgeMail,
    tell: (one) => {
      undone.push(one);
      if (!options.json) console.log(undoneText(one));
    },
  });
  const unpacked = unpackedPlace();
  if (unpacked !== undefined && !options.json) {
    console.log(undoneText({
      what: unpacked,
      did: "kept",
      why: "what the one file unpacked to run at all: rm -r removes it",
    }));
  }
  if (options.json) {
    const { total: waiting, oldest } = told;
    print(true, { ok: true, waiting, oldest, undone }, () => "");
  }
  return EXIT.ok;
}

function serviceFor(
  manifest: Manifest,
  { configPath, home }: {
    configPath: string;
    home: (Made & { kind: "home" }) | undefined;
  },
) {
  const made = manifest.all.find((one) => one.kind === "service");
  const kind: ServiceKind = made?.kind === "service"
    ? made.how
    : serviceKindHere(isRoot());
  return serviceOf(kind, {
    command: ownProgram(isRoot()).command,
    configPath,
    home: home?.path ?? "/nonexistent",
    runtimePlace: Deno.env.get("BULKHEAD_RUNTIME") || null,
    runDir: home?.run ?? "/nonexistent",
    log: made?.kind === "service" ? made.log : "/nonexistent",
    upAgain: "bulkhead up DOMAIN",
  });
}

interface Waiting {
  /** Null if it cannot be known. */
  readonly total: number | null;
  /** A line for each of the first few. */
  readonly oldest: readonly string[];
}

/** Messages named at most. */
const MOST_NAMED = 10;

/** What is not delivered yet; null if the queue cannot be asked. */
async function waitingMail(
  configPath: string,
  programs: ReadonlyMap<string, string>,
): Promise<Waiting | null> {
  if (!isThere(configPath)) return null;
  const opening = openSite(configPath);
  if (!opening.ok) return null;
  const run = await inspectQueue(opening.opened, programs, "list");
  if (run.code !== 0) return null;
  const { messages, total } = listing.parse(JSON.parse(run.out));
  return {
    total,
    oldest: messages.slice(0, MOST_NAMED).map((one) =>
      visible(
        `  ${one.id}  from <${one.sender}> to ${
          one.recipients.slice(0, 3).map(({ address }) => `<${address}>`)
            .join(", ")
        }`,
        "?",
      )
    ),
  };
}

function waitingText({ total, oldest }: Waiting): string[] {
  if (total === null) {
    return ["Whether mail still waits in the queue cannot be seen."];
  }
  if (total === 0) return ["No mail waits in the queue."];
  return [
    total === 1
      ? "One message is not delivered yet, and stays in the queue:"
      : `${total} messages are not delivered yet, and stay in the queue:`,
    ...oldest,
    ...total > oldest.length && oldest.length > 0 ? ["  ..."] : [],
  ];
}

function confirms(home: string): boolean {
  console.error(
    `bulkhead: --purge-mail removes ${home} with all mail in it, and no ` +
      "program brings it back.",
  );
  return prompt(`Type ${home} to do it:`) === home;
}

/** Where the launcher of the one file put this program; see its README. */
function unpackedPlace(): string | undefined {
  const dir = dirname(Deno.execPath());
  return basename(dir).startsWith("runtime-") ? dirname(dir) : undefined;
}

function undoneText({ what, did, why }: Undone): string {
  return `${did.padEnd(9)} ${what}${why === undefined ? "" : ` (${why})`}`;
}
