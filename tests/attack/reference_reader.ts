/**
 * An independent reading of a session: from what was sent and what was
 * answered it finds which messages the client may believe delivered, octet for
 * octet. Simple and slow on purpose, and sharing nothing with the server.
 *
 * It knows RFC 5321 §2.3.8 (a line ends at CRLF), §4.1.1.4 and §4.5.2 (a
 * message ends at CRLF.CRLF, a leading dot goes) and RFC 3030 §2 (BDAT).
 */

/** One reply. */
export interface SaidReply {
  readonly code: number;
  readonly lines: readonly string[];
}

/** What a session came to. */
export interface Reading {
  /** Contents that were answered with 250, in order. */
  readonly acknowledged: readonly Content[];
  /** A message was sent whole and its reply never came. */
  readonly unanswered: Content | undefined;
  /** Messages that were sent whole, whatever was answered. */
  readonly wholes: number;
  /** A command was not answered, and the server had not ended the session. */
  readonly silence: string | undefined;
  /** What the server must not have done. */
  readonly faults: readonly string[];
}

/** A message as the client meant it. */
export interface Content {
  readonly octets: string;
  /** Sent with BODY=BINARYMIME: line ends mean nothing in it. */
  readonly isBinary: boolean;
  /** RCPT commands that were answered with 250. */
  readonly recipients: number;
}

/** Longest reply line with its CRLF, RFC 5321 §4.5.3.1.5. */
const MAX_REPLY_LINE = 512;

/** Cuts what a server wrote into replies; strict on form (RFC 5321 §4.2). */
export function readReplies(
  written: string,
): { replies: SaidReply[]; faults: string[] } {
  const replies: SaidReply[] = [];
  const faults: string[] = [];
  let lines: string[] = [];
  let at = 0;
  while (at < written.length) {
    const end = written.indexOf("\r\n", at);
    if (end < 0) {
      faults.push(`reply without CRLF: ${show(written.slice(at))}`);
      break;
    }
    const line = written.slice(at, end);
    at = end + 2;
    if (!/^[2-5][0-9][0-9][ -][ -~]*$/.test(line)) {
      faults.push(`malformed reply: ${show(line)}`);
    }
    if (line.length + 2 > MAX_REPLY_LINE) {
      faults.push(`reply of ${line.length + 2} octets`);
    }
    if (lines.length > 0 && lines[0]!.slice(0, 3) !== line.slice(0, 3)) {
      faults.push(`codes differ in one reply: ${show(line)}`);
    }
    lines.push(line);
    if (line[3] === "-") continue;
    replies.push({ code: Number(line.slice(0, 3)), lines });
    lines = [];
  }
  if (lines.length > 0) faults.push("a reply was not finished");
  return { replies, faults };
}

/** A line end that is none, or a NUL: nothing that may be passed on. */
export function isSpoilt(content: string): boolean {
  return /\0|\r(?!\n)|(?<!\r)\n/.test(content);
}

/** Reads a whole session. */
export function readSession(sent: string, written: string): Reading {
  const { replies, faults } = readReplies(written);
  const walk = new Walk(sent, replies);
  walk.run();
  return {
    acknowledged: walk.acknowledged,
    unanswered: walk.unanswered,
    wholes: walk.wholes,
    silence: walk.silence,
    faults: [...faults, ...walk.faults],
  };
}

class Walk {
  readonly acknowledged: Content[] = [];
  unanswered: Content | undefined;
  wholes = 0;
  silence: string | undefined;
  readonly faults: string[] = [];
  readonly #sent: string;
  readonly #replies: readonly SaidReply[];
  #at = 0;
  #next = 0;
  #recipients = 0;
  #isBinary = false;
  #chunks: string[] = [];
  /** The server waits for a response of RFC 4954, which is no command. */
  #isChallenged = false;

  constructor(sent: string, replies: readonly SaidReply[]) {
    this.#sent = sent;
    this.#replies = replies;
  }

  run(): void {
    const greeting = this.#reply();
    if (greeting === undefined || greeting.code !== 220) return this.#finish(0);
    while (this.#at < this.#sent.length) {
      const end = this.#sent.indexOf("\r\n", this.#at);
      // Half a line may be faulty already, and then too long to go on.
      if (end < 0) return this.#finish(2);
      const line = this.#sent.slice(this.#at, end);
      this.#at = end + 2;
      if (!this.#command(line)) return;
    }
    this.#finish(1);
  }

  /** Reads one command and its reply; false if there is nothing more. */
  #command(line: string): boolean {
    const chunk = isSpoilt(line) || this.#isChallenged
      ? null
      : /^BDAT +([0-9]{1,20})( +LAST)?[ \t]*$/i.exec(line);
    if (chunk !== null && Number(chunk[1]) > this.#sent.length - this.#at) {
      this.#finish(1); // never arrived whole
      return false;
    }
    let octets = "";
    if (chunk !== null) {
      octets = this.#sent.slice(this.#at, this.#at + Number(chunk[1]));
    }
    const reply = this.#reply();
    if (reply === undefined) {
      if (chunk?.[2] !== undefined) {
        this.wholes++;
        this.unanswered = this.#content(octets);
      }
      this.#ended();
      return false;
    }
    if (chunk !== null) {
      this.#at += octets.length;
      return this.#chunk(octets, chunk[2] !== undefined, reply);
    }
    const isResponse = this.#isChallenged;
    this.#isChallenged = reply.code === 334;
    if (isResponse) return true;
    const verb = line.trimEnd().toUpperCase();
    if (reply.code === 220 && verb === "STARTTLS") this.#forget();
    if (reply.code === 354) {
      if (verb !== "DATA") this.faults.push(`354 to ${show(line)}`);
      return this.#data();
    }
    if (reply.code !== 250) return true;
    if (verb.startsWith("MAIL")) {
      this.#forget();
      this.#isBinary = verb.includes(" BODY=BINARYMIME");
    } else if (verb.startsWith("RCPT")) this.#recipients++;
    else if (/^(RSET|EHLO|HELO)/.test(verb)) this.#forget();
    if (verb === "DATA") this.faults.push("250 to DATA");
    return true;
  }

  #data(): boolean {
    const isEmpty = this.#sent.startsWith(".\r\n", this.#at);
    const end = isEmpty
      ? this.#at - 2
      : this.#sent.indexOf("\r\n.\r\n", this.#at);
    if (!isEmpty && end < 0) {
      this.#finish(1);
      return false;
    }
    const raw = this.#sent.slice(this.#at, end + 2);
    this.#at = end + 5;
    this.wholes++;
    const octets = raw.split("\r\n").map((line) =>
      line.startsWith(".") ? line.slice(1) : line
    ).join("\r\n");
    const content = this.#content(octets);
    const reply = this.#reply();
    if (reply === undefined) {
      this.unanswered = content;
      this.#ended();
      return false;
    }
    if (reply.code === 250) {
      this.acknowledged.push(content);
      if (isSpoilt(raw)) this.faults.push("took a message with bare line ends");
    }
    this.#forget();
    return true;
  }

  #chunk(octets: string, isLast: boolean, reply: SaidReply): boolean {
    if (isLast) this.wholes++;
    if (reply.code !== 250) {
      this.#chunks = [];
      return true;
    }
    if (this.#recipients === 0) this.faults.push("took BDAT for nobody");
    this.#chunks.push(octets);
    if (!isLast) return true;
    const content = this.#content("");
    if (!content.isBinary && isSpoilt(content.octets)) {
      this.faults.push("took chunks with bare line ends");
    }
    this.acknowledged.push(content);
    this.#forget();
    return true;
  }

  #content(more: string): Content {
    return {
      octets: this.#chunks.join("") + more,
      isBinary: this.#isBinary,
      recipients: this.#recipients,
    };
  }

  #forget(): void {
    this.#recipients = 0;
    this.#isBinary = false;
    this.#chunks = [];
  }

  #reply(): SaidReply | undefined {
    return this.#replies[this.#next++];
  }

  /** No reply is left: was that the server's last word? */
  #ended(): void {
    const last = this.#replies.at(-1);
    if (last !== undefined && last.code < 400 && last.code !== 221) {
      this.silence = `nothing said after ${last.lines.join("|")}`;
    }
  }

  /** What was sent is read; so many replies may still stand there. */
  #finish(allowed: number): void {
    const rest = this.#replies.slice(this.#next);
    if (rest.length > allowed || rest.some(({ code }) => code < 400)) {
      const texts = rest.map(({ lines }) => lines.join("|"));
      this.faults.push(`replies to nothing: ${texts.join(" / ")}`);
    }
  }
}

function show(text: string): string {
  const short = text.length > 120 ? text.slice(0, 120) + "..." : text;
  return JSON.stringify(short);
}
