/** Entry of the gate. */
import { LogBrake } from "../core/log_brake.ts";
import { log } from "../core/log.ts";
import { dnsContract } from "../dns/dns_ipc.ts";
import type { Edge } from "../ipc/edge.ts";
import { CannotStart, runRole } from "../ipc/role_runtime.ts";
import { resolveContract } from "../resolve/resolve_ipc.ts";
import { smtpcContract } from "../smtpc/smtpc_ipc.ts";
import { ConsoleDesk } from "./console_desk.ts";
import { GateUnusable, SHELVES } from "./database_io.ts";
import type { Listed } from "./dnsbl.ts";
import { Gate, type Hop, type Passed, type Recorded } from "./gate.ts";
import { gateContract } from "./gate_ipc.ts";
import type { Triplet } from "./greylist.ts";
import type { Probed } from "./probes.ts";
import { gatePart } from "./role.ts";
import { Store } from "./store_io.ts";
import { counterOf } from "./verdicts.ts";

/** Verdicts written out in one second; the rest is only counted. */
const LOGGED_EACH_SECOND = 20;

/** Runs the role until its supervisor stops it. */
export async function main(): Promise<void> {
  await runRole(gatePart, (context) => {
    const dns = context.ask(dnsContract);
    const resolve = context.ask(resolveContract);
    const smtpc = context.ask(smtpcContract);
    const brake = new LogBrake(LOGGED_EACH_SECOND);
    const nowMs = () => Date.now();
    const store: Store = open({
      dir: context.part.dir,
      keepVerdictsMs: () => context.part.keepVerdictsMs,
      maxVerdicts: () => context.part.maxVerdicts,
      onSaid: (network, word) => void gate.say(network, word),
      nowMs,
    });
    const gate: Gate = new Gate({
      part: context.part,
      nowMs,
      salt: store.salt,
      askList: (name, withinMs) => askList(dns, name, withinMs),
      onListHealth: (list, silentForMs) =>
        silentForMs === 0
          ? log("dnsbl-answers", { list })
          : log("dnsbl-silent", { list, skippedForMs: silentForMs }),
      nextHopOf: (address) => nextHopOf(resolve, address),
      askHop: (hop) => askHop(smtpc, hop),
      record: (what) => {
        store.add(what);
        context.count(counterOf(what.verdict.rule));
        if (brake.mayWrite(nowMs())) tell(what);
      },
      count: (name) => context.count(name),
    });
    keepAll(store, gate);
    store.start();
    const { networks, entries } = gate.sizes;
    log("gate-loaded", { clients: gate.clients.size, networks, entries });
    const timer = setInterval(() => {
      const leftOut = brake.takeLeftOut();
      const lost = store.takeLost();
      if (leftOut + lost > 0) {
        log("verdicts-not-logged", { count: leftOut, notStored: lost });
      }
    }, 10_000);
    context.onRenew((part) => gate.renew(part));
    // Rates fade within two units; who is connected must stay counted.
    const desk = new ConsoleDesk({ part: () => context.part, store });
    const isIdle = () => gate.isEmpty && !desk.isInUse;
    context.restsWhen(isIdle, () => 2 * context.part.rates.unitMs);
    context.onStop(() => {
      clearInterval(timer);
      store.stop();
    });
    context.answer(gateContract, {
      arrive: (ask, asker) => ({ answer: gate.arrive(ask, asker) }),
      leave: (ask, asker) => {
        gate.leave(ask, asker);
        return { answer: {} };
      },
      score: async (ask) => ({ answer: await gate.score(ask) }),
      tested: (ask) => {
        gate.tested(ask);
        return { answer: {} };
      },
      refused: (ask) => {
        gate.refused(ask);
        return { answer: {} };
      },
      judge: (ask, asker) => {
        const verdict = gate.judge(ask, asker);
        return verdict instanceof Promise
          ? verdict.then((one) => ({ answer: { verdict: one } }))
          : { answer: { verdict } };
      },
      tally: (ask, asker) => ({
        answer: { verdict: gate.tally(ask, asker) },
      }),
      stay: (ask) => desk.stay(ask),
      clients: (ask) => desk.clients(ask),
      say: (ask) => desk.say(ask),
      signOut: (ask) => desk.signOut(ask),
    }, (asker) => gate.gone(asker));
  });
}

/** Opens the store, or says why not and throws. */
function open(options: ConstructorParameters<typeof Store>[0]): Store {
  try {
    return new Store(options);
  } catch (error) {
    if (error instanceof GateUnusable) throw new CannotStart(error.message);
    throw error;
  }
}

function keepAll(store: Store, gate: Gate): void {
  store.keep<Passed>({
    number: SHELVES.clients,
    shelf: gate.clients,
    read: (value) => {
      if (!Array.isArray(value) || !value.every(Number.isFinite)) {
        return undefined;
      }
      const [greet, dnsbl, deep] = value;
      return [Number(greet), Number(dnsbl), Number(deep)];
    },
  });
  store.keep<Triplet>({
    number: SHELVES.triplets,
    shelf: gate.greylist.triplets,
    read: (value) => {
      const { firstMs, passed } = Object(value) as Record<string, unknown>;
      return typeof firstMs === "number" && typeof passed === "boolean"
        ? { firstMs, passed }
        : undefined;
    },
  });
  store.keep<number>({
    number: SHELVES.greylistClients,
    shelf: gate.greylist.clients,
    read: (value) => typeof value === "number" ? value : undefined,
  });
  store.keep<Probed>({
    number: SHELVES.probed,
    shelf: gate.probes.known,
    read: (value) => {
      const { is, words } = Object(value) as Record<string, unknown>;
      if (is === "yes") return { is };
      return is === "no" && typeof words === "string"
        ? { is, words }
        : undefined;
    },
  });
}

async function askList(
  dns: Edge<typeof dnsContract.calls>,
  name: string,
  withinMs: number,
): Promise<Listed> {
  const reply = await dns.ask("listed", { name, withinMs, words: true });
  if (reply.kind === "answered") return { kind: "listed", ...reply.answer };
  return reply.kind === "refused" && reply.refusal === "not-listed"
    ? { kind: "not-listed" }
    : { kind: "silent" };
}

async function nextHopOf(
  resolve: Edge<typeof resolveContract.calls>,
  address: string,
): Promise<Hop | undefined> {
  const reply = await resolve.ask("recipient", { address });
  if (reply.kind !== "answered") return undefined;
  const [target, another] = reply.answer.targets;
  return another === undefined && target?.kind === "remote"
    ? { address: target.address, nextHop: target.nextHop }
    : undefined;
}

async function askHop(
  smtpc: Edge<typeof smtpcContract.calls>,
  { address, nextHop }: Hop,
): Promise<Probed> {
  const reply = await smtpc.ask("probe", { recipient: address, nextHop });
  if (reply.kind !== "answered") {
    return { is: "unknown", words: "smtpc does not answer" };
  }
  const { kind, code, enhanced, text, host } = reply.answer.outcome;
  const words = `${host === "" ? "" : `${host} said `}${code} ${enhanced} ` +
    text.slice(0, 150);
  switch (kind) {
    case "delivered":
      return { is: "yes" };
    case "permanent":
      return { is: "no", words };
    case "temporary":
      return { is: "unknown", words };
  }
}

function tell({ verdict, shadow, ...about }: Recorded): void {
  const orNone = (text: string) => text === "" ? undefined : text;
  log("client-judged", {
    client: about.client,
    action: verdict.action,
    shadow: shadow ? true : undefined,
    rule: verdict.rule,
    evidence: verdict.evidence,
    reply: orNone(
      verdict.reply === ""
        ? ""
        : `${verdict.code} ${verdict.enhanced} ${verdict.reply}`,
    ),
    undo: verdict.undo,
    helo: orNone(about.helo),
    from: orNone(about.sender),
    to: orNone(about.recipient),
  });
}
