/**
 * One client's connection: octets in, {@link step} asked, replies out.
 *
 * Commands run strictly one after the other. Replies to what was pipelined
 * leave in one write (RFC 2920 §3.2). Whatever a client sends is bounded
 * before it is kept, and every wait has an absolute deadline, checked by
 * {@link Connection.tick}: one sweep is cheaper than a timer a command.
 *
 *     command --RCPT, DATA--> asking --354--> message --CRLF.CRLF--> taking
 *        ^                      |                                      |
 *        +----------------------+--------------------------------------+
 *     command --BDAT--> chunk --its octets--> command, taking if it was last
 *     command --STARTTLS--> handshake --> command;  any --> closing --> closed
 *
 * A socket that fails costs this session. A bug in the logic throws.
 */
import type { Socket } from "node:net";
import tls from "node:tls";
import { countRead } from "../core/read_buffers.ts";
import type { LogValue } from "../core/log.ts";
import { formatReply, type SmtpReply } from "../core/reply.ts";
import { ask } from "./asks.ts";
import type { ContentStream } from "./backend.ts";
import { parseCommand } from "./command.ts";
import type { ConnectionOptions, Settings } from "./connection.ts";
import type { DataRate } from "./data_rate.ts";
import {
  type DoorRefusal,
  refusedMail,
  refusedMessage,
} from "./door_refusals.ts";
import { type GuardAction, TRUSTED } from "./guard.ts";
import type { Held } from "./held_socket_io.ts";
import type { Framing } from "./incoming_message.ts";
import { type Line, LineReader } from "./line_reader.ts";
import { REPLIES } from "./replies.ts";
import { MAX_SASL_LINE } from "./sasl_step.ts";
import {
  type Action,
  type Event,
  greeting,
  NEW_SESSION,
  type Question,
  type Session,
} from "./session.ts";
import { step } from "./session_step.ts";
import { newDataRate, Transfer } from "./transfer.ts";
import type { Introduced } from "./xclient.ts";

/** Unread commands above which the socket is not read while one waits. */
const MAX_WAITING = 16_384;
/** Octets thrown away while a client takes its last reply. */
const MAX_DISCARDED = 262_144;
/** Recipients that are asked about before their turn. */
const MAX_FORESEEN = 32;
/** Time to take the last reply and hang up. */
const LINGER_MS = 2_000;
/** Time for a TLS handshake, if `commandWithinMs` is not shorter. */
const HANDSHAKE_MS = 60_000;

type Mode =
  | "command"
  | "asking"
  | "message"
  | "chunk"
  | "taking"
  | "handshake"
  | "closing"
  | "closed";

/** A chunk of RFC 3030, as BDAT announced it. */
interface Chunk {
  readonly sizeBytes: number;
  readonly last: boolean;
}

/** Octets of a chunk that nobody keeps, and what is done behind them. */
interface Skipped {
  left: number;
  readonly rate: DataRate;
  readonly then: () => void;
}

/** See the file's header. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #settings: Settings;
  readonly #lines: LineReader;
  /** Recipients to come that were asked about already; about. */
  #foreseen = 0;
  readonly #sessionEndsAt: number;
  #socket: Socket;
  #mode: Mode = "command";
  #session: Session;
  /** Version and cipher; empty in clear. */
  #tls = "";
  /** The message under way. */
  #transfer: Transfer | undefined;
  /** Of the chunk under way. */
  #chunkBytes = 0;
  #skipped: Skipped | undefined;
  /** Replies not yet written; bounded by the commands in `#lines`. */
  #out = "";
  #deadline = Infinity;
  #clientEnded = false;
  /** Octets that came after the last reply. */
  #discarded = 0;
  #stopping = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#socket = options.socket;
    this.#session = openingSession(options);
    this.#tls = options.known?.tls ?? "";
    this.#lines = new LineReader(
      this.#settings.takesLogins ? MAX_SASL_LINE : undefined,
    );
    this.#sessionEndsAt = performance.now() + this.#settings.sessionWithinMs;
    if (options.guard !== undefined) {
      options.guard.onAction = (action) => this.#obey(action);
    }
    if (options.isTls) {
      const held = options.held?.octets;
      this.#socket.pause();
      if (held !== undefined && held.length > 0) this.#socket.unshift(held);
      this.#shakeHands(() => this.#say(greeting(this.#settings)));
    } else {
      this.#attach(options.socket);
      this.#say(greeting(this.#settings));
      this.#flush();
    }
  }

  /** Goes on with what was read before. Once, when {@link tick} may be called. */
  begin(held: Held): void {
    if (this.#options.isTls) return;
    if (held.octets.length > 0) this.#onData(held.octets);
    else this.#balance();
    if (held.ended) this.#onEnd();
  }

  /**
   * Ends what has outlived its deadline.
   *
   * @param commandWithinMs What a wait is cut down to, see `stress.ts`
   */
  tick(nowMs: number, commandWithinMs = Infinity): void {
    // Who has our promise to read a message gets its outcome.
    if (this.#mode === "taking" || this.#mode === "closed") return;
    if (nowMs < this.#endsAt(commandWithinMs)) return;
    if (this.#mode === "closing" || this.#mode === "handshake") {
      this.#socket.destroy();
      return;
    }
    this.#options.count("timeouts");
    this.#say(REPLIES.timeout);
    this.#close();
  }

  /** The role stops: a message under way may still be completed. */
  stop(): void {
    this.#stopping = true;
    switch (this.#mode) {
      case "command":
      case "asking":
        this.#say(REPLIES.stopping);
        this.#close();
        return;
      case "handshake":
        this.#socket.destroy();
        return;
      case "message":
      case "chunk":
      case "taking":
      case "closing":
      case "closed":
        return;
    }
  }

  /** Closes at once, whatever is under way. */
  destroy(): void {
    this.#socket.destroy();
  }

  #endsAt(commandWithinMs: number): number {
    if (this.#mode === "closing") return this.#deadline;
    const cut = Math.max(0, this.#settings.commandWithinMs - commandWithinMs);
    const wait = this.#deadline - (this.#mode === "command" ? cut : 0);
    // Between two chunks a message is under way too.
    const message = this.#transfer?.endsAtMs(cut) ?? Infinity;
    const skipped = (this.#skipped?.rate.endsAtMs ?? Infinity) - cut;
    return Math.min(wait, message, skipped, this.#sessionEndsAt);
  }

  #attach(socket: Socket): void {
    socket.on("data", this.#onData);
    socket.on("end", this.#onEnd);
    socket.on("drain", this.#onDrain);
    socket.on("close", this.#onClose);
    socket.on("error", ignored);
  }

  #detach(socket: Socket): void {
    socket.off("data", this.#onData);
    socket.off("end", this.#onEnd);
    socket.off("drain", this.#onDrain);
    socket.off("close", this.#onClose);
    socket.off("error", ignored);
  }

  readonly #onData = (bytes: Uint8Array): void => {
    countRead(bytes.length);
    switch (this.#mode) {
      case "message":
        this.#feed(bytes);
        break;
      case "chunk":
        this.#feedChunk(bytes);
        this.#run();
        break;
      case "command":
      case "asking":
      case "taking":
        this.#lines.push(bytes);
        this.#run();
        break;
      case "closing":
        this.#discarded += bytes.length;
        if (this.#discarded > MAX_DISCARDED) this.#socket.pause();
        return;
      case "handshake":
      case "closed":
        return;
    }
    this.#balance();
  };

  readonly #onEnd = (): void => {
    this.#clientEnded = true;
    switch (this.#mode) {
      case "message":
      case "chunk":
      case "handshake":
        this.#socket.destroy();
        return;
      case "command":
      case "asking":
      case "taking":
      case "closing":
      case "closed":
        this.#run();
    }
  };

  readonly #onDrain = (): void => {
    this.#run();
    this.#balance();
  };

  readonly #onClose = (): void => {
    if (this.#mode === "closed") return;
    // After its end a message is ours to finish, client or no client: then
    // it stands here no longer.
    this.#dropMessage();
    this.#mode = "closed";
    this.#options.onClosed();
  };

  /** Runs the commands that are there, until one has to wait. */
  #run(): void {
    while (this.#mode === "command" && !this.#socket.writableNeedDrain) {
      const line = this.#lines.next();
      if (line === undefined) break;
      if (line.is === "flood") {
        this.#say(REPLIES.endlessLine);
        return this.#close();
      }
      this.#options.guard?.line(line, this.#lines.pending > 0, this.#session);
      if (this.#mode !== "command") return;
      this.#apply(this.#eventOf(line));
    }
    if (this.#mode !== "command") return;
    this.#flush();
    if (this.#socket.writableNeedDrain) return;
    if (this.#stopping) {
      this.#say(REPLIES.stopping);
      this.#close();
    } else if (this.#clientEnded) this.#close();
  }

  #eventOf(line: Line & { is: "line" | "fault" }): Event {
    if (line.is === "fault") return { is: "line-fault", fault: line.fault };
    if (this.#session.at === "auth") {
      return { is: "response", line: line.text };
    }
    return {
      is: "command",
      command: parseCommand(line.text, this.#allowsUtf8()),
      moreFollows: this.#lines.pending > 0,
    };
  }

  #apply(event: Event): void {
    const [session, action] = step(this.#session, event, this.#settings);
    this.#session = session;
    // RSET and the like, between two chunks.
    if (session.at !== "mail") this.#dropMessage();
    switch (action.do) {
      case "nothing":
        return;
      case "reply":
      case "close":
        this.#noteLogin(action);
        if (action.reply.code >= 500) this.#noteRefusal(event, action.reply);
        this.#say(action.reply);
        if (action.do === "close") this.#close();
        return;
      case "ask":
        return this.#ask(action.question);
      case "read-message":
        this.#wait("asking");
        this.#openMessage();
        return;
      case "read-chunk":
        return this.#readChunk(action);
      case "skip-chunk": {
        const { sizeBytes, reply } = action;
        return this.#skipChunk(sizeBytes, () => this.#say(reply));
      }
      case "start-tls":
        return this.#startTls();
      case "become":
        return this.#become(action.as);
    }
  }

  /** XCLIENT: all that was said before was another client's. */
  #become({ address, helo, protocol }: Introduced): void {
    const socket = this.#socket;
    this.#flush();
    this.#mode = "closed";
    this.#detach(socket);
    this.#options.onBecome?.({
      socket,
      address,
      held: { octets: this.#lines.takeRest(), ended: this.#clientEnded },
      known: {
        secured: this.#session.secured,
        tls: this.#tls,
        hello: helo === undefined
          ? undefined
          : { helo, esmtp: protocol !== "SMTP" },
      },
    });
  }

  /** Sends the client away, unless a message of it is under way. */
  #obey(action: GuardAction): void {
    const isIdle = this.#mode === "command" || this.#mode === "asking";
    if (action.do !== "drop" || !isIdle) return;
    this.#say(action.reply);
    this.#close();
  }

  #noteRefusal(event: Event, reply: SmtpReply): void {
    this.#options.guard?.tally("errors");
    if (event.is !== "command") return;
    const refused = refusedMail(event.command, reply);
    if (refused !== undefined) this.#tellRefused(refused);
  }

  #tellRefused(refused: DoorRefusal): void {
    const session = this.#session;
    this.#options.onRefused(refused, {
      client: this.#options.address,
      helo: session.at === "start" ? "" : session.hello.helo,
    });
  }

  /** Counts and logs a login that failed. */
  #noteLogin({ reply, why }: Action & { do: "reply" | "close" }): void {
    if (why === undefined) return;
    this.#options.count("login-failures");
    this.#log("login-failed", { why });
    const isWrong = reply === REPLIES.tooManyLogins || reply.code === 535;
    if (isWrong) this.#options.guard?.tally("auth-failures");
  }

  /** Stops running commands; the calls that are waited for have time limits. */
  #wait(mode: "asking" | "taking"): void {
    this.#mode = mode;
    this.#deadline = Infinity;
  }

  /** Goes on after a wait, unless the connection ended meanwhile. */
  #resume(event: Event): void {
    if (this.#mode === "closing" || this.#mode === "closed") return;
    this.#mode = "command";
    this.#apply(event);
    // A sender is told at once that a message is ours, whatever it has
    // pipelined behind: a connection lost meanwhile makes a duplicate.
    if (event.is === "message") this.#flush();
    this.#run();
    this.#balance();
  }

  #ask(question: Question): void {
    const answer = ask(question, {
      backend: this.#options.backend,
      session: this.#session,
      guard: this.#options.guard,
      count: this.#options.count,
      refused: (what) => this.#tellRefused(what),
      log: (event, fields) => this.#log(event, fields),
    });
    if (!(answer instanceof Promise)) {
      return this.#apply({ is: "answer", question, answer });
    }
    this.#wait("asking");
    answer.then((answer) => this.#resume({ is: "answer", question, answer }));
    if (question.about === "recipient") this.#foresee();
  }

  /**
   * A client with a long list names many recipients in one go. What it says of
   * each is answered in order; but the asking need not wait for that.
   */
  #foresee(): void {
    if (this.#foreseen-- > 0) return;
    this.#foreseen = 0;
    const { backend } = this.#options;
    const asker = this.#session.login === undefined
      ? backend
      : backend.forLogins;
    if (asker?.foresee === undefined) return;
    for (const line of this.#lines.ahead(MAX_FORESEEN)) {
      const command = parseCommand(line, this.#allowsUtf8());
      if (command.is !== "rcpt") return;
      this.#foreseen++;
      if (command.path.kind === "address") asker.foresee(command.path.address);
    }
  }

  async #openMessage(): Promise<void> {
    const stream = await this.#options.backend.store();
    if (this.#mode !== "asking") return stream?.abort();
    if (stream === undefined) return this.#resume({ is: "no-store" });
    if (this.#lines.pending > 0) {
      // What came while the spool was asked came before 354 all the same.
      stream.abort();
      this.#say(REPLIES.outOfStep);
      return this.#close();
    }
    this.#transfer = this.#begin(stream, "dot");
    this.#mode = "message";
    this.#say(REPLIES.goAhead);
    if (this.#clientEnded) return this.#close();
    this.#flush();
    this.#deadline = Infinity;
    this.#transfer.startRate(this.#socket.isPaused());
  }

  /** The store is open: the message begins. */
  #begin(stream: ContentStream, framing: Framing): Transfer {
    return new Transfer({
      stream,
      framing,
      settings: this.#settings,
      address: this.#options.address,
      session: this.#session,
      backlog: this.#options.backlog,
      onDrain: () => this.#balance(),
      tls: this.#tls,
    });
  }

  /** RFC 3030 §2. The first chunk of a message waits for a store. */
  #readChunk(chunk: Chunk): void {
    if (this.#transfer !== undefined) {
      return this.#enterChunk(this.#transfer, chunk);
    }
    this.#wait("asking");
    this.#openChunks(chunk);
  }

  async #openChunks(chunk: Chunk): Promise<void> {
    const stream = await this.#options.backend.store();
    const session = this.#session;
    if (this.#mode !== "asking" || session.at !== "mail") {
      return stream?.abort();
    }
    if (stream === undefined) {
      this.#skipChunk(chunk.sizeBytes, () => this.#apply({ is: "no-store" }));
    } else {
      const isBinary = session.mail.bodyType === "binarymime";
      const framing = isBinary ? "binary-chunks" : "chunks";
      this.#transfer = this.#begin(stream, framing);
      this.#enterChunk(this.#transfer, chunk);
    }
    this.#run();
    this.#balance();
  }

  #enterChunk(transfer: Transfer, chunk: Chunk): void {
    transfer.beginChunk(chunk.sizeBytes, chunk.last);
    this.#mode = "chunk";
    this.#deadline = Infinity;
    this.#chunkBytes = chunk.sizeBytes;
    this.#feedChunk(this.#lines.takeRest());
  }

  /** Reads a chunk that nobody keeps; its octets must not run as commands. */
  #skipChunk(sizeBytes: number, then: () => void): void {
    const rate = newDataRate(this.#settings);
    this.#skipped = { left: sizeBytes, rate, then };
    this.#mode = "chunk";
    this.#deadline = performance.now() + this.#settings.messageWithinMs;
    this.#feedChunk(this.#lines.takeRest());
  }

  #feedChunk(bytes: Uint8Array): void {
    if (this.#skipped !== undefined) {
      return this.#feedSkipped(this.#skipped, bytes);
    }
    const transfer = this.#transfer!;
    this.#keepRest(bytes, transfer.push(bytes));
    if (transfer.ended) {
      this.#take(transfer);
    } else if (transfer.isBetweenChunks) {
      this.#endChunk();
      this.#apply({ is: "chunk", sizeBytes: this.#chunkBytes });
    } else this.#awaitChunk();
  }

  #feedSkipped(skipped: Skipped, bytes: Uint8Array): void {
    skipped.rate.earn(bytes.length, performance.now());
    const used = Math.min(skipped.left, bytes.length);
    this.#keepRest(bytes, used);
    skipped.left -= used;
    if (skipped.left > 0) return this.#awaitChunk();
    this.#skipped = undefined;
    this.#endChunk();
    skipped.then();
  }

  /** What follows a message, or a chunk of it, are commands. */
  #keepRest(bytes: Uint8Array, used: number): void {
    if (used < bytes.length) this.#lines.push(bytes.subarray(used));
  }

  /** The client's time for the rest of a chunk; most need none. */
  #awaitChunk(): void {
    if (this.#clientEnded) return this.#close();
    // The replies before it: a client may wait for them.
    const deadline = this.#deadline;
    this.#flush();
    this.#deadline = deadline;
    if (this.#transfer?.isTimed === false) {
      this.#transfer.startRate(this.#socket.isPaused());
    }
  }

  #endChunk(): void {
    this.#mode = "command";
    this.#transfer?.stopRate();
  }

  #feed(bytes: Uint8Array): void {
    const transfer = this.#transfer!;
    this.#keepRest(bytes, transfer.push(bytes));
    if (transfer.ended) {
      this.#take(transfer);
    } else if (transfer.flooding) {
      this.#say(REPLIES.farTooLarge);
      this.#close();
    }
  }

  async #take(transfer: Transfer): Promise<void> {
    this.#wait("taking");
    this.#transfer = undefined;
    const session = this.#session;
    const { backend, guard } = this.#options;
    const checks = guard?.checks ?? TRUSTED;
    const { end, facts } = await transfer.finish(session, { backend, checks });
    // The reply first: a client waits for it, and nobody for the log.
    this.#resume({ is: "message", end });
    if (end.is === "taken") {
      this.#options.count("accepted");
      this.#options.guard?.mailed();
      const isDiscarded = session.at === "mail" &&
        session.mail.effect === "discard";
      this.#log(isDiscarded ? "message-discarded" : "message-accepted", facts);
    } else {
      this.#options.count("refused");
      const why = end.is === "spoilt" ? end.why : end.is;
      for (const one of refusedMessage(session, end, transfer.sizeBytes)) {
        this.#tellRefused(one);
      }
      this.#log("message-refused", { ...facts, why });
    }
  }

  /**
   * RFC 3207 §4. The order is the point: reading stops before 220 is written,
   * and who sent anything by then is cut off, so that nothing said in clear
   * is taken for something said inside TLS (CVE-2011-0411).
   */
  #startTls(): void {
    const plain = this.#socket;
    plain.pause();
    // Looked at and not read: in Deno 2.9.6 read() on a paused socket starts
    // reading again, and the ClientHello is lost.
    if (plain.readableLength + this.#lines.pending > 0) {
      this.#say(REPLIES.outOfStep);
      return this.#close();
    }
    plain.off("data", this.#onData);
    plain.off("end", this.#onEnd);
    plain.off("drain", this.#onDrain);
    plain.write(this.#out + formatReply(REPLIES.readyForTls));
    this.#out = "";
    this.#shakeHands();
  }

  /** Makes the socket one of TLS; `then` runs before the session goes on. */
  #shakeHands(then: () => void = () => {}): void {
    const plain = this.#socket;
    const { secureContext } = this.#settings;
    if (secureContext === undefined) throw new TypeError("No certificate");
    this.#mode = "handshake";
    this.#deadline = performance.now() +
      Math.min(HANDSHAKE_MS, this.#settings.commandWithinMs);
    const secured = new tls.TLSSocket(plain, { isServer: true, secureContext });
    this.#socket = secured;
    this.#attach(secured);
    secured.once("secure", () => {
      this.#options.count("tls");
      this.#tls = protectionOf(secured);
      this.#options.guard?.tally("tls-handshakes");
      then();
      this.#resume({ is: "secured" });
    });
    // What is no TLS after the handshake is told by this event alone in Deno
    // 2.9.6, and nothing more comes.
    secured.on("_tlsError", () => secured.destroy());
    secured.once("error", () => {
      if (this.#mode === "handshake") this.#options.count("tls-failed");
      plain.destroy();
    });
  }

  /** Says the last word, and waits a little for the client to take it. */
  #close(): void {
    this.#dropMessage();
    this.#mode = "closing";
    this.#flush();
    this.#deadline = performance.now() + LINGER_MS;
    this.#lines.takeRest();
    this.#socket.end();
    // Unread octets would turn our close into a reset that eats the reply.
    this.#socket.resume();
  }

  #dropMessage(): void {
    this.#transfer?.abort();
    this.#transfer = undefined;
  }

  /** Reads the socket only while there is room for what it brings. */
  #balance(): void {
    if (this.#mode === "closing" || this.#mode === "handshake") return;
    const full = this.#lines.pending > MAX_WAITING ||
      (this.#transfer?.isFull ?? false);
    if (full === this.#socket.isPaused()) return;
    this.#transfer?.hold(full);
    if (full) this.#socket.pause();
    else this.#socket.resume();
  }

  #say(reply: SmtpReply): void {
    this.#out += formatReply(reply);
  }

  /** Writes the replies; the client's time for its next line starts now. */
  #flush(): void {
    if (this.#out === "") return;
    this.#socket.write(this.#out);
    this.#out = "";
    this.#deadline = performance.now() + this.#settings.commandWithinMs;
  }

  /** RFC 6531 §3.4: the transaction under way asked for SMTPUTF8. */
  #allowsUtf8(): boolean {
    return this.#session.at === "mail" && this.#session.mail.wishes.smtpUtf8;
  }

  #log(event: string, fields: Record<string, LogValue>): void {
    this.#options.log(event, { ...fields, client: this.#options.address });
  }
}

/** Version and cipher of a session. */
function protectionOf(socket: tls.TLSSocket): string {
  const version = socket.getProtocol() ?? "TLS";
  // Deno 2.9.6 names no cipher of a server's session.
  const { name = "" } = socket.getCipher?.() ?? {};
  return `${version} ${name}`.trim().slice(0, 100);
}

/** "close" follows, and says all we need. */
function ignored(): void {}

function openingSession({ address, known }: ConnectionOptions): Session {
  const { secured = false, hello } = known ?? {};
  const session = { ...NEW_SESSION, client: address, secured };
  return hello === undefined ? session : { ...session, at: "ready", hello };
}
