/**
 * Plays a dialog's client against a server on loopback. Shares no code with
 * the server: it must see what is on the wire.
 */
import { Buffer } from "node:buffer";
import net from "node:net";
import tls from "node:tls";
import type { Dialog, Step, Transport } from "./dialog.ts";
import { relayTo } from "./relay_in_between.ts";
import { type Heard, isGlob, matches, replyFault } from "./reply_pattern.ts";

/** How long nothing comes where nothing must. */
const SILENCE_MS = 40;
/** Most octets of a reply that a test prints. */
const SHOWN = 300;

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
  const show = (one: T) => JSON.stringify(one).slice(0, SHOWN);
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

function shown(heard: Heard): string {
  return heard === "closed" ? "(closed)" : heard.lines.join(" / ");
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** One connection: octets out, whole replies in. */
class Wire {
  readonly #replyMs: number;
  #socket: net.Socket;
  #said = "";
  heard = "";
  isClosed = false;
  #wake: () => void = () => {};

  constructor(stage: Stage) {
    this.#replyMs = stage.replyMs;
    const { port } = stage;
    this.#socket = net.connect({
      port,
      host: "127.0.0.1",
      allowHalfOpen: true,
    });
    this.#socket.setNoDelay(true);
    this.#listen(this.#socket);
  }

  /** What both said until now. */
  get transcript(): string {
    return this.#said;
  }

  send(octets: Uint8Array): void {
    const text = JSON.stringify(Buffer.from(octets).toString("latin1"));
    this.#said += `  C ${text.slice(0, SHOWN)}\n`;
    this.#socket.write(octets);
  }

  /** What was said by somebody else. */
  note(octets: Uint8Array): void {
    const text = JSON.stringify(Buffer.from(octets).toString("latin1"));
    this.#said += `  P ${text.slice(0, SHOWN)}\n`;
  }

  /** The next whole reply, checked for form. */
  async reply(): Promise<Heard> {
    const until = performance.now() + this.#replyMs;
    const lines: string[] = [];
    for (;;) {
      const lf = this.heard.indexOf("\n");
      if (lf >= 0) {
        const line = this.heard.slice(0, lf);
        this.heard = this.heard.slice(lf + 1);
        this.#said += `  S ${JSON.stringify(line.trimEnd())}\n`;
        if (!line.endsWith("\r")) throw new Error("reply ends in a bare LF");
        lines.push(line.slice(0, -1));
        if (line[3] === "-") continue;
        const fault = replyFault(lines);
        if (fault !== undefined) throw new Error(`bad reply: ${fault}`);
        return { lines };
      }
      if (this.isClosed) {
        this.#said += "  S (closed)\n";
        if (lines.length > 0 || this.heard !== "") {
          throw new Error("closed within a reply");
        }
        return "closed";
      }
      await this.#news(until);
    }
  }

  /** Reads until the end: alerts of TLS may come, no reply. */
  async dropped(): Promise<void> {
    const until = performance.now() + this.#replyMs;
    while (!this.isClosed) await this.#news(until);
    if (/^[2-5][0-9]{2}[ -]/m.test(this.heard)) {
      throw new Error(`want the connection dropped, got ${this.heard}`);
    }
  }

  async want(source: string): Promise<void> {
    const heard = await this.reply();
    const code = source.slice(0, 3);
    if (heard === "closed" || !heard.lines[0]!.startsWith(code)) {
      throw new Error(`want ${source}, got ${shown(heard)}`);
    }
  }

  /** EHLO and STARTTLS, as most clients begin. */
  async secure(): Promise<void> {
    this.send(Buffer.from("EHLO starttls.test\r\n"));
    await this.want("250");
    this.send(Buffer.from("STARTTLS\r\n"));
    await this.want("220");
    await this.handshake();
  }

  async handshake(): Promise<void> {
    if (this.heard !== "") throw new Error("said something before TLS");
    const plain = this.#socket;
    plain.removeAllListeners("data");
    const secured = tls.connect({ socket: plain, rejectUnauthorized: false });
    this.#socket = secured;
    this.#listen(secured);
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error("no TLS handshake")),
        this.#replyMs,
      );
      const settle = (then: () => void) => () => {
        clearTimeout(late);
        then();
      };
      secured.once("secureConnect", settle(resolve));
      secured.once(
        "close",
        settle(() => reject(new Error("TLS handshake failed"))),
      );
    });
    this.#said += "  (TLS)\n";
  }

  halfClose(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #listen(socket: net.Socket): void {
    socket.on("data", (bytes: Uint8Array) => {
      this.heard += Buffer.from(bytes).toString("latin1");
      this.#wake();
    });
    const closed = () => {
      this.isClosed = true;
      this.#wake();
    };
    socket.on("end", closed);
    socket.on("close", closed);
    socket.on("error", () => {}); // "close" follows
  }

  #news(until: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error("no reply in time")),
        Math.max(0, until - performance.now()),
      );
      this.#wake = () => {
        clearTimeout(late);
        resolve();
      };
    });
  }
}
