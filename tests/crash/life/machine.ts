/**
 * A real queue, spool and shred and smtpd's own take-over in one process, joined
 * by channels that can be cut between any two steps. Any role can be killed:
 * its successor starts on a copy of its files as they were at that instant,
 * and what the dead one's objects still do happens to files that nobody looks
 * at any more.
 */
import assert from "node:assert/strict";
import fs from "node:fs";
import { readContent } from "../../../mod/content/reader.ts";
import { type ContentRef, NO_WISHES } from "../../../mod/core/shapes.ts";
import { partFor } from "../../../mod/queue/laboratory.ts";
import { type Edges, Queue } from "../../../mod/queue/queue.ts";
import { queueContract } from "../../../mod/queue/queue_ipc.ts";
import { maildirContract } from "../../../mod/maildir/maildir_ipc.ts";
import { resolveContract } from "../../../mod/resolve/resolve_ipc.ts";
import type { Backend, StoreReply } from "../../../mod/smtpd/backend.ts";
import { takeOver } from "../../../mod/smtpd/take_over.ts";
import { shredAnswers } from "../../../mod/shred/answers.ts";
import { Eraser } from "../../../mod/shred/eraser.ts";
import { shredContract } from "../../../mod/shred/shred_ipc.ts";
import { spoolAnswers } from "../../../mod/spool/answers.ts";
import { MemoryDisk } from "../../../mod/spool/memory_disk.ts";
import { shredPeer } from "../../../mod/spool/shred_peer.ts";
import { Spool } from "../../../mod/spool/spool.ts";
import { spoolContract } from "../../../mod/spool/spool_ipc.ts";
import { type Answerer, Channel } from "./channel.ts";
import {
  durableKeys,
  durableLog,
  inheritKeys,
  settleLog,
  watchFiles,
} from "./synced_files.ts";
import { LifeDisk } from "./life_disk.ts";
import { SpentFiles } from "./spent_files.ts";
import { watchStore } from "./store_spy.ts";
import { type Mail, SENDER, type World } from "./world.ts";

export const SEGMENT_BYTES = 65_536;

const made: string[] = [];
globalThis.addEventListener("unload", () => {
  for (const dir of made) fs.rmSync(dir, { recursive: true, force: true });
});

/** A directory that goes when the tests are over; in memory if there is room. */
export function tempDir(): string {
  const base = fs.existsSync("/dev/shm") ? "/dev/shm" : "/tmp";
  const dir = fs.mkdtempSync(`${base}/bulkhead-life-`);
  made.push(dir);
  return dir;
}

/** What of the files a death leaves. */
export interface Files {
  readonly queueDir: string;
  readonly disk: MemoryDisk;
}

/** What of the unsynced octets is there after a power cut. */
export interface Survival {
  readonly keys: boolean;
  readonly log: boolean;
  readonly disk: "whole" | "torn" | "not";
}

/** What a supervisor needs to start a role again. */
export const RESTART_MS = 5;

const ALL = { keys: true, log: true };

interface SpoolLife {
  readonly engine: Spool;
  readonly disk: LifeDisk;
  readonly toShred: Channel;
  isAlive: boolean;
}

interface ShredLife {
  readonly eraser: Eraser;
  readonly answer: Answerer;
  isAlive: boolean;
}

interface QueueLife {
  readonly queue: Queue;
  readonly dir: string;
  readonly toSpool: Channel;
  readonly toOthers: readonly Channel[];
  isAlive: boolean;
}

/** One machine between two power cuts; see the file's head. */
export class Machine implements AsyncDisposable {
  readonly #world: World;
  readonly #toQueue: Channel;
  readonly #toSpool: Channel;
  readonly #ends: (() => Promise<void>)[] = [];
  /** What is on the spool's disk, whoever writes there. */
  #memory!: MemoryDisk;
  #spool!: SpoolLife;
  #shred!: ShredLife;
  #queue!: QueueLife;
  #isOn = true;
  readonly #smtpd = { isAlive: true };
  /** Messages between their first octet and the reply. */
  #sending = 0;
  /** Puts the log of a copy back into the middle of the last COMMIT. */
  #tear: (dir: string) => void = () => {};

  /** @param files What an earlier machine left; none: everything is new */
  constructor(world: World, files?: Files) {
    this.#world = world;
    const at = (step: string) => this.#isOn && world.at(step);
    this.#toQueue = new Channel(queueContract.calls, at);
    this.#toSpool = new Channel(spoolContract.calls, at);
    this.startShred();
    this.startSpool(files?.disk ?? new MemoryDisk());
    this.startQueue(files?.queueDir ?? tempDir());
  }

  /** The queue's files are here. */
  get queueDir(): string {
    return this.#queue.dir;
  }

  /** The spool's disk is this. */
  get disk(): LifeDisk {
    return this.#spool.disk;
  }

  /** The spool's account. */
  get spoolFacts(): Spool["facts"] {
    return this.#spool.engine.facts;
  }

  /** Starts a spool on what is on `memory`. */
  startSpool(memory: MemoryDisk): void {
    const life = { isAlive: true };
    const world = this.#world;
    const at = (step: string) => life.isAlive && this.#isOn && world.at(step);
    this.#memory = memory;
    const disk = new LifeDisk(memory, tempDir(), at);
    const toShred = new Channel(shredContract.calls, at);
    if (this.#shred.isAlive) toShred.plug(this.#shred.answer);
    const engine = new Spool(disk, {
      segmentBytes: SEGMENT_BYTES,
      readySegments: 1,
      maxBytes: 40 * SEGMENT_BYTES,
      minFreeBytes: 0,
      probeEveryMs: 20,
      idleMs: world.idleMs,
      shred: shredPeer(toShred as unknown as Parameters<typeof shredPeer>[0]),
      nowMs: () => performance.now() + world.skewMs,
      wallMs: () => memory.nowMs,
    });
    engine.open();
    this.#spool = Object.assign(life, { engine, disk, toShred });
    this.#ends.push(() => engine.close());
    this.#toSpool.plug(this.#spoolAnswers("smtpd.0"));
    this.#queue?.toSpool.plug(this.#spoolAnswers("queue.0"));
    this.#queue?.queue.spoolPlugged();
  }

  /** Starts a shred; what is to be overwritten, the spool says. */
  startShred(): void {
    const life = { isAlive: true };
    const world = this.#world;
    const at = (step: string) => life.isAlive && this.#isOn && world.at(step);
    const files = new SpentFiles({
      disk: () => life.isAlive ? this.#memory : undefined,
      at,
    });
    const eraser = new Eraser({ journalBytes: 0, count() {}, files });
    const answers = shredAnswers(eraser, SpentFiles.DIR);
    const answer = async (_: string, ask: unknown) => {
      await world.shredGate();
      return await answers.overwrite(ask as never, "spool.0");
    };
    this.#shred = Object.assign(life, { eraser, answer });
    this.#spool?.toShred.plug(answer);
  }

  /** Starts a queue on what is in `dir`. */
  startQueue(dir: string): void {
    const life = { isAlive: true };
    const world = this.#world;
    const at = (step: string) => {
      if (life.isAlive && this.#isOn) world.at(step);
    };
    watchFiles(dir, { at, failsSync: (file) => world.failsSync(file) });
    const toSpool = new Channel(spoolContract.calls, at);
    const toMaildir = new Channel(maildirContract.calls, at);
    const toResolve = new Channel(resolveContract.calls, at);
    toSpool.plug(this.#spoolAnswers("queue.0"));
    toMaildir.plug((_, ask) => this.#deliver(ask as DeliverAsk));
    toResolve.plug(async (_, ask) => {
      // So that a step after the 250 is always a step after the 250.
      while (this.#sending > 0) await world.next("replied");
      const { address } = ask as { address: string };
      return { answer: { targets: world.targets(address) } };
    });
    const edges = {
      spool: toSpool,
      maildir: toMaildir,
      resolve: toResolve,
      smtpc: toResolve,
    } as unknown as Edges;
    const part = partFor(dir, {
      maxMessages: 1_000,
      maxEventsBytes: 1_048_576,
      // Nothing is forgotten while a test looks.
      forgetWithinMs: 3_600_000,
    });
    const partNow = () => ({
      ...part,
      firstRetryMs: world.retryMs,
      maxRetryMs: world.retryMs * 10,
    });
    const watcher = {
      dir,
      committed: (steps: readonly string[], tear: (dir: string) => void) => {
        if (!life.isAlive) return;
        this.#tear = tear;
        for (const step of steps) at(`committing ${step}`);
        this.#tear = () => {};
        for (const step of steps) at(`committed ${step}`);
      },
      emptied: () => settleLog(dir),
    };
    const queue = watchStore(watcher, () => {
      const queue = new Queue({
        part: partNow,
        edges,
        count: () => {},
        random: () => 0,
        clock: world.clock(),
        end: () => {
          at("queue ended");
          if (!life.isAlive || !this.#isOn) return;
          const dir = this.killQueue();
          setTimeout(() => this.#isOn && this.startQueue(dir), RESTART_MS);
        },
      });
      queue.start();
      return queue;
    });
    const toOthers = [toMaildir, toResolve];
    this.#queue = Object.assign(life, { queue, dir, toSpool, toOthers });
    this.#ends.push(() => queue.stop());
    this.#toQueue.plug((name, ask) => this.#queueAnswers(queue, name, ask));
    queue.spoolPlugged();
  }

  /** Tells the spool anew what is in use, as the queue does now and then. */
  tellAgain(): void {
    this.#queue.queue.spoolPlugged();
  }

  /** Moves what keeps segments from being spent, as the queue does each minute. */
  moveStragglers(): Promise<void> {
    return this.#queue.queue.moveStragglers();
  }

  /** smtpd takes a message in, to the last reply. */
  async send(mail: Mail): Promise<void> {
    const smtpd = this.#smtpd;
    this.#sending++;
    const [toSpool, toQueue] = [this.#toSpool, this.#toQueue];
    const stored = await this.#store(mail);
    const backend: Pick<Backend, "accept" | "drop"> = {
      accept: (ask) => toQueue.ask("accept", ask) as Promise<never>,
      drop: (ref) => toSpool.ask("drop", { ref }),
    };
    const end = await takeOver(backend as Backend, {
      queueId: mail.id,
      reversePath: SENDER,
      recipients: [...mail.to],
      bodyType: "7bit",
      wishes: NO_WISHES,
      recipientWishes: [],
      hold: false,
      discard: false,
      client: {
        address: "192.0.2.1",
        helo: "client.test",
        protocol: "ESMTP",
        login: "",
      },
    }, stored);
    if (!smtpd.isAlive) return;
    this.#sending--;
    mail.told = end.is === "taken" ? "250" : "4xx";
    this.#world.at("replied");
  }

  /** The queue's files as the death of its process leaves them: a copy. */
  copyQueue(survival: Pick<Survival, "keys" | "log"> = ALL): string {
    const from = this.#queue.dir;
    const to = tempDir();
    for (const name of ["queue.db", "queue.db-wal", "keys"]) {
      if (!fs.existsSync(`${from}/${name}`)) continue;
      fs.copyFileSync(`${from}/${name}`, `${to}/${name}`);
    }
    if (survival.log) this.#tear(to);
    else fs.writeFileSync(`${to}/queue.db-wal`, durableLog(from));
    if (survival.keys) inheritKeys(from, to);
    else fs.writeFileSync(`${to}/keys`, durableKeys(from));
    return to;
  }

  /** What is on the disk if the power fails now. */
  filesAfterCut(survival: Survival): Files {
    return {
      queueDir: this.copyQueue(survival),
      disk: this.disk.memory.crash(() => survival.disk),
    };
  }

  /** What is on the disk if every process is killed now. */
  filesAfterKill(): Files {
    return { queueDir: this.copyQueue(), disk: this.disk.memory.kill() };
  }

  /** Kills the queue; returns where its successor shall start. */
  killQueue(): string {
    const dir = this.copyQueue();
    this.#queue.isAlive = false;
    this.#queue.toSpool.cut();
    for (const channel of this.#queue.toOthers) channel.cut();
    this.#toQueue.lose();
    this.#spool.engine.askerGone("queue.0");
    return dir;
  }

  /** Kills the spool; returns what its successor shall find. */
  killSpool(): MemoryDisk {
    const seen = this.#memory = this.disk.memory.kill();
    this.#spool.isAlive = false;
    this.#spool.toShred.cut();
    this.#toSpool.lose();
    this.#queue.toSpool.lose();
    return seen;
  }

  /** Kills shred: what it wrote stays written. */
  killShred(): void {
    this.#shred.isAlive = false;
    this.#shred.eraser.stop();
    this.#spool.toShred.lose();
  }

  /** Kills smtpd. */
  killSmtpd(): void {
    this.#smtpd.isAlive = false;
    this.#sending = 0;
    this.#world.at("replied");
    this.#toQueue.cut();
    this.#toSpool.cut();
    this.#spool.engine.askerGone("smtpd.0");
  }

  /** Everything ends. */
  switchOff(): void {
    this.#isOn = false;
    this.#smtpd.isAlive = false;
    this.#queue.isAlive = false;
    this.#spool.isAlive = false;
    this.#shred.isAlive = false;
    this.#shred.eraser.stop();
    for (
      const channel of [
        this.#toQueue,
        this.#toSpool,
        this.#queue.toSpool,
        this.#spool.toShred,
        ...this.#queue.toOthers,
      ]
    ) {
      channel.cut();
      channel.lose();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.switchOff();
    this.disk.memory.syncGate = () => Promise.resolve();
    for (const end of this.#ends.splice(0)) await end();
  }

  /** Streams a message into the spool, as `backend.store` does. */
  async #store(mail: Mail): Promise<StoreReply> {
    const spool = this.#spool;
    const stream = spool.engine.store("smtpd.0");
    const half = Math.ceil(mail.octets.length / 2);
    stream.push(mail.octets.slice(0, half));
    this.#world.at("streaming");
    stream.push(mail.octets.slice(half));
    void stream.end();
    const verdict = await stream.verdict;
    const isAnswered = spool.isAlive;
    if (verdict.kind === "stored" && this.#isOn && isAnswered) {
      mail.stored = verdict;
      mail.sealed = sealedIn(spool.disk, verdict.ref);
      this.#world.at("stored");
    }
    if (!isAnswered) return { kind: "failed", why: "the spool is gone" };
    return verdict.kind === "stored"
      ? { kind: "answered", answer: { ref: verdict.ref, key: verdict.key } }
      : verdict;
  }

  #spoolAnswers(asker: string): Answerer {
    const { engine, disk } = this.#spool;
    const answers = spoolAnswers({ spool: engine, dir: disk.dir, count() {} });
    // deno-lint-ignore no-explicit-any
    return async (name, ask) => await (answers as any)[name](ask, asker);
  }

  async #queueAnswers(queue: Queue, name: string, ask: unknown) {
    if (name !== "accept") throw new RangeError(`Cannot answer ${name}`);
    return await queue.accept(ask as never, "smtpd.0");
  }

  /**
   * The Maildir role: reads the content through before anybody has it, and
   * asked again finds what it delivered.
   */
  async #deliver(ask: DeliverAsk): Promise<unknown> {
    await this.#world.deliveryGate(ask.reversePath === "");
    if (!this.#isOn) return await new Promise(() => {});
    const octets: Uint8Array[] = [];
    try {
      octets.push(...readContent(this.disk.dir, ask.ref, ask.key));
    } catch (error) {
      if (error instanceof Error && error.name === "DamagedError") {
        return { refusal: "damaged" };
      }
      throw error;
    }
    const mail = this.#world.mails.find(({ id }) => id === ask.queueId);
    if (mail !== undefined) {
      const whole = Uint8Array.from(octets.flatMap((part) => [...part]));
      assert.deepEqual(whole, mail.octets, "another message's content");
    }
    const outcomes = ask.recipients.map(({ address }) => {
      const outcome = this.#world.outcome(address);
      if (outcome.kind === "delivered") {
        const copy = ask.reversePath === ""
          ? `notice ${address}`
          : `${ask.queueId} ${address}`;
        const isThere = this.#world.delivered.includes(copy);
        if (!ask.isRepeat || !isThere) this.#world.delivered.push(copy);
        this.#world.at("delivered");
      }
      return outcome;
    });
    return { answer: { outcomes } };
  }
}

/** Some octets from the midst of a record. */
function sealedIn(disk: LifeDisk, { segment, offset, length }: ContentRef) {
  const octets = new Uint8Array(64);
  const file = disk.memory.openExisting(`${segment}.seg`);
  file.readAt(octets, offset + Math.floor(length / 2));
  file.close();
  return octets;
}

interface DeliverAsk {
  readonly queueId: string;
  readonly ref: ContentRef;
  readonly key: string;
  readonly reversePath: string;
  readonly isRepeat: boolean;
  readonly recipients: readonly { readonly address: string }[];
}
