/**
 * Plays a dialog's client against a server on loopback. Shares no code with
 * the server: it must see what is on the wire.
 */
import type { Dialog, Step, Transport } from "./dialog.ts";
import { relayTo } from "./relay_in_between.ts";
import { isGlob, matches } from "./reply_pattern.ts";
import { MAX_SHOWN, shown, Wire } from "./wire.ts";

/** How long nothing comes where nothing must. */
const SILENCE_MS = 40;

/** A message that the server took over. */
export interface Message {
  readonly reversePath: string;
  readonly recipients: readonly string[];
  /** Octets as UTF-16 units, the server's own trace field included. */
  readonly content: string;
}

/** Where a dialog is played. */
export interface Stage {
  readonly port: number;
  /** Longest wait for one reply. */
  readonly replyMs: number;
  /** What was taken over until now; undefined if nobody can see that. */
  readonly taken: (() => readonly Message[]) | undefined;
}

/**
 * Plays it once.
 *
 * @throws {Error} With file, line, what was wanted, and all that was said
 */
export async function play(
  dialog: Dialog,
  transport: Transport,
  stage: Stage,
): Promise<void> {
  if (!dialog.steps.some((step) => step.do === "inject")) {
    return await playAt(dialog, transport, { ...stage, inject: noRelay });
  }
  const relay = await relayTo(stage.port);
  try {
    await playAt(dialog, transport, { ...stage, ...relay });
  } finally {
    relay.close();
  }
}

/** A stage with somebody on the way, if the dialog wants one. */
interface Watched extends Stage {
  readonly inject: (octets: Uint8Array) => void;
}

function noRelay(): void {
  throw new RangeError("Cannot inject: nobody is on the way");
}

async function playAt(
  dialog: Dialog,
  transport: Transport,
  stage: Watched,
): Promise<void> {
  const wire = new Wire(stage);
  if (transport === "implicit") await wire.handshake();
  try {
    const first = dialog.steps[0]!;
    // Who wants to see the greeting says so.
    const isRead = first.do === "expect" || dialog.speaksFirst;
    if (!isRead) await wire.want("220 *");
    if (transport === "tls") await wire.secure();
    for (const step of dialog.steps) {
      try {
        await perform(step, wire, stage);
      } catch (error) {
        const where = `${dialog.file}:${step.line}`;
        const why = (error as Error).message;
        throw new Error(`${where} (${transport}): ${why}\n${wire.transcript}`);
      }
    }
  } finally {
    wire.destroy();
  }
}

async function perform(step: Step, wire: Wire, stage: Watched): Promise<void> {
  switch (step.do) {
    case "send":
      return wire.send(step.octets);
    case "inject":
      wire.note(step.octets);
      return stage.inject(step.octets);
    case "expect": {
      const heard = await wire.reply();
      if (!matches(step.pattern, heard)) {
        throw new Error(`want ${step.pattern.source}, got ${shown(heard)}`);
      }
      return;
    }
    case "silence":
      await delay(SILENCE_MS);
      if (wire.isClosed || wire.heard !== "") {
        throw new Error(`want silence, got ${wire.heard || "closed"}`);
      }
      return;
    case "dropped":
      return await wire.dropped();
    case "wait":
      return await delay(step.ms);
    case "starttls":
      return await wire.handshake();
    case "half-close":
      return wire.halfClose();
    case "taken":
      return same(stage.taken?.().length, step.count, "messages taken");
    case "envelope": {
      const last = stage.taken?.().at(-1);
      const is = last && `<${last.reversePath}> -> ${last.recipients.join()}`;
      return same(is ?? (stage.taken && "no message"), step.is, "envelope");
    }
    case "trace": {
      const last = stage.taken?.().at(-1);
      if (last === undefined) return same(stage.taken, undefined, "message");
      const { trace } = cutTrace(last.content);
      if (isGlob(step.glob, trace)) return;
      throw new Error(`trace: want ${step.glob}, got ${trace}`);
    }
    case "field": {
      const last = stage.taken?.().at(-1);
      if (last === undefined) return same(stage.taken, undefined, "message");
      const fields = fieldsOf(cutTrace(last.content).rest);
      if (fields.some((one) => isGlob(step.glob, one)) === step.isThere) return;
      const not = step.isThere ? "" : "no ";
      throw new Error(`want ${not}${step.glob}, got ${fields.join(" / ")}`);
    }
    case "content": {
      const last = stage.taken?.().at(-1);
      const is = last && cutTrace(last.content).rest;
      return same(is ?? (stage.taken && "no message"), step.is, "content");
    }
  }
}

/** Undefined is what nobody can see. */
function same<T>(is: T | undefined, wanted: T, what: string): void {
  if (is === undefined || is === wanted) return;
  const show = (one: T) => JSON.stringify(one).slice(0, MAX_SHOWN);
  throw new Error(`${what}: want ${show(wanted)}, got ${show(is)}`);
}

/** The Received field in front, unfolded, and what follows; RFC 5321 §4.4. */
function cutTrace(content: string): { trace: string; rest: string } {
  const lines = content.split("\r\n");
  let first = 1;
  while (/^[ \t]/.test(lines[first] ?? "")) first++;
  const trace = lines.slice(0, first).join("").replaceAll("\t", " ");
  if (!trace.startsWith("Received: ")) throw new Error("no trace field");
  return { trace, rest: lines.slice(first).join("\r\n") };
}

/** The header's fields, unfolded; RFC 5322 §2.2.3. */
function fieldsOf(content: string): string[] {
  const end = `\r\n${content}`.indexOf("\r\n\r\n");
  const header = end < 0 ? content : content.slice(0, end);
  return header.replaceAll("\r\n ", " ").replaceAll("\r\n\t", " ")
    .split("\r\n").filter((one) => one !== "");
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
