/**
 * A start after an upgrade: the server is tried with a queue that accepts and
 * delivers nothing, and when every role is ready it may begin; or the upgrade
 * is undone. A start without one passes through here and nothing happens.
 */
import type { ServerPlan } from "../supervisor.ts";
import { type BroughtUp, onTrial, type Tell } from "./bring_up.ts";
import { commit, forget, undo, type UpgradeWorld } from "./upgrade.ts";
import { readJournal } from "./upgrade_journal.ts";
import { wordsOf } from "./words.ts";

/** The server must have been well for so long before the old state goes. */
const WELL_AFTER_MS = 60_000;

/** See the head. */
export class Trial {
  readonly #world: UpgradeWorld | undefined;
  readonly #tell: Tell;
  readonly #wellAfterMs: number;
  #isOn: boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #forgetting: Promise<void> | undefined;

  constructor(
    brought: Extract<BroughtUp, { kind: "ready" | "trial" | "well" }>,
    tell: Tell,
    wellAfterMs = WELL_AFTER_MS,
  ) {
    this.#world = brought.kind === "ready" ? undefined : brought.world;
    this.#isOn = brought.kind === "trial";
    this.#tell = tell;
    this.#wellAfterMs = wellAfterMs;
  }

  /** True until it has passed or failed. */
  get isOn(): boolean {
    return this.#isOn;
  }

  /** What the server is started with. */
  planFor(plan: ServerPlan): ServerPlan {
    return this.#isOn ? onTrial(plan) : plan;
  }

  /**
   * Every role is ready: there is no way back from here, and the queue may be
   * told to begin.
   *
   * @throws {Error} If that cannot be written down; then it is {@link fail}
   */
  async pass(): Promise<void> {
    const world = this.#world;
    if (world === undefined) return;
    if (this.#isOn) {
      // A stop that comes now must not undo what is being made final.
      this.#isOn = false;
      try {
        await commit(world);
      } catch (error) {
        this.#isOn = readJournal(world.paths.home)?.stage !== "well";
        if (this.#isOn) throw error;
        // Only the format file is not written: the next start mends that.
        this.#tell("warning", { warning: wordsOf(error) });
      }
      this.#tell("upgrade-well", { home: world.paths.home });
    }
    this.#timer = setTimeout(
      () => this.#forgetting = this.#forget(world),
      this.#wellAfterMs,
    );
  }

  /** The server is not to be: everything is put back, and that is told. */
  async fail(): Promise<readonly string[]> {
    const world = this.#world;
    if (!this.#isOn || world === undefined) return [];
    this.#isOn = false;
    try {
      const isUndone = await undo(world);
      this.#tell("upgrade-undone", { home: world.paths.home, isUndone });
      return isUndone
        ? [
          `the upgrade of ${world.paths.home} was undone: the program that ` +
          "ran before can be started again",
        ]
        : [
          `the upgrade of ${world.paths.home} stays: mail was taken in it`,
        ];
    } catch (error) {
      return [
        `the upgrade of ${world.paths.home} could not be undone yet ` +
        `(${wordsOf(error)}): the next start goes on with that`,
      ];
    }
  }

  /** The server ends. */
  async end(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#forgetting;
  }

  async #forget(world: UpgradeWorld): Promise<void> {
    try {
      await forget(world);
      this.#tell("upgrade-forgotten", { home: world.paths.home });
    } catch (error) {
      this.#tell("upgrade-not-forgotten", {
        home: world.paths.home,
        why: wordsOf(error),
      });
    }
  }
}
