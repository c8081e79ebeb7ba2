/** What each script of the table does; see `mod/recovery/edges.ts`. */
import { ownOutcome } from "../../../mod/core/outcome.ts";
import type { Script } from "../../../mod/recovery/edges.ts";
import type { Machine } from "./machine.ts";
import { type Mail, SENDER, type World } from "./world.ts";

const BOX = "box@home.test";
const OTHER = "other@home.test";
/** Of the queue's clock: two seconds of ours. */
const RETRY_MS = 60_000;
/** Longer than a segment must be closed before its records are stragglers. */
const LONG_CLOSED_MS = 400_000;
const SMALL = 2_000;
/** Two of these do not fit into one segment. */
const HALF = 40_000;
/** More than goes into a segment. */
const LARGE = 100_000;

const OK = ownOutcome("delivered", 250, "2.0.0", "ok");
const LATER = ownOutcome("temporary", 451, "4.3.0", "not now");
const NEVER = ownOutcome("permanent", 550, "5.7.1", "never");

/** A world and the machine in it. */
export interface Stage {
  readonly machine: Machine;
  readonly world: World;
}

function plain({ machine, world }: Stage): Promise<void> {
  return machine.send(world.newMail([BOX], SMALL));
}

/** The mailbox takes nothing before the test opens it. */
function slow(world: World): void {
  const { promise, resolve } = Promise.withResolvers<void>();
  world.deliveryGate = () => promise;
  world.open = resolve;
}

/** The scripts. Each resolves when smtpd has replied to all that it sent. */
export const SCRIPTS: Readonly<
  Record<Script, (stage: Stage) => Promise<void>>
> = {
  plain,
  preparing: plain,

  big: ({ machine, world }) => machine.send(world.newMail([BOX], LARGE)),

  held(stage) {
    slow(stage.world);
    return plain(stage);
  },

  late(stage) {
    let tries = 0;
    stage.world.outcome = () => ++tries === 1 ? LATER : OK;
    return plain(stage);
  },

  alias({ machine, world }) {
    world.aliases.set("team@home.test", ["one@home.test", "two@home.test"]);
    const mail = world.newMail(["team@home.test"], SMALL);
    return machine.send(mail);
  },

  failing(stage) {
    stage.world.outcome = (address) => address === SENDER ? OK : NEVER;
    return plain(stage);
  },

  double(stage) {
    const { world } = stage;
    world.outcome = () => NEVER;
    const isGone = world.next("key wiped").then(() => world.next("key synced"));
    world.deliveryGate = async (isNotice) =>
      isNotice ? await isGone : undefined;
    return plain(stage);
  },

  async damaged(stage) {
    const { machine, world } = stage;
    slow(world);
    const isQueued = world.next("committed marked");
    await plain(stage);
    await isQueued;
    await alter(machine, world.mails[0]!);
    world.open();
  },

  "lost-sync"(stage) {
    let syncs = 0;
    const isReplied = stage.world.next("replied");
    stage.world.shredGate = () => isReplied;
    stage.machine.disk.memory.misdeed = (call) =>
      call === "sync" && ++syncs === 1 ? "EIO" : undefined;
    return plain(stage);
  },

  "lost-key"(stage) {
    failOnce(stage.world, "keys");
    return plain(stage);
  },

  "lost-log"(stage) {
    failOnce(stage.world, "log");
    return plain(stage);
  },

  async adopting(stage) {
    const { machine, world } = stage;
    slow(world);
    await plain(stage);
    machine.startSpool(machine.killSpool());
  },

  async full({ machine, world }) {
    slow(world);
    await machine.send(world.newMail([BOX], HALF));
    await machine.send(world.newMail([BOX], HALF));
  },

  async filled({ machine, world }) {
    const isFree = world.next("release answered");
    await machine.send(world.newMail([BOX], HALF));
    await isFree;
    await machine.send(world.newMail([BOX], HALF));
  },

  idle: plain,

  async straggling({ machine, world }) {
    let tries = 0;
    world.retryMs = RETRY_MS;
    world.outcome = (address) => address === BOX && ++tries === 1 ? LATER : OK;
    const isDeferred = world.next("committed deferred");
    await machine.send(world.newMail([BOX], SMALL));
    await isDeferred;
    const isFree = world.next("release answered");
    await machine.send(world.newMail([OTHER], HALF));
    await isFree;
    const isFreeToo = world.next("release answered");
    await machine.send(world.newMail([OTHER], HALF));
    await isFreeToo;
    world.skewMs += LONG_CLOSED_MS;
    await machine.moveStragglers();
  },
};

function failOnce(world: World, which: "keys" | "log"): void {
  let syncs = 0;
  world.failsSync = (file) => file === which && ++syncs === 1;
}

/** Some octets in the midst of a record are others now. */
async function alter(machine: Machine, mail: Mail): Promise<void> {
  const { ref } = mail.stored!;
  const file = machine.disk.openExisting(`${ref.segment}.seg`);
  file.writeAt(new Uint8Array(64).fill(0xaa), ref.offset + ref.length / 2 | 0);
  await file.syncData();
  file.close();
}

/** Where copies are counted: `id address`, or `notice address`. */
export function copiesOf(script: Script, mail: Mail): readonly string[] {
  switch (script) {
    case "alias":
      return [`${mail.id} one@home.test`, `${mail.id} two@home.test`];
    case "failing":
    case "double":
      return [`notice ${SENDER}`];
    default:
      return mail.to.map((address) => `${mail.id} ${address}`);
  }
}
