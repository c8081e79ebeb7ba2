/**
 * The `sendmail` command: takes a message from standard input and leaves it in
 * the drop directory, where the role pickup finds it, at once or when the
 * server runs again. It runs as its caller, who can only harm himself by it:
 * no user is changed, no environment variable leads anywhere, and everything
 * that it writes is checked again by pickup.
 *
 * It starts for each message, so nothing is imported that it does not need.
 */
import { readAddressList } from "./address_list.ts";
import { DotLine } from "./dot_line.ts";
import { type DropEnvelope, queueIdOf } from "./drop_file.ts";
import { DropWriter } from "./drop_writer_io.ts";
import { HeaderScan } from "./header_scan.ts";
import {
  type Invocation,
  OPTION_ROWS,
  readOptions,
} from "./sendmail_options.ts";
import { Dialogue } from "./smtp_dialogue.ts";
import {
  parseSubmitFacts,
  type SubmitFacts,
  submitFactsPath,
} from "./submit_facts.ts";
import { maySubmit } from "./submitter.ts";

/** Exit codes of sysexits(3), as callers of `sendmail` know them. */
const SENDMAIL_EXIT = {
  ok: 0,
  usage: 64,
  /** The message is too large, goes in circles, or names a wrong recipient. */
  data: 65,
  noUser: 67,
  unavailable: 69,
  /** It may go another time: the disk is full. */
  temporary: 75,
  permission: 77,
  config: 78,
} as const;

/** Where the server's home is if nothing else is said. */
const DEFAULT_HOME = "/var/lib/bulkhead";
const DEFAULT_CONFIG = "/etc/bulkhead/bulkhead.toml";
const READ_OCTETS = 65_536;

/** Runs another command of ours; its exit code. */
export type CommandLine = (args: readonly string[]) => Promise<number>;

/** Names that this command goes by, and what each adds to its arguments. */
const NAMES: ReadonlyMap<string, readonly string[]> = new Map([
  ["sendmail", []],
  ["mailq", ["-bp"]],
  ["newaliases", ["-bi"]],
]);

/** True for `sendmail`, `mailq` and `newaliases`. */
export function isSendmail(word: string | undefined): boolean {
  return word !== undefined && NAMES.has(word);
}

/** A refusal: the sentence for the caller, and the exit code. */
class Refusal extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Runs it.
 *
 * @param args The name that it was called by, and its arguments
 * @param commandLine For what other commands do
 * @returns The exit code
 */
export async function sendmail(
  args: readonly string[],
  commandLine: CommandLine,
): Promise<number> {
  const [name, ...rest] = args;
  const read = readOptions([...rest, ...NAMES.get(name!)!]);
  if (!read.ok) {
    const { usage, unavailable } = SENDMAIL_EXIT;
    return refuse(read.is === "usage" ? usage : unavailable, read.fault);
  }
  const { invocation } = read;
  try {
    switch (invocation.mode) {
      case "send":
        return send(invocation, openSite(invocation));
      case "smtp":
        return speak(invocation, openSite(invocation));
      case "verify":
        return verify(invocation, openSite(invocation));
      case "help":
        say(helpText());
        return SENDMAIL_EXIT.ok;
      case "new-aliases":
        say(
          "Aliases are settings: [aliases] of the configuration. A reload " +
            "(SIGHUP) puts them in force.",
        );
        return SENDMAIL_EXIT.ok;
      case "list-queue":
      case "flush":
      case "serve":
        return await commandLine(commandFor(invocation));
    }
  } catch (error) {
    if (error instanceof Refusal) return refuse(error.code, error.message);
    throw error;
  }
}

/** The command of ours that does it. Only root may look into the queue. */
function commandFor(invocation: Invocation): string[] {
  if (Deno.uid() !== 0 && invocation.config === undefined) {
    throw new Refusal(
      SENDMAIL_EXIT.permission,
      "the queue is the administrator's: only root may do this",
    );
  }
  const config = ["--config", configOf(invocation.config)];
  switch (invocation.mode) {
    case "serve":
      return ["serve", ...config];
    case "flush": {
      const { id, domain } = invocation.flush;
      return id !== undefined ? ["queue", "retry", id, ...config] : [
        "queue",
        "flush",
        ...domain === undefined ? [] : [domain],
        ...config,
      ];
    }
    default:
      return ["queue", "list", ...config];
  }
}

function configOf(path: string | undefined): string {
  if (path === undefined) {
    // A home of `bulkhead init` has its configuration in it.
    const home = Deno.env.get("BULKHEAD_HOME");
    return home && exists(`${home}/bulkhead.toml`)
      ? `${home}/bulkhead.toml`
      : DEFAULT_CONFIG;
  }
  return path.endsWith(".toml") ? path : `${path}/bulkhead.toml`;
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function homeOf(path: string | undefined): string {
  if (path === undefined) return Deno.env.get("BULKHEAD_HOME") || DEFAULT_HOME;
  if (!path.endsWith(".toml")) return path;
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : path.slice(0, slash);
}

/** Who we are, and where mail goes. */
interface Site {
  readonly facts: SubmitFacts;
  readonly uid: number;
  readonly userName: string | undefined;
  readonly gecos: string;
}

function openSite(invocation: Invocation): Site {
  const path = submitFactsPath(homeOf(invocation.config));
  let facts: SubmitFacts;
  try {
    facts = parseSubmitFacts(Deno.readTextFileSync(path));
  } catch (error) {
    throw new Refusal(
      SENDMAIL_EXIT.config,
      `no mail server is set up here: ${path} cannot be read ` +
        `(${messageOf(error)}); -C or BULKHEAD_HOME names another home`,
    );
  }
  const uid = Deno.uid() ?? 0;
  const { name, gecos } = passwdEntry(uid);
  if (!facts.enabled) {
    throw new Refusal(
      SENDMAIL_EXIT.unavailable,
      "mail of local users is switched off (submit.enabled)",
    );
  }
  if (!maySubmit({ uid, name }, facts.users)) {
    throw new Refusal(
      SENDMAIL_EXIT.permission,
      `user ${name ?? uid} may not submit mail (submit.users)`,
    );
  }
  return { facts, uid, userName: name, gecos };
}

/** The first entry with our number, as getpwuid(3) has it. */
function passwdEntry(uid: number): { name: string | undefined; gecos: string } {
  let text: string;
  try {
    text = Deno.readTextFileSync("/etc/passwd");
  } catch {
    return { name: undefined, gecos: "" };
  }
  for (const line of text.split("\n")) {
    const [name, , number, , gecos] = line.split(":");
    if (number !== String(uid)) continue;
    const title = name!.charAt(0).toUpperCase() + name!.slice(1);
    const full = (gecos ?? "").split(",")[0]!.replaceAll("&", title);
    return { name: name!, gecos: full };
  }
  return { name: undefined, gecos: "" };
}

/** Takes a message from standard input. */
function send(invocation: Invocation, site: Site): number {
  const { facts } = site;
  forbidControls(invocation);
  const recipients = addressesOf(invocation.recipients.join(", "), facts, {
    code: SENDMAIL_EXIT.noUser,
    what: "recipient",
  });
  if (recipients.length === 0 && !invocation.fromHeader) {
    throw new Refusal(
      SENDMAIL_EXIT.usage,
      "no recipients: name them behind the options, or use -t (--help)",
    );
  }
  const sender = senderOf(invocation.sender, facts);
  const writer = open(facts);
  try {
    const scan = new HeaderScan();
    readMessage(invocation, { writer, scan, facts });
    if (scan.hops > facts.hopLimit) {
      throw new Refusal(
        SENDMAIL_EXIT.data,
        `the message goes in circles: it has ${scan.hops} Received fields`,
      );
    }
    if (invocation.fromHeader) {
      recipients.push(...headerRecipients(scan, facts));
    }
    const all = [...new Set(recipients)];
    if (all.length === 0) {
      throw new Refusal(
        SENDMAIL_EXIT.usage,
        "no recipients: the message has none in To, Cc or Bcc",
      );
    }
    tooMany(all.length, facts);
    commit(writer, site, envelopeOf(invocation, site, sender, all));
    if (invocation.isVerbose) {
      say(`queued as ${queueIdOf(writer.name, site.uid)}`);
    }
    return SENDMAIL_EXIT.ok;
  } catch (error) {
    writer.abort();
    throw inWords(error, facts);
  }
}

/** A header field may be folded; an argument with a line end is an attack. */
function forbidControls({ recipients, sender = "" }: Invocation): void {
  // deno-lint-ignore no-control-regex
  const controls = /[\x00-\x08\x0a-\x1f\x7f]/;
  if (controls.test(sender)) {
    throw new Refusal(SENDMAIL_EXIT.data, "control characters in the sender");
  }
  if (recipients.some((one) => controls.test(one))) {
    throw new Refusal(
      SENDMAIL_EXIT.noUser,
      "control characters in a recipient",
    );
  }
}

function headerRecipients(scan: HeaderScan, facts: SubmitFacts): string[] {
  if (scan.isTooLong) {
    throw new Refusal(
      SENDMAIL_EXIT.data,
      "the message names more recipients than can be read",
    );
  }
  return addressesOf(scan.recipients(), facts, {
    code: SENDMAIL_EXIT.data,
    what: "recipient in the header",
  });
}

function tooMany(count: number, { maxRecipients }: SubmitFacts): void {
  if (count <= maxRecipients) return;
  throw new Refusal(
    SENDMAIL_EXIT.data,
    `${count} recipients are more than one message may have ` +
      `(smtp.max_recipients: ${maxRecipients})`,
  );
}

/** Reads standard input up to its end, or a line with a dot. */
function readMessage(
  { ignoreDots }: Invocation,
  { writer, scan, facts }: {
    writer: DropWriter;
    scan: HeaderScan;
    facts: SubmitFacts;
  },
): void {
  const take = (piece: Uint8Array) => {
    if (writer.sizeBytes + piece.length > facts.maxMessageBytes) {
      throw new Refusal(
        SENDMAIL_EXIT.data,
        "the message is larger than the " +
          `${facts.maxMessageBytes} octets of smtp.max_message_size`,
      );
    }
    scan.push(piece);
    writer.write(piece);
  };
  const dots = ignoreDots ? undefined : new DotLine(take);
  const buffer = new Uint8Array(READ_OCTETS);
  while (dots?.ended !== true) {
    const n = readInput(buffer);
    if (n === null) break;
    const piece = buffer.subarray(0, n);
    if (dots === undefined) take(piece);
    else dots.push(piece);
  }
  dots?.end();
}

/** Octets read from standard input; null at its end. */
function readInput(into: Uint8Array): number | null {
  try {
    return Deno.stdin.readSync(into);
  } catch (error) {
    throw new Refusal(
      SENDMAIL_EXIT.temporary,
      `standard input cannot be read: ${messageOf(error)}`,
    );
  }
}

function envelopeOf(
  invocation: Invocation,
  site: Site,
  sender: string | null,
  recipients: readonly string[],
): DropEnvelope {
  const { fullName, notify, ret, envid, verp } = invocation;
  const own = sender === null
    ? Deno.env.get("NAME") ?? site.gecos
    : Deno.env.get("NAME") ?? "";
  return {
    sender,
    fullName: (fullName ?? own).toWellFormed().slice(0, 200),
    recipients,
    notify,
    ret,
    envid,
    verp,
  };
}

/** null: the caller himself. */
function senderOf(text: string | undefined, facts: SubmitFacts): string | null {
  if (text === undefined) return null;
  if (text.trim() === "" || text.trim() === "<>") return "";
  const [address, ...more] = addressesOf(text, facts, {
    code: SENDMAIL_EXIT.data,
    what: "sender",
  });
  if (address !== undefined && more.length === 0) return address;
  throw new Refusal(SENDMAIL_EXIT.data, "the sender is no address");
}

function addressesOf(
  list: string,
  { origin }: SubmitFacts,
  { code, what }: { code: number; what: string },
): string[] {
  return readAddressList(list, origin).map((entry) => {
    if (entry.ok) return entry.address;
    const shown = JSON.stringify(entry.text.slice(0, 80));
    throw new Refusal(code, `${shown} is no address: ${what}`);
  });
}

function open({ dropDir }: SubmitFacts): DropWriter {
  // A limit on the size of files shall be an error, and not our end.
  Deno.addSignalListener("SIGXFSZ", () => {});
  try {
    return new DropWriter(dropDir, Date.now());
  } catch (error) {
    throw new Refusal(
      isDenied(error) ? SENDMAIL_EXIT.permission : SENDMAIL_EXIT.temporary,
      `${dropDir} cannot be written to: ${messageOf(error)}`,
    );
  }
}

function commit(
  writer: DropWriter,
  { facts }: Site,
  envelope: DropEnvelope,
): void {
  try {
    writer.commit(envelope);
  } catch (error) {
    if (error instanceof RangeError) {
      throw new Refusal(SENDMAIL_EXIT.data, "the recipients are too long");
    }
    throw inWords(error, facts);
  }
}

/** What the disk says, for the caller: another time. */
function inWords(error: unknown, { dropDir }: SubmitFacts): unknown {
  // Of EFBIG, Deno's error has not even a code.
  const isOurs = error instanceof Refusal || error instanceof TypeError ||
    error instanceof RangeError || error instanceof ReferenceError;
  if (isOurs || !(error instanceof Error)) return error;
  return new Refusal(
    SENDMAIL_EXIT.temporary,
    `the message cannot be written to ${dropDir}: ${error.message}`,
  );
}

/** `-bs`. */
function speak(invocation: Invocation, site: Site): number {
  const { facts } = site;
  const dialogue = new Dialogue({
    hostname: facts.hostname,
    origin: facts.origin,
    maxMessageBytes: facts.maxMessageBytes,
    maxRecipients: facts.maxRecipients,
    hopLimit: facts.hopLimit,
    reply: say,
    open: () => open(facts),
    commit: (writer, { sender, recipients }) => {
      const envelope = envelopeOf(invocation, site, sender, recipients);
      commit(writer as DropWriter, site, envelope);
      return queueIdOf((writer as DropWriter).name, site.uid);
    },
  });
  const buffer = new Uint8Array(READ_OCTETS);
  while (!dialogue.isOver) {
    const n = readInput(buffer);
    if (n === null) break;
    dialogue.push(buffer.slice(0, n));
  }
  dialogue.end();
  return SENDMAIL_EXIT.ok;
}

/** `-bv`: nothing is asked of the server, which may not run. */
function verify(invocation: Invocation, { facts }: Site): number {
  const entries = readAddressList(
    invocation.recipients.join(", "),
    facts.origin,
  );
  for (const entry of entries) {
    say(
      entry.ok
        ? `${entry.address}: an address; whether it exists, the server says`
        : `${JSON.stringify(entry.text.slice(0, 80))}: no address`,
    );
  }
  return entries.length > 0 && entries.every((entry) => entry.ok)
    ? SENDMAIL_EXIT.ok
    : SENDMAIL_EXIT.noUser;
}

function helpText(): string {
  return [
    "Usage: sendmail [options] [recipients]",
    "",
    "Takes a message from standard input and hands it to the server, which",
    "need not run. mailq and newaliases are sendmail -bp and -bi.",
    "",
    ...OPTION_ROWS.flatMap(({ written, says }) => [
      `  ${written}`,
      `      ${says}`,
    ]),
    "",
    "Options of one letter may stand together; -- ends them: programs that",
    "pass on what strangers wrote must say it before the recipients.",
  ].join("\n");
}

function refuse(code: number, why: string): number {
  write(Deno.stderr, `sendmail: ${plain(why)}\n`);
  return code;
}

function say(text: string): void {
  write(Deno.stdout, `${text}\n`);
}

// Who closed our output, or sends it to a full disk, learns it by exit code.
function write(to: { writeSync(octets: Uint8Array): number }, text: string) {
  const octets = new TextEncoder().encode(text);
  try {
    for (let at = 0; at < octets.length;) {
      at += to.writeSync(octets.subarray(at));
    }
  } catch {
    // Nobody reads it.
  }
}

/** A terminal obeys nothing of what an argument says. */
function plain(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, "?");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isDenied(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === "EACCES" || code === "EPERM";
}
