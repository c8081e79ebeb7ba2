/**
 * `bulkhead shred FILE...`: erases files as the server erases its segments.
 * Needs no installation and no root, only files that one may write.
 */
import { visible } from "../../core/visible.ts";
import { openLibc, ownLibcPath } from "../../walls/libc.ts";
import type { OverwriteProgress } from "../../shred/overwrite.ts";
import { type FileResult, shredFile } from "../shred_file.ts";
import { EXIT, fail } from "./exit.ts";
import { StopSignals } from "./stop_signals.ts";

/** Options of `bulkhead shred`. */
export interface ShredOptions {
  readonly passes: number;
  readonly keep?: boolean;
  readonly links?: boolean;
  readonly progress?: boolean;
  readonly json?: boolean;
}

/** Erases files; the exit code says whether all of them are erased. */
export async function shred(
  paths: readonly string[],
  options: ShredOptions,
): Promise<number> {
  if (paths.length === 0) {
    return fail(EXIT.usage, ["no file is named (see --help)"]);
  }
  const libc = openLibc(ownLibcPath());
  // Ended at the next step, so that what became of the file can be said.
  using signals = new StopSignals();
  const codes = new Set<number>();
  for (const path of paths) {
    if (signals.isStopped) {
      codes.add(EXIT.no);
      console.error(`bulkhead: ${plain(path)}: stopped before it was begun`);
      continue;
    }
    const meter = new Meter(path, options.progress === true);
    const result = await shredFile(path, {
      libc,
      passes: options.passes,
      keep: options.keep === true,
      links: options.links === true,
      onProgress: (progress) => meter.show(progress),
      isStopped: () => signals.isStopped,
    });
    meter.end();
    report(result, options.json === true);
    codes.add(codeOf(result));
  }
  codes.delete(EXIT.ok);
  // One meaning if all agree; else only that not all are erased.
  return codes.size === 0 ? EXIT.ok : codes.size === 1 ? [...codes][0]! : EXIT
    .no;
}

function codeOf(result: FileResult): number {
  if (result.ok) return EXIT.ok;
  switch (result.fault) {
    case "missing":
      return EXIT.notFound;
    case "denied":
      return EXIT.permission;
    case "unfit":
      return EXIT.usage;
    case "copied":
    case "failed":
    case "differs":
    case "changed":
    case "stopped":
    case "not-removed":
      return EXIT.no;
  }
}

function report(result: FileResult, json: boolean): void {
  if (json) {
    console.log(JSON.stringify(result));
  } else if (result.ok) {
    console.log(plainLines(doneText(result)));
  } else {
    console.error(plainLines(keptText(result)));
  }
}

function doneText(result: FileResult & { ok: true }): string[] {
  const parts = [
    `${result.bytes} octets overwritten`,
    ...result.passes > 1 ? [`${result.passes} passes, each synced`] : [],
    ...result.bytes === 0
      ? []
      : result.readBack === "disk"
      ? ["read back from the disk"]
      : ["read back, perhaps from memory only"],
    result.isRemoved ? "removed" : "kept",
  ];
  return [
    `${result.path}: ${parts.join(", ")}`,
    `    ${result.fileSystem.sentence}`,
    ...result.skippedBytes === 0 ? [] : [
      `    ${result.skippedBytes} octets of holes were left alone: nothing ` +
      "is in them.",
    ],
    ...result.otherNames === 0 ? [] : [
      `    It had ${result.otherNames + 1} names (hard links): the others ` +
      "lost the content, too.",
    ],
    ...result.wasOpenElsewhere !== true ? [] : [
      "    Another process has it open and may have a copy, or write to it.",
    ],
  ];
}

function keptText(result: FileResult & { ok: false }): string[] {
  return [
    `bulkhead: ${result.path}: NOT erased, ${result.content}: ${result.why}`,
    ...result.fileSystem === null ? [] : [`    ${result.fileSystem.sentence}`],
  ];
}

// Names are anybody's, and go to a terminal.
function plain(text: string): string {
  return visible(text, "?");
}

function plainLines(lines: readonly string[]): string {
  return lines.map(plain).join("\n");
}

/** Progress on standard error, for work that takes more than a second. */
class Meter {
  readonly #path: string;
  readonly #isTerminal = Deno.stderr.isTerminal();
  readonly #isOn: boolean;
  #shownAt = performance.now();
  #isOpen = false;

  constructor(path: string, isAsked: boolean) {
    this.#path = plain(path);
    this.#isOn = isAsked || this.#isTerminal;
    // Who asks for it wants to see it at once.
    if (isAsked) this.#shownAt = -Infinity;
  }

  show({ doing, pass, passes, at, bytes }: OverwriteProgress): void {
    const now = performance.now();
    if (!this.#isOn || now - this.#shownAt < 1_000) return;
    this.#shownAt = now;
    const percent = bytes === 0 ? 100 : Math.floor(100 * at / bytes);
    const text = `${this.#path}: ${doing}` +
      (passes > 1 ? `, pass ${pass} of ${passes}` : "") + `, ${percent} %`;
    write(this.#isTerminal ? `\r\x1b[K${text}` : `${text}\n`);
    this.#isOpen = this.#isTerminal;
  }

  end(): void {
    if (this.#isOpen) write("\r\x1b[K");
  }
}

function write(text: string): void {
  const octets = new TextEncoder().encode(text);
  for (let at = 0; at < octets.length;) {
    at += Deno.stderr.writeSync(octets.subarray(at));
  }
}
