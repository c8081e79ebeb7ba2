/**
 * What the gate does for the console, and for whom; see the queue's desk. Each
 * word is in our own log, with the one who said it.
 */
import { LogBrake } from "../core/log_brake.ts";
import { log } from "../core/log.ts";
import { networkText, parseNetwork } from "../core/network.ts";
import { OneAtATime } from "../core/one_at_a_time.ts";
import { sessionName, TicketDesk } from "../core/ticket.ts";
import type { AskedOf, Verdict } from "../ipc/call.ts";
import type { consoleCalls } from "./console_ipc.ts";
import type { GatePart } from "./role.ts";
import type { Store } from "./store_io.ts";

type Calls = typeof consoleCalls;

/** Lists that are made or wait: a console that asks for more slows itself. */
const MAX_LISTS = 16;
/** Refusals in the log. */
const LOGGED_EACH_SECOND = 5;

/** See the file's head. */
export class ConsoleDesk {
  readonly #part: () => GatePart;
  readonly #store: Pick<Store, "say" | "shown">;
  readonly #tickets: TicketDesk;
  readonly #lists = new OneAtATime(MAX_LISTS);
  readonly #brake = new LogBrake(LOGGED_EACH_SECOND);

  constructor(options: {
    part: () => GatePart;
    store: Pick<Store, "say" | "shown">;
  }) {
    this.#part = options.part;
    this.#store = options.store;
    this.#tickets = new TicketDesk({ key: () => options.part().consoleKey });
  }

  /** True while somebody is signed in, as far as the gate has heard. */
  get isInUse(): boolean {
    return this.#tickets.isInUse;
  }

  /** See `console_ipc.ts`. */
  stay({ grant }: AskedOf<Calls["stay"]>): Verdict<Calls["stay"]> {
    return this.#tickets.look(grant, "grant").is === "good"
      ? { answer: {} }
      : { refusal: "no-grant" };
  }

  /** See `console_ipc.ts`. */
  async clients(
    { grant, client }: AskedOf<Calls["clients"]>,
  ): Promise<Verdict<Calls["clients"]>> {
    const mayRead = this.#part().consoleOpen ||
      this.#tickets.look(grant, "grant").is === "good";
    if (!mayRead) return { refusal: "no-grant" };
    const network = client === "" ? null : parseNetwork(client);
    if (network !== null && "fault" in network) {
      return { answer: { verdicts: [], said: [] } };
    }
    const answer = await this.#lists.run(() => this.#store.shown(network));
    return answer === undefined ? { refusal: "busy" } : { answer };
  }

  /** See `console_ipc.ts`. */
  say(
    { grant, network: text, word }: AskedOf<Calls["say"]>,
  ): Verdict<Calls["say"]> {
    const looked = this.#tickets.look(grant, "grant");
    if (looked.is !== "good") {
      this.#refused({ why: looked.is, action: word, alarm: true });
      return { refusal: "no-grant" };
    }
    const parsed = parseNetwork(text);
    if ("fault" in parsed) return { refusal: "no-network" };
    const network = networkText(parsed);
    const isDone = this.#store.say(network, word);
    log("console-order", {
      by: looked.facts.by,
      session: sessionName(looked.facts),
      action: word,
      network,
      failed: isDone ? undefined : true,
    });
    return isDone ? { answer: {} } : { refusal: "not-written" };
  }

  /** See `console_ipc.ts`. */
  signOut(
    { grant, everywhere }: AskedOf<Calls["signOut"]>,
  ): Verdict<Calls["signOut"]> {
    if (this.#tickets.spend(grant, "grant").is !== "good") {
      return { refusal: "no-grant" };
    }
    if (everywhere) this.#tickets.spendAll();
    return { answer: {} };
  }

  /** A console that was taken over could fill the log with it. */
  #refused(fields: Readonly<Record<string, string | true>>): void {
    if (this.#brake.mayWrite(Date.now())) log("console-refused", fields);
  }
}
