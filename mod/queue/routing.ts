/**
 * The beginning of a round: finds out where recipients go, replaces those that
 * are aliases, and says which parts are to be delivered.
 */
import type { NextHop } from "../core/shapes.ts";
import { ownOutcome } from "../core/outcome.ts";
import type { Target } from "../resolve/resolve_ipc.ts";
import type { Part } from "./deliver.ts";
import type { GroupCommit } from "./group_commit.ts";
import { type Result, wantsSuccess } from "./judge.ts";
import { type Message, newRecipient, type Recipient } from "./message.ts";
import type { Hop } from "./order_ipc.ts";
import { claim, unrouted } from "./plan.ts";
import { choose, type Resolution, type Router } from "./route.ts";
import { SLICE, type Store } from "./store_io.ts";
import type { Surroundings } from "./surroundings.ts";
import { wishesBehind } from "./wishes.ts";

/** What comes of routing. */
export interface Planned {
  readonly message: Message;
  readonly parts: readonly Part[];
  /** Of recipients that go nowhere. */
  readonly results: Result[];
}

/** Routes. */
export class Routing {
  readonly #router: Router;
  readonly #store: Store;
  readonly #commit: Pick<GroupCommit, "write">;
  readonly #around: Surroundings;
  readonly #onPlanned: (planned: Planned) => void;
  readonly #onLate: () => void;
  readonly #onGrown: (by: number) => void;

  constructor(options: {
    router: Router;
    store: Store;
    commit: Pick<GroupCommit, "write">;
    around: Surroundings;
    onPlanned: (planned: Planned) => void;
    /** Something was planned in another turn than that of {@link route}. */
    onLate: () => void;
    /** A message has so many recipients more. */
    onGrown: (by: number) => void;
  }) {
    this.#router = options.router;
    this.#store = options.store;
    this.#commit = options.commit;
    this.#around = options.around;
    this.#onPlanned = options.onPlanned;
    this.#onLate = options.onLate;
    this.#onGrown = options.onGrown;
  }

  /** Resolves recipients; goes on in the same turn if all were known. */
  route(message: Message, round: readonly Recipient[]): void {
    const found = round.map((one) =>
      rerouted(one, message.nextHop) ??
        this.#router.resolve(one.address, message.mayRelay || isByAlias(one))
    );
    const go = (resolutions: readonly Resolution[]) =>
      this.#plan(message, round.map((r, i) => [r, resolutions[i]!]));
    if (found.every((one) => !(one instanceof Promise))) {
      go(found as Resolution[]);
    } else {
      void Promise.all(found).then((all) => {
        go(all);
        this.#onLate();
      });
    }
  }

  /** Turns resolutions into jobs, replaced recipients and own outcomes. */
  #plan(message: Message, round: readonly [Recipient, Resolution][]): void {
    const parts: Part[] = [];
    const results: Result[] = [];
    const expanded: { from: Recipient; targets: readonly Target[] }[] = [];
    for (const [recipient, resolution] of round) {
      if (resolution.kind !== "targets") {
        results.push(unrouted(recipient, resolution));
        continue;
      }
      const choice = choose(recipient, resolution.targets);
      switch (choice.kind) {
        case "one":
          if (claim(message, choice.target)) {
            parts.push({ recipient, target: choice.target });
          } else results.push({ kind: "duplicate", recipient });
          break;
        case "several":
          expanded.push({ from: recipient, targets: choice.targets });
          break;
        case "loop":
          results.push(unrouted(recipient, { kind: "loop" }));
      }
    }
    if (expanded.length > 0) this.#expand(message, expanded);
    if (parts.length + results.length > 0) {
      this.#onPlanned({ message, parts, results });
    }
  }

  /**
   * Replaces recipients by what their aliases say, in one transaction, and
   * delivers only when it is committed: a crash leaves the one or the others.
   */
  #expand(
    message: Message,
    expanded: readonly { from: Recipient; targets: readonly Target[] }[],
  ): void {
    const parts: Part[] = [];
    const gone: { from: Recipient; names: string[] }[] = [];
    for (const { from, targets } of expanded) {
      if (parts.length >= SLICE) {
        // Many lists at once: this one is expanded in the next round.
        from.state = "incoming";
        message.open--;
        continue;
      }
      const names: string[] = [];
      for (const target of targets) {
        if (!claim(message, target)) continue;
        const recipient = newRecipient(
          message.nextOrdinal++,
          target.address,
          {
            original: from.original || from.address,
            depth: from.depth + 1,
            wishes: wishesBehind(from.wishes),
          },
        );
        recipient.state = "active";
        message.recipients.push(recipient);
        parts.push({ recipient, target });
        names.push(target.address);
      }
      gone.push({ from, names });
      if (wantsSuccess(message, from)) {
        from.state = "bounce";
        from.action = "expanded";
        from.last = ownOutcome("delivered", 250, "2.0.0", "Expanded");
        continue;
      }
      from.state = "gone";
      message.rows--;
    }
    this.#onGrown(parts.length);
    message.rows += parts.length;
    message.open += parts.length;
    const atMs = this.#around.nowMs();
    void this.#commit.write(() => {
      for (const { from, names } of gone) {
        this.#store.writeRecipient(message.n, from);
        this.#store.addEvent({
          atMs,
          queueId: message.id,
          recipient: from.address,
          what: "expanded",
          text: names.join(", ").slice(0, 1_000),
        });
      }
      for (const { recipient } of parts) {
        this.#store.insertRecipient(message.n, recipient);
      }
    }).then(() => {
      message.open -= gone.length;
      this.#onPlanned({ message, parts, results: [] });
      this.#onLate();
    });
  }
}

/** True for an address that the administrator's aliases gave. */
function isByAlias({ depth, original }: Recipient): boolean {
  return depth > 0 || original !== "";
}

/**
 * Where an administrator sends a recipient; undefined: where its routes lead.
 * That is root's word, so nobody asks whether its domain is relayed for.
 */
function rerouted(
  { address }: Recipient,
  hop: Hop,
): Resolution | undefined {
  if (hop === "") return undefined;
  const domain = address.slice(address.lastIndexOf("@") + 1).toLowerCase();
  // An address literal is a next hop by itself.
  if (hop === "mx" && domain.startsWith("[")) return undefined;
  const nextHop: NextHop = hop === "mx" ? { kind: "mx", domain } : hop;
  return { kind: "targets", targets: [{ kind: "remote", address, nextHop }] };
}
