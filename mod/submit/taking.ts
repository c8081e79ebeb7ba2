/**
 * Takes one name out of the drop directory: looks, reads, hands over, removes.
 * A file goes only when the queue has its message, or when it can never become
 * one; in any doubt it stays.
 *
 * Everything about a file may change between two looks at it, for it belongs
 * to who may be an attacker. So what was looked at is compared with what was
 * opened, and with what it is after the last octet was read.
 */
import { HeaderRepair, isFolding } from "../core/header_repair.ts";
import { HopCounter } from "../core/hop_counter.ts";
import { internetDate } from "../core/internet_date.ts";
import { isAscii } from "../core/international.ts";
import { SubjectReader } from "../core/subject_reader.ts";
import type { ContentRef } from "../core/shapes.ts";
import type { AskStream } from "../ipc/asking_end.ts";
import type { AskOf, Reply } from "../ipc/call.ts";
import type { queueContract } from "../queue/queue_ipc.ts";
import type { spoolContract } from "../spool/spool_ipc.ts";
import {
  type DropEnvelope,
  kindOfName,
  queueIdOf,
  readTail,
  TAIL,
} from "./drop_file.ts";
import type { DropFile, DropFiles, FileFacts } from "./drop_files.ts";
import { readEnvelope } from "./envelope.ts";
import { LineEnds } from "./line_ends.ts";
import { phraseOf } from "./phrase.ts";
import { type Submitter, submitterOf } from "./submitter.ts";
import type { PickupPart } from "./role.ts";

/** The roles behind pickup. Nothing here ever rejects. */
export interface Backend {
  store(): Promise<
    AskStream<typeof spoolContract.calls.store> | undefined
  >;
  accept(
    ask: AskOf<typeof queueContract.calls.accept>,
  ): Promise<Reply<typeof queueContract.calls.accept>>;
  drop(ref: ContentRef): Promise<unknown>;
}

/** Why a file was removed without becoming mail. */
export type Unfit =
  | "no-message"
  | "no-file"
  | "links"
  | "group"
  | "unreadable"
  | "too-large"
  | "loop"
  | "not-allowed"
  | "abandoned";

/**
 * What became of a name.
 *
 * - `taken`: the queue has it
 * - `gone`: somebody else removed it
 * - `removed`: it was no message, and never will be one
 * - `stays`: no message, and it cannot be removed
 * - `unfinished`: it is being written
 * - `changing`: it changed while it was read
 * - `later`: the roles behind us, or the disk, do not take it now
 */
export type Taking =
  | { readonly is: "taken"; readonly facts: TakenFacts }
  | { readonly is: "removed"; readonly why: Unfit }
  | { readonly is: "later"; readonly why: string }
  | { readonly is: "gone" | "stays" | "unfinished" | "changing" };

/** For the log. */
export interface TakenFacts {
  readonly id: string;
  readonly from: string;
  readonly recipients: number;
  readonly sizeBytes: number;
  readonly submitter: string;
}

/** What {@link take} works with. */
export interface TakingOptions {
  readonly files: DropFiles;
  readonly backend: Backend;
  readonly part: PickupPart;
  /** The group of the drop directory, and so of every file made in it. */
  readonly gid: number;
  readonly nowMs: number;
}

/** As qmail: after so long nobody writes on. */
const ABANDONED_MS = 36 * 3_600_000;
const READ_OCTETS = 65_536;

/** Takes one. */
export async function take(
  name: string,
  options: TakingOptions,
): Promise<Taking> {
  const { files, part, gid } = options;
  const facts = files.look(name);
  if (facts === undefined) return { is: "gone" };
  const remove = (why: Unfit): Taking =>
    files.remove(name, facts.isDirectory)
      ? { is: "removed", why }
      : { is: "stays" };
  const kind = kindOfName(name);
  if (!facts.isFile) return remove("no-file");
  if (kind === "junk") return remove("no-message");
  // A second name may be another's, or outlive us and come again.
  if (facts.links !== 1) return remove("links");
  // Made elsewhere and moved here: perhaps not by its owner.
  if (facts.gid !== gid) return remove("group");
  if (kind === "part") {
    // Both ways: its time is its owner's to set.
    const isOld = Math.abs(options.nowMs - facts.changedMs) > ABANDONED_MS;
    return isOld ? remove("abandoned") : { is: "unfinished" };
  }
  const submitter = submitterOf(facts.uid, part);
  if (!submitter.maySubmit) return remove("not-allowed");
  const file = files.open(name);
  if (file === "gone") return { is: "gone" };
  if (file === "denied") return remove("unreadable");
  try {
    if (!isSame(facts, file.facts())) return { is: "changing" };
    const read = readMessage(file, facts.sizeBytes);
    if (read === undefined) return remove("no-message");
    const { envelope, contentBytes } = read;
    if (contentBytes > part.maxMessageBytes) return remove("too-large");
    const id = queueIdOf(name, facts.uid);
    const message = { file, facts, id, envelope, contentBytes, submitter };
    const taking = await handOver(message, options);
    if (taking.is === "removed") return remove(taking.why);
    // If it stays, it comes again, and the queue knows it.
    if (taking.is === "taken" && !files.remove(name, false)) {
      return { is: "later", why: "the file cannot be removed" };
    }
    return taking;
  } finally {
    file.close();
  }
}

interface Dropped {
  readonly file: DropFile;
  readonly facts: FileFacts;
  readonly id: string;
  readonly envelope: DropEnvelope;
  readonly contentBytes: number;
  readonly submitter: Submitter;
}

function isSame(one: FileFacts, other: FileFacts): boolean {
  return one.identity === other.identity && one.uid === other.uid &&
    one.gid === other.gid && one.links === other.links &&
    one.isFile === other.isFile && one.sizeBytes === other.sizeBytes &&
    one.changedMs === other.changedMs &&
    one.touchedMs === other.touchedMs;
}

function readMessage(
  file: DropFile,
  sizeBytes: number,
): { envelope: DropEnvelope; contentBytes: number } | undefined {
  if (sizeBytes < TAIL) return undefined;
  const tail = readAt(file, sizeBytes - TAIL, TAIL);
  const envelopeBytes = tail && readTail(tail);
  if (envelopeBytes === undefined) return undefined;
  const contentBytes = sizeBytes - TAIL - envelopeBytes;
  if (contentBytes < 0) return undefined;
  const octets = readAt(file, contentBytes, envelopeBytes);
  const envelope = octets && readEnvelope(octets);
  return envelope && { envelope, contentBytes };
}

/** All of `length` octets; undefined if there are fewer. */
function readAt(
  file: DropFile,
  at: number,
  length: number,
): Uint8Array | undefined {
  const octets = new Uint8Array(length);
  for (let got = 0; got < length;) {
    const n = file.read(octets.subarray(got), at + got);
    if (n === 0) return undefined;
    got += n;
  }
  return octets;
}

async function handOver(
  dropped: Dropped,
  { backend, part, nowMs }: TakingOptions,
): Promise<Taking> {
  const { envelope, id, submitter } = dropped;
  const sender = envelope.sender ?? submitter.address;
  const beganAtMs = performance.now();
  const subject = part.tellsSubjectWords ? new SubjectReader() : undefined;
  const stream = await backend.store();
  if (stream === undefined) return { is: "later", why: "no spool" };
  const spooled = await spool(dropped, {
    write: (octets) => stream.write(octets),
    part,
    nowMs,
    sender,
    subject,
  });
  if (!("sizeBytes" in spooled)) {
    stream.abort();
    return spooled;
  }
  const stored = await stream.end();
  if (stored.kind !== "answered") {
    return { is: "later", why: `spool: ${wordOf(stored)}` };
  }
  const { ref, key } = stored.answer;
  const hasWishes = envelope.notify.length > 0;
  const accepted = await backend.accept({
    queueId: id,
    ref,
    key,
    reversePath: sender,
    recipients: [...envelope.recipients],
    bodyType: spooled.has8Bit ? "8bitmime" : "7bit",
    wishes: {
      envid: envelope.envid,
      ret: envelope.ret,
      smtpUtf8: ![sender, ...envelope.recipients].every(isAscii),
      requireTls: false,
      verp: sender === "" ? "" : envelope.verp,
    },
    recipientWishes: hasWishes
      ? envelope.recipients.map((address) => ({
        notify: [...envelope.notify],
        orcpt: isAscii(address) ? `rfc822;${address}` : "",
      }))
      : [],
    hold: false,
    client: {
      address: "local",
      helo: submitter.text,
      protocol: "local",
      login: submitter.text,
    },
    intake: {
      tls: "",
      name: "",
      tookMs: Math.round(performance.now() - beganAtMs),
      checks: [{
        what: "owner",
        said: "passed",
        evidence: `the file in the drop directory belongs to ${submitter.text}`,
      }],
    },
    ...(subject === undefined ? {} : { subjectWords: subject.words() }),
  });
  const isKnown = accepted.kind === "refused" && accepted.refusal === "known";
  if (accepted.kind === "refused") await backend.drop(ref);
  if (accepted.kind !== "answered" && !isKnown) {
    return { is: "later", why: `queue: ${wordOf(accepted)}` };
  }
  return {
    is: "taken",
    facts: {
      id,
      from: sender,
      recipients: envelope.recipients.length,
      sizeBytes: spooled.sizeBytes,
      submitter: submitter.text,
    },
  };
}

function wordOf(reply: { refusal: string } | { why: string }): string {
  return "refusal" in reply ? reply.refusal : reply.why;
}

/** Reads the message into the spool. */
async function spool(
  { file, facts, envelope, id, contentBytes, submitter }: Dropped,
  { write, part, nowMs, sender, subject }: {
    write: (octets: Uint8Array) => Promise<void>;
    part: PickupPart;
    nowMs: number;
    sender: string;
    subject: SubjectReader | undefined;
  },
): Promise<Taking | { sizeBytes: number; has8Bit: boolean }> {
  let waiting: Uint8Array[] = [
    encoder.encode(receivedField(submitter, { id, part, nowMs })),
  ];
  let sizeBytes = 0;
  const hops = new HopCounter();
  const phrase = phraseOf(envelope.fullName);
  const repair = new HeaderRepair({
    date: internetDate(nowMs),
    messageId: `${id}@${part.hostname}`,
    from: sender === "" ? submitter.address : sender,
    ...(phrase === "" ? {} : { fromName: phrase }),
  }, (piece) => waiting.push(piece));
  const lines = new LineEnds((piece) => {
    hops.push(piece);
    subject?.push(piece);
    // It would go on with our own trace field.
    if (sizeBytes === 0 && isFolding(piece[0])) repair.push(CRLF);
    sizeBytes += piece.length;
    repair.push(piece);
  });
  for (let at = 0; at < contentBytes;) {
    const octets = new Uint8Array(Math.min(READ_OCTETS, contentBytes - at));
    const n = file.read(octets, at);
    if (n === 0) return { is: "changing" };
    at += n;
    lines.push(octets.subarray(0, n));
    for (const piece of waiting) await write(piece);
    waiting = [];
    if (sizeBytes > part.maxMessageBytes) return unfit("too-large");
    if (hops.hops > part.hopLimit) return unfit("loop");
  }
  lines.end();
  repair.end();
  for (const piece of waiting) await write(piece);
  if (!isSame(facts, file.facts())) return { is: "changing" };
  return { sizeBytes, has8Bit: lines.has8Bit };
}

function unfit(why: Unfit): Taking {
  return { is: "removed", why };
}

const CRLF = new Uint8Array([0x0d, 0x0a]);
const encoder = new TextEncoder();

/** RFC 5322 §3.6.7: no protocol brought it, so there is no `with`. */
function receivedField(
  { text }: Submitter,
  { id, part, nowMs }: { id: string; part: PickupPart; nowMs: number },
): string {
  return `Received: by ${part.hostname} (from ${text})\r\n` +
    `\tid ${id}; ${internetDate(nowMs)}\r\n`;
}
