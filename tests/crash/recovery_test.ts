/**
 * Every edge of `mod/recovery/edges.ts`, and everybody who can die on it: real
 * components are brought to that step, ended there, and started anew on what
 * was left. What the row says is what must come of it.
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { listQueue } from "../../mod/queue/inspect.ts";
import { MESSAGE_STATES } from "../../mod/queue/message.ts";
import { STATES as RECIPIENT_STATES } from "../../mod/queue/queue_ipc.ts";
import {
  type Death,
  DEATHS,
  type Edge,
  EDGES,
  SHRED_DEATHS,
  type ShredDeath,
} from "../../mod/recovery/edges.ts";
import { type StateName, STATES } from "../../mod/recovery/states.ts";
import { SEGMENT_STATES } from "../../mod/spool/pool.ts";
import { calm, judge, leavesOf, within } from "./life/judgement.ts";
import {
  type Files,
  Machine,
  RESTART_MS,
  type Survival,
} from "./life/machine.ts";
import { SCRIPTS } from "./life/scripts.ts";
import { World } from "./life/world.ts";

/** What of the unsynced octets a power cut may leave; the first: nothing. */
const SURVIVALS: readonly Survival[] = [
  { keys: false, log: false, disk: "not" },
  { keys: true, log: false, disk: "not" },
  { keys: false, log: true, disk: "whole" },
  { keys: true, log: true, disk: "torn" },
];

// Roles say what they find on standard error; that is not what is tested.
Deno.stderr.writeSync = (octets) => octets.length;

interface Struck {
  readonly machine: Machine;
  readonly world: World;
  readonly sent: Promise<void>;
}

/** Brings a new machine to the step, and calls `strike` within it. */
async function reach(
  edge: Edge,
  strike: (struck: Struck) => void,
): Promise<Struck> {
  const world = new World();
  const { script, steps } = edge.reach;
  if (script === "idle") world.idleMs = 20;
  const machine = new Machine(world);
  if (script !== "preparing") {
    await calm("a ready segment", () => machine.spoolFacts.readySegments > 0);
  }
  const isThere = Promise.withResolvers<void>();
  world.strikeAfter(steps, () => {
    strike({ machine, world, sent });
    isThere.resolve();
  });
  const sent: Promise<void> = Promise.resolve()
    .then(() => SCRIPTS[script]({ machine, world }));
  try {
    await within("it", isThere.promise);
  } catch {
    throw new Error(`Cannot reach ${edge.name}: waiting for ${world.ahead}`);
  }
  return { machine, world, sent };
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, RESTART_MS));
}

/** What happens within the step, and what once the successors can start. */
function end(death: Death | ShredDeath): {
  strike: (struck: Struck) => void;
  revive: (struck: Struck) => void;
} {
  let queueDir = "";
  let disk: ReturnType<Machine["killSpool"]> | undefined;
  switch (death) {
    case "queue":
      return {
        strike: ({ machine }) => queueDir = machine.killQueue(),
        revive: ({ machine }) => machine.startQueue(queueDir),
      };
    case "spool":
      return {
        strike: ({ machine }) => disk = machine.killSpool(),
        revive: ({ machine }) => machine.startSpool(disk!),
      };
    case "both":
      return {
        strike: ({ machine }) => {
          disk = machine.killSpool();
          queueDir = machine.killQueue();
        },
        revive: ({ machine }) => {
          machine.startQueue(queueDir);
          machine.startSpool(disk!);
        },
      };
    case "shred":
      return {
        strike: ({ machine }) => machine.killShred(),
        revive: ({ machine }) => machine.startShred(),
      };
    case "spool and shred":
      return {
        strike: ({ machine }) => {
          machine.killShred();
          disk = machine.killSpool();
        },
        revive: ({ machine }) => {
          machine.startSpool(disk!);
          machine.startShred();
        },
      };
    case "smtpd":
      return {
        strike: ({ machine }) => machine.killSmtpd(),
        revive: () => {},
      };
    case "kill":
    case "power":
      throw new RangeError(`Cannot revive anybody after ${death}`);
  }
}

async function oneDies(
  edge: Edge,
  death: Death | ShredDeath,
): Promise<void> {
  const { strike, revive } = end(death);
  let told: string | undefined;
  const struck = await reach(edge, (struck) => {
    told = struck.world.mails[0]?.told;
    strike(struck);
  });
  await using machine = struck.machine;
  const { world, sent } = struck;
  assert.equal(told ?? "-", edge.told, "what the sender had been told");
  await pause();
  revive(struck);
  world.open();
  await judge(machine, world, {
    edge,
    end: edge.ends[isOfShred(death) ? "spool" : death],
    sent: death === "smtpd" ? undefined : sent,
  });
}

function isOfShred(death: Death | ShredDeath): death is ShredDeath {
  return death === "shred" || death === "spool and shred";
}

async function allDie(edge: Edge, death: "kill" | "power"): Promise<void> {
  const left: { files: Files; world: World }[] = [];
  const struck = await reach(edge, ({ machine, world }) => {
    const files = death === "kill"
      ? [machine.filesAfterKill()]
      : SURVIVALS.map((survival) => machine.filesAfterCut(survival));
    for (const one of files) left.push({ files: one, world: world.fork() });
    machine.switchOff();
  });
  await struck.machine[Symbol.asyncDispose]();
  const [first] = left;
  const [mail, ...others] = first!.world.mails;
  assert.equal(mail?.told ?? "-", edge.told, "what the sender had been told");
  assert.deepEqual(leavesOf(first!.files, [mail!, ...others]), {
    leaves: edge.leaves[death],
    finds: edge.finds[death],
  });
  await Promise.all(left.map(async ({ files, world }) => {
    await using machine = new Machine(world, files);
    const end = edge.ends[death];
    await judge(machine, world, { edge, end, sent: undefined });
  }));
}

/**
 * Queue and spool die, and a moment after their successors started the power
 * fails. Whether what was never acknowledged is delivered then, is nobody's
 * promise; that it is not delivered twice, and nothing left behind, is.
 */
async function dieTwice(edge: Edge, afterMs: number): Promise<void> {
  const { strike, revive } = end("both");
  const struck = await reach(edge, strike);
  const { machine } = struck;
  await pause();
  revive(struck);
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  const left = SURVIVALS.map((survival) => ({
    files: machine.filesAfterCut(survival),
    world: struck.world.fork(),
  }));
  await machine[Symbol.asyncDispose]();
  await Promise.all(left.map(async ({ files, world }) => {
    await using machine = new Machine(world, files);
    const told = world.mails[0]?.told ?? "-";
    const [least] = told === "250" ? edge.ends.both.copies : [0];
    await judge(machine, world, {
      edge,
      end: { told, copies: [least, 1] },
      sent: undefined,
    });
  }));
}

interface Play {
  readonly name: string;
  readonly run: () => Promise<void>;
}

const PLAYS: readonly Play[] = EDGES.flatMap((edge) => [
  ...DEATHS.map((death) => ({
    name: `recovery after "${edge.name}" and the death of ${death}`,
    run: () =>
      death === "kill" || death === "power"
        ? allDie(edge, death)
        : oneDies(edge, death),
  })),
  ...(edge.isErasing ? SHRED_DEATHS : []).map((death) => ({
    name: `recovery after "${edge.name}" and the death of ${death}`,
    run: () => oneDies(edge, death),
  })),
  ...[2, 60].map((afterMs) => ({
    name: `recovery after "${edge.name}", the death of both and a power cut ` +
      `${afterMs} ms later`,
    run: () => dieTwice(edge, afterMs),
  })),
]);

// Each waits for clocks more than it works: some are begun ahead of their turn.
const AHEAD = 16;
const begun = new Map<Play, Promise<unknown>>();

function outcome(play: Play): Promise<unknown> {
  const running = begun.get(play) ??
    play.run().then(() => undefined, (error: unknown) => error);
  begun.set(play, running);
  return running;
}

PLAYS.forEach((play, at) =>
  Deno.test({
    name: play.name,
    // The dead go on in memory, unheard: their timers are theirs.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      for (const next of PLAYS.slice(at, at + AHEAD)) void outcome(next);
      const error = await outcome(play);
      if (error !== undefined) throw error;
    },
  })
);

Deno.test("every state in the code has a row, and every row's state an edge", () => {
  const inCode = new Set([
    ...MESSAGE_STATES.map((state) => `messages ${state}`),
    ...RECIPIENT_STATES.map((state) => `recipients ${state}`),
    ...SEGMENT_STATES.map((state) => `segment ${state}`),
  ]);
  assert.deepEqual(new Set(STATES.flatMap(({ code }) => code)), inCode);
  const onEdges = new Set(EDGES.flatMap(({ from, to }) => [from, to]));
  const alone = STATES.filter(({ name }) => !onEdges.has(name as StateName));
  // Set by hand only, and there is no hand yet.
  assert.deepEqual(alone.map(({ name }) => name), ["hold"]);
});

Deno.test({
  name: "a recipient on hold is there after a start, and nothing is tried",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const edge = EDGES.find(({ name }) => name === "250 written")!;
    let files: Files | undefined;
    const { machine, world } = await reach(edge, ({ machine }) => {
      files = machine.filesAfterKill();
      machine.switchOff();
    });
    await machine[Symbol.asyncDispose]();
    const db = new DatabaseSync(`${files!.queueDir}/queue.db`);
    const hold = RECIPIENT_STATES.indexOf("hold");
    db.exec(`UPDATE recipients SET state = ${hold}`);
    db.close();
    await using after = new Machine(world, files!);
    await calm("a message that is kept and queued", () => {
      const [message] = listQueue(after.queueDir);
      return message?.state === "queued" &&
        message.recipients[0]?.state === "hold";
    });
    assert.deepEqual(world.delivered, []);
  },
});
