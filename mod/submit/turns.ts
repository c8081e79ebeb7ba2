/**
 * Whose message is next: the oldest of the next owner's, round and round, so
 * that a million files of one user delay another user's by one. Bounded: what
 * does not fit is found again when the directory is listed anew.
 */

/** A name in the drop directory, and whose it is. */
export interface Turn {
  readonly uid: number;
  readonly name: string;
}

/** Bounds of {@link Turns}. */
export interface TurnLimits {
  /** Names that wait for one owner. */
  readonly perOwner: number;
  /** Names that wait in all, but for {@link ALWAYS} of each owner. */
  readonly inAll: number;
}

/** Room that ten greedy owners cannot take from an eleventh. */
const ALWAYS = 10;

/** See the file's head. */
export class Turns {
  readonly #limits: TurnLimits;
  /** In the order of their turns: who had one goes to the end. */
  readonly #owners = new Map<number, string[]>();
  readonly #names = new Set<string>();
  /** Some did not fit: the directory must be listed again. */
  isCut = false;

  constructor(limits: TurnLimits) {
    this.#limits = limits;
  }

  /** Names that wait. */
  get size(): number {
    return this.#names.size;
  }

  /** Adds a name, unless it waits already. */
  add({ uid, name }: Turn): void {
    if (this.#names.has(name)) return;
    const names = this.#owners.get(uid);
    const count = names?.length ?? 0;
    const isFull = this.#names.size >= this.#limits.inAll && count >= ALWAYS;
    if (isFull || count >= this.#limits.perOwner) {
      this.isCut = true;
      return;
    }
    this.#names.add(name);
    if (names === undefined) this.#owners.set(uid, [name]);
    else names.push(name);
  }

  /** Takes the next one out; undefined if none waits. */
  next(): Turn | undefined {
    for (const [uid, names] of this.#owners) {
      const name = names.shift()!;
      this.#owners.delete(uid);
      if (names.length > 0) this.#owners.set(uid, names);
      this.#names.delete(name);
      return { uid, name };
    }
    return undefined;
  }
}
