/** How often something may be tried: in all, and by each client. Pure. */

/** Clients remembered; beyond it the oldest begins anew. */
const MAX_CLIENTS = 1_000;

/** A bucket's size, and how fast it fills. */
export interface Rate {
  readonly burst: number;
  readonly everyMs: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** A bucket for all, and one for each client. */
export class TokenBuckets {
  readonly #rates: { readonly all: Rate; readonly each: Rate };
  readonly #all: Bucket;
  readonly #each = new Map<string, Bucket>();

  constructor(rates: { readonly all: Rate; readonly each: Rate }) {
    this.#rates = rates;
    this.#all = { tokens: rates.all.burst, atMs: 0 };
  }

  /** Takes a token of both; false if one of them is empty. */
  take(client: string, nowMs: number): boolean {
    const own = this.#each.get(client) ??
      { tokens: this.#rates.each.burst, atMs: nowMs };
    this.#each.delete(client);
    this.#each.set(client, own);
    if (this.#each.size > MAX_CLIENTS) {
      this.#each.delete(this.#each.keys().next().value!);
    }
    // One who has none left takes nothing from the others.
    return fill(own, this.#rates.each, nowMs) &&
      fill(this.#all, this.#rates.all, nowMs) && spend(own) &&
      spend(this.#all);
  }
}

/** True if there is a token after what time has added. */
function fill(bucket: Bucket, rate: Rate, nowMs: number): boolean {
  const passedMs = Math.max(0, nowMs - bucket.atMs);
  bucket.tokens = Math.min(
    rate.burst,
    bucket.tokens + passedMs / rate.everyMs,
  );
  bucket.atMs = nowMs;
  return bucket.tokens >= 1;
}

function spend(bucket: Bucket): true {
  bucket.tokens--;
  return true;
}
