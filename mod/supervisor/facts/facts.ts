/**
 * What the supervisor knows of the server beyond its children: collected here
 * each second, cheaply, for `status`, the console and the metrics.
 *
 * What is costly is looked at rarely: what erasure is worth at the start and
 * at each reload, disks and files every {@link LOOK_EVERY_MS}. Nothing that a
 * role wrote is read.
 */
import { statfsSync } from "node:fs";
import { type Facts, facts, isWell } from "../../../web/news.ts";
import type { Installation } from "../../walls/render.ts";
import { describeAbi, landlockAbi } from "../../walls/landlock.ts";
import type { Libc } from "../../walls/libc.ts";
import { type ErasedPlace, erasedPlaces } from "../erased_places.ts";
import { certificateFiles } from "../certificate.ts";
import { guaranteeFor } from "../erasure.ts";
import { isRoot } from "../installation.ts";
import { certificateIn } from "../plan.ts";
import type { Opened } from "../site_io.ts";
import type { Observed, ObservedRole, Observer } from "../supervisor.ts";
import { careFile, readCare } from "./care_log_io.ts";
import { certificateFacts } from "./certificates.ts";
import { Changes } from "./changes.ts";
import { drillFile, readDrill } from "./drill_record_io.ts";
import { Flow, totalsOf } from "./flow.ts";
import { manifestFacts } from "./manifests.ts";
import { MemoryWatch } from "./memory_io.ts";
import { markOf } from "./own_file_io.ts";
import { warningsFor } from "./warnings.ts";

const LOOK_EVERY_MS = 10_000;
/** Free space is told in steps: each octet would make new facts. */
const DISK_STEP = 16 * 1_048_576;

/** Collects; see the file's header. */
export class FactsKeeper implements Observer {
  readonly #libc: Libc;
  readonly #installation: Installation;
  readonly #landlock: string;
  readonly #memory = new MemoryWatch();
  readonly #changes = new Changes();
  readonly #flow = new Flow();
  #opened: Opened;
  #slow: SlowFacts;
  #marks = "";
  #drill: Facts["drill"] = null;
  #care: Facts["care"] = [];
  #disks: Facts["disks"] = [];
  #lookedMs = -Infinity;
  #facts: Facts | undefined;
  #text = "";

  constructor(options: {
    readonly opened: Opened;
    readonly installation: Installation;
    readonly libc: Libc;
    /** As the start found it. */
    readonly erased: readonly ErasedPlace[];
  }) {
    this.#libc = options.libc;
    this.#installation = options.installation;
    this.#opened = options.opened;
    this.#landlock = describeAbi(landlockAbi(options.libc));
    this.#slow = this.#slowFacts(options.erased);
  }

  /** A reload: everything is looked at again. */
  renew(opened: Opened): void {
    this.#opened = opened;
    this.#slow = this.#slowFacts(placesAt(this.#libc, opened.paths));
    this.#lookedMs = -Infinity;
    this.#text = "";
  }

  /** See {@link Observer}. */
  look(roles: readonly ObservedRole[], isReady: boolean): Observed {
    const steadyMs = performance.now();
    const clocks = { wallMs: Date.now(), steadyMs };
    this.#changes.look(roles, clocks);
    this.#flow.add(totalsOf(roles), clocks.wallMs);
    const pids = roles.flatMap(({ pid }) => pid === null ? [] : [pid]);
    const memoryOf = this.#memory.look([Deno.pid, ...pids], steadyMs);
    if (steadyMs - this.#lookedMs >= LOOK_EVERY_MS) {
      this.#lookedMs = steadyMs;
      this.#lookAtFiles();
    }
    const down = isReady
      ? roles.filter((one) => !isWell(one)).map((one) => one.instance)
      : [];
    const warnings = this.#warnings(down, clocks.wallMs);
    return {
      memoryOf,
      warnings,
      facts: this.#factsWith(warnings),
      flow: () => this.#flow.samples(),
    };
  }

  #slowFacts(places: readonly ErasedPlace[]): SlowFacts {
    const { plan, paths } = this.#opened;
    return {
      manifests: manifestFacts(plan, this.#installation, this.#landlock),
      certificates: certificateFacts(certificatesOf(this.#opened)),
      erasure: [
        ...places.length === 0
          ? []
          : [{ path: paths.home, says: guaranteeFor(places) }],
        ...places.map(({ what, dir, sentence }) => ({
          path: dir,
          says: `${what}: ${sentence}`,
        })),
      ].slice(0, 16).map(({ path, says }) => ({
        path: path.slice(0, 4_096),
        says: says.slice(0, 1_000),
      })),
    };
  }

  #lookAtFiles(): void {
    const { home, spoolDir, queueDir, mailDir } = this.#opened.paths;
    this.#disks = [spoolDir, queueDir, mailDir].flatMap(diskOf);
    const marks = markOf(drillFile(home)) + markOf(careFile(home));
    if (marks === this.#marks) return;
    this.#marks = marks;
    this.#drill = readDrill(home);
    this.#care = readCare(home);
  }

  #warnings(down: readonly string[], nowMs: number): string[] {
    return warningsFor({
      nowMs,
      odd: this.#opened.warnings,
      isRoot: isRoot(),
      certificates: this.#slow.certificates,
      disks: this.#disks,
      drill: this.#drill,
      down,
      restarts: this.#changes.restarts,
      errors: this.#changes.errors,
      logged: this.#changes.logged,
      jumps: this.#changes.jumps,
    });
  }

  /** The same object until something changed. */
  #factsWith(warnings: string[]): Facts | undefined {
    const seen = {
      drill: this.#drill,
      care: this.#care,
      disks: this.#disks,
      warnings,
    };
    const text = JSON.stringify(seen);
    if (text !== this.#text) {
      this.#text = text;
      // Checked here, too: what the console would refuse costs it its life. It
      // keeps the facts before, then: a number out of bounds, somewhere, is
      // worth nobody's end.
      this.#facts = facts.safeParse({ ...this.#slow, ...seen }).data ??
        this.#facts;
    }
    return this.#facts;
  }
}

/** None if the file system does not say: a reload goes on without. */
function placesAt(libc: Libc, paths: Opened["paths"]) {
  try {
    return erasedPlaces(libc, paths);
  } catch (error) {
    if (error instanceof TypeError) throw error;
    return [];
  }
}

type SlowFacts = Pick<Facts, "manifests" | "certificates" | "erasure">;

function certificatesOf({ config, paths, plan }: Opened) {
  const pem = certificateIn(plan);
  if (pem === null) return [];
  const { certificate: file } = certificateFiles(config, paths);
  const uses = config.console.tls ? ["smtp", "console"] : ["smtp"];
  return uses.map((use) => ({ use, file, pem }));
}

function diskOf(path: string): Facts["disks"] {
  try {
    const { bavail, blocks, bsize } = statfsSync(path);
    const free = Number(bavail) * Number(bsize);
    return [{
      path,
      freeBytes: Math.floor(free / DISK_STEP) * DISK_STEP,
      allBytes: Number(blocks) * Number(bsize),
    }];
  } catch {
    // A file system that does not say: free-space-unknown is in the log.
    return [];
  }
}
