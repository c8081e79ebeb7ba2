/** What each script of the table does; see `mod/recovery/edges.ts`. */
import { ownOutcome } from "../../../mod/core/outcome.ts";
import type { Script } from "../../../mod/recovery/edges.ts";
import type { Machine } from "./machine.ts";
import { type Mail, SENDER, type World } from "./world.ts";

const BOX = "box@home.test";
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
    const isGone = world.next("committed deleted");
    world.deliveryGate = async (isNotice) =>
      isNotice ? await isGone : undefined;
    return plain(stage);
  },

  async damaged(stage) {
    const { machine, world } = stage;
    slow(world);
    const isQueued = world.next("committed confirmed");
    await plain(stage);
    await isQueued;
    await alter(machine, world.mails[0]!);
    world.open();
  },

  "lost-sync"(stage) {
    let syncs = 0;
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
    const isGone = world.next("committed deleted");
    await machine.send(world.newMail([BOX], HALF));
    await isGone;
    await machine.send(world.newMail([BOX], HALF));
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
