/**
 * `sendmail -bs`: a small SMTP server (RFC 5321) on standard input and output,
 * for mail programs that speak it to their own machine. It knows no network,
 * no login and no other roles: its messages end in the drop directory like all
 * of `sendmail`. Recipients are read and not looked up; whom nobody knows, is
 * told by a bounce.
 *
 * Lines may end in LF alone, as local programs write them; pickup gives the
 * message one kind of line end, so two servers never disagree about it.
 *
 * Not: any extension but 8BITMIME, ENHANCEDSTATUSCODES, PIPELINING and SIZE.
 */
import { readPath } from "../core/address.ts";
import { HeaderScan } from "./header_scan.ts";

/** A message on its way into the drop directory. */
export interface Writer {
  readonly sizeBytes: number;
  write(octets: Uint8Array): void;
  abort(): void;
}

/** What a {@link Dialogue} works with. */
export interface DialogueOptions {
  readonly hostname: string;
  readonly origin: string;
  readonly maxMessageBytes: number;
  readonly maxRecipients: number;
  readonly hopLimit: number;
  /** Takes one or more lines, without the last line end. */
  readonly reply: (lines: string) => void;
  /** @throws {Error} If nothing can be written */
  readonly open: () => Writer;
  /**
   * Completes a message; its queue id.
   *
   * @throws {Error} If it cannot
   */
  readonly commit: (
    writer: Writer,
    envelope: { sender: string; recipients: readonly string[] },
  ) => string;
}

/** Longest command line, RFC 5321 §4.5.3.1.4 and what parameters add. */
const MAX_LINE = 2_048;
const LF = 0x0a;
const DOT = 0x2e;

/** See the file's head. */
export class Dialogue {
  readonly #options: DialogueOptions;
  #line: number[] = [];
  #isLineTooLong = false;
  #isLineStart = true;
  #isGreeted = false;
  #sender: string | undefined;
  #recipients: string[] = [];
  #message: { writer: Writer; scan: HeaderScan; fault: string } | undefined;
  /** QUIT was said. */
  isOver = false;

  constructor(options: DialogueOptions) {
    this.#options = options;
    options.reply(`220 ${options.hostname} ESMTP Bulkhead\r`);
  }

  /** Reads on, in any cut. */
  push(bytes: Uint8Array): void {
    for (const octet of bytes) {
      if (this.isOver) return;
      if (octet !== LF) {
        // Within a message a long line goes on in pieces.
        if (this.#line.length < MAX_LINE) this.#line.push(octet);
        else if (this.#message !== undefined) {
          this.#content(false);
          this.#line = [octet];
        } else this.#isLineTooLong = true;
        continue;
      }
      if (this.#message !== undefined) this.#content(true);
      else this.#command();
      this.#line = [];
      this.#isLineTooLong = false;
    }
  }

  /** Nothing more comes: what is not complete is not sent. */
  end(): void {
    this.#message?.writer.abort();
    this.#message = undefined;
  }

  /** Takes the line, or a part of a long one, into the message. */
  #content(isEnd: boolean): void {
    const message = this.#message!;
    const octets = new Uint8Array(this.#line.length + (isEnd ? 1 : 0));
    octets.set(this.#line);
    if (isEnd) octets[octets.length - 1] = LF;
    const isDotted = this.#isLineStart && octets[0] === DOT;
    this.#isLineStart = isEnd;
    const text = latin1.decode(octets);
    if (isDotted && (text === ".\r\n" || text === ".\n")) return this.#taken();
    if (message.fault !== "") return;
    const piece = isDotted ? octets.subarray(1) : octets;
    message.scan.push(piece);
    const size = message.writer.sizeBytes + piece.length;
    if (size > this.#options.maxMessageBytes) {
      message.fault = "552 5.3.4 Message too large";
    } else if (message.scan.hops > this.#options.hopLimit) {
      message.fault = "554 5.4.6 Message goes in circles";
    } else {
      try {
        message.writer.write(piece);
      } catch {
        message.fault = "452 4.3.1 Cannot write the message now";
      }
    }
  }

  #taken(): void {
    const { writer, fault } = this.#message!;
    const envelope = { sender: this.#sender!, recipients: this.#recipients };
    this.#message = undefined;
    this.#reset();
    if (fault !== "") {
      writer.abort();
      return this.#reply(fault);
    }
    try {
      const id = this.#options.commit(writer, envelope);
      this.#reply(`250 2.0.0 Ok: queued as ${id}`);
    } catch {
      writer.abort();
      this.#reply("452 4.3.1 Cannot write the message now");
    }
  }

  #command(): void {
    if (this.#isLineTooLong) return this.#reply("500 5.5.2 Line too long");
    const line = latin1.decode(new Uint8Array(this.#line)).trimEnd();
    const verb = line.slice(0, 4).toUpperCase();
    switch (verb) {
      case "EHLO":
        this.#greet();
        return this.#reply([
          `250-${this.#options.hostname}`,
          "250-PIPELINING",
          `250-SIZE ${this.#options.maxMessageBytes}`,
          "250-8BITMIME",
          "250 ENHANCEDSTATUSCODES",
        ].join("\r\n"));
      case "HELO":
        this.#greet();
        return this.#reply(`250 ${this.#options.hostname}`);
      case "MAIL":
        return this.#reply(this.#mail(line));
      case "RCPT":
        return this.#reply(this.#rcpt(line));
      case "DATA":
        return this.#reply(this.#data());
      case "RSET":
        this.#reset();
        return this.#reply("250 2.0.0 Ok");
      case "NOOP":
        return this.#reply("250 2.0.0 Ok");
      case "VRFY":
        return this.#reply("252 2.0.0 Send some mail, I will try my best");
      case "HELP":
        return this.#reply(
          "214 2.0.0 EHLO HELO MAIL RCPT DATA RSET NOOP VRFY HELP QUIT",
        );
      case "QUIT":
        this.isOver = true;
        return this.#reply("221 2.0.0 Bye");
      default:
        return this.#reply("500 5.5.2 Command not recognized");
    }
  }

  #greet(): void {
    this.#isGreeted = true;
    this.#reset();
  }

  #mail(line: string): string {
    if (!this.#isGreeted) return "503 5.5.1 Send EHLO or HELO first";
    if (this.#sender !== undefined) return "503 5.5.1 Sender already given";
    const path = this.#path(line, "MAIL FROM:");
    if (path === undefined) return "501 5.5.4 Syntax: MAIL FROM:<address>";
    const odd = path.rest.split(" ").filter((one) =>
      one !== "" && !/^(body=(7bit|8bitmime)|size=[0-9]+)$/i.test(one)
    );
    if (odd.length > 0) return "555 5.5.4 Parameter was not offered";
    this.#sender = path.address;
    return "250 2.1.0 Sender ok";
  }

  #rcpt(line: string): string {
    if (this.#sender === undefined) return "503 5.5.1 Need MAIL first";
    const path = this.#path(line, "RCPT TO:");
    if (path === undefined || path.address === "") {
      return "501 5.5.4 Syntax: RCPT TO:<address>";
    }
    if (path.rest.trim() !== "") return "555 5.5.4 Parameter was not offered";
    if (this.#recipients.length >= this.#options.maxRecipients) {
      return "452 4.5.3 Too many recipients";
    }
    this.#recipients.push(path.address);
    return "250 2.1.5 Recipient ok";
  }

  #data(): string {
    if (this.#recipients.length === 0) return "503 5.5.1 Need RCPT first";
    try {
      const writer = this.#options.open();
      this.#message = { writer, scan: new HeaderScan(), fault: "" };
      this.#isLineStart = true;
      return "354 End data with <CR><LF>.<CR><LF>";
    } catch {
      return "452 4.3.1 Cannot write a message now";
    }
  }

  /** A path, which may lack its domain: the machine's own users need none. */
  #path(
    line: string,
    before: string,
  ): { address: string; rest: string } | undefined {
    if (line.slice(0, before.length).toUpperCase() !== before) return undefined;
    const text = line.slice(before.length).trimStart();
    const { origin } = this.#options;
    const bare = /^<([A-Za-z0-9._+-]{1,64})>/.exec(text)?.[1];
    const full = bare === undefined
      ? text
      : `<${bare}@${origin}>${text.slice(bare.length + 2)}`;
    const read = readPath(full);
    if (!read.ok) return undefined;
    const rest = full.slice(read.end);
    switch (read.path.kind) {
      case "null":
        return { address: "", rest };
      case "address":
        return { address: read.path.address, rest };
      case "postmaster":
        return { address: `postmaster@${origin}`, rest };
    }
  }

  #reset(): void {
    this.#sender = undefined;
    this.#recipients = [];
  }

  #reply(text: string): void {
    this.#options.reply(`${text}\r`);
  }
}

const latin1 = new TextDecoder("latin1");
