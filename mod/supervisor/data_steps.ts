/**
 * A sparse file as overwriting should see it: its steps that hold data, one
 * after the other, and none of its holes. A hole has no blocks, so nothing is
 * in it to be erased, and filling it could fill the disk.
 *
 * A step that reads all zero is taken for a hole. Where it is not one, what is
 * left on the device is zeros.
 */
import { Buffer } from "node:buffer";
import {
  type FileFacts,
  type Files,
  type OverwriteFile,
  type ReadBackFile,
  STEP_OCTETS,
} from "../shred/files.ts";

/** The steps of one file that hold data. */
export class DataSteps {
  readonly #files: Files;
  readonly #fileBytes: number;
  /** Numbers of the real file's steps. */
  readonly #steps: readonly number[];

  private constructor(
    files: Files,
    fileBytes: number,
    steps: readonly number[],
  ) {
    this.#files = files;
    this.#fileBytes = fileBytes;
    this.#steps = steps;
  }

  /** Reads the file through. */
  static find(files: Files, path: string, fileBytes: number): DataSteps {
    const steps: number[] = [];
    reading(files, path, (back) => {
      for (let n = 0; n * STEP_OCTETS < fileBytes; n++) {
        if (!isZero(back.readAt(n * STEP_OCTETS))) steps.push(n);
      }
    });
    return new DataSteps(files, fileBytes, steps);
  }

  /** Octets of the data. */
  get bytes(): number {
    return this.#steps.reduce((sum, n) => sum + this.#lengthOf(n), 0);
  }

  /** Octets that are left alone. */
  get skippedBytes(): number {
    return this.#fileBytes - this.bytes;
  }

  /** False if somebody wrote into a hole meanwhile. */
  areHolesStillEmpty(path: string): boolean {
    const data = new Set(this.#steps);
    let areEmpty = true;
    reading(this.#files, path, (back) => {
      for (let n = 0; areEmpty && n * STEP_OCTETS < this.#fileBytes; n++) {
        if (!data.has(n)) areEmpty = isZero(back.readAt(n * STEP_OCTETS));
      }
    });
    return areEmpty;
  }

  /** The file system in which the file has no holes. */
  get files(): Files {
    const files = this.#files;
    return {
      look: (path) => this.#facts(files.look(path)),
      open: (path): OverwriteFile => {
        const file = files.open(path);
        if (file.facts().sizeBytes !== this.#fileBytes) {
          file.close();
          throw new Error("its size changed since it was read through");
        }
        return {
          facts: () => this.#facts(file.facts()),
          writeAt: (octets, at) => file.writeAt(octets, this.#place(at)),
          syncData: () => file.syncData(),
          close: () => file.close(),
        };
      },
      openBack: (path): ReadBackFile => {
        const back = files.openBack(path);
        return {
          facts: () => this.#facts(back.facts()),
          from: back.from,
          readAt: (at) => back.readAt(this.#place(at)),
          close: () => back.close(),
        };
      },
    };
  }

  /** Any other size than the file's stays another size. */
  #facts(facts: FileFacts): FileFacts {
    const grown = facts.sizeBytes - this.#fileBytes;
    return { ...facts, sizeBytes: this.bytes + grown };
  }

  // Only the file's last step is short, and it is the last of the data, too:
  // so each begins at a multiple of a step on both sides.
  #place(at: number): number {
    const step = this.#steps[Math.floor(at / STEP_OCTETS)];
    if (step === undefined) {
      throw new RangeError(`Cannot place octet ${at}: the data end before it`);
    }
    return step * STEP_OCTETS + at % STEP_OCTETS;
  }

  #lengthOf(step: number): number {
    return Math.min(STEP_OCTETS, this.#fileBytes - step * STEP_OCTETS);
  }
}

function reading(
  files: Files,
  path: string,
  read: (back: ReadBackFile) => void,
): void {
  const back = files.openBack(path);
  try {
    read(back);
  } finally {
    back.close();
  }
}

const ZEROS = new Uint8Array(STEP_OCTETS);

function isZero(octets: Uint8Array): boolean {
  const { buffer, byteOffset, length } = octets;
  return Buffer.from(buffer, byteOffset, length)
    .equals(ZEROS.subarray(0, length));
}
