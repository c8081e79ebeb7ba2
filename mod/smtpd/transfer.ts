/**
 * One message between the command that lets it come and its outcome: what we
 * put before it, how fast and until when it must come, and the moment when it
 * is taken over. Knows sessions and roles, and no socket.
 */
import { type Check, MAX_CHECKS } from "../core/intake.ts";
import { newQueueId } from "../core/ids.ts";
import { internetDate } from "../core/internet_date.ts";
import type { LogValue } from "../core/log.ts";
import { SubjectReader } from "../core/subject_reader.ts";
import { addressOfMailbox, type Mailbox } from "../core/shapes.ts";
import type { Backend, ContentStream } from "./backend.ts";
import { DataRate } from "./data_rate.ts";
import type { Backlog } from "./backlog.ts";
import type { Facts } from "../core/header_repair.ts";
import {
  type Framing,
  IncomingMessage,
  type MessageLimits,
} from "./incoming_message.ts";
import { type Protocol, protocolOf, receivedField } from "./received.ts";
import type { MessageEnd, Session, Transaction } from "./session.ts";
import { takeOver } from "./take_over.ts";

/** What messages are bound by. */
export interface TransferSettings extends MessageLimits {
  readonly hostname: string;
  /** Whole time for one message. */
  readonly messageWithinMs: number;
  /** What a message may be late by, see `data_rate.ts`. */
  readonly commandWithinMs: number;
  /** Octets a second that a message must come with; 0 for none. */
  readonly minDataRate: number;
  /** `Received` does not tell the client of who has logged in. */
  readonly hideClient: boolean;
  /** The queue is told words of subjects. */
  readonly tellsSubjectWords: boolean;
}

/** Whose message it is, and what takes it. */
export interface TransferOptions {
  readonly stream: ContentStream;
  readonly framing: Framing;
  readonly settings: TransferSettings;
  /** The client's address in plain form. */
  readonly address: string;
  readonly session: Session;
  readonly backlog: Backlog;
  /** Told when nothing of it is under way to the spool any more. */
  readonly onDrain: () => void;
  /** What protects the session: version and cipher; or empty. */
  readonly tls: string;
}

/** What became of a message, and what the log says of it. */
export interface Finished {
  readonly end: MessageEnd;
  readonly facts: Record<string, LogValue>;
}

/** See the file's header. */
export class Transfer {
  readonly #queueId = newQueueId();
  readonly #arrivedMs = Date.now();
  readonly #address: string;
  readonly #settings: TransferSettings;
  readonly #message: IncomingMessage;
  /** Monotonic: when it is too late for its last octet. */
  readonly #endsAtMs: number;
  readonly #backlog: Backlog;
  readonly #tls: string;
  readonly #beganAtMs = performance.now();
  readonly #subject: SubjectReader | undefined;
  #rate: DataRate | undefined;

  constructor(options: TransferOptions) {
    const { settings, session } = options;
    const { login } = session;
    const { mail, hello } = underWay(session);
    this.#settings = settings;
    this.#backlog = options.backlog;
    this.#tls = options.tls;
    this.#subject = settings.tellsSubjectWords
      ? new SubjectReader()
      : undefined;
    this.#address = options.address;
    const trace = receivedField({
      helo: hello.helo,
      address: options.address,
      hidesClient: settings.hideClient && login !== undefined,
      hostname: settings.hostname,
      protocol: protocolFor(session),
      queueId: this.#queueId,
      nowMs: this.#arrivedMs,
    });
    this.#message = new IncomingMessage({
      stream: options.stream,
      limits: settings,
      framing: options.framing,
      head: encoder.encode(trace),
      ...(this.#subject === undefined ? {} : { subject: this.#subject }),
      // Others' messages are not ours to mend.
      repair: login && this.#repair(mail, login),
      onDrain: options.onDrain,
    });
    this.#endsAtMs = performance.now() + settings.messageWithinMs;
    this.#backlog.begin();
  }

  /** See {@link IncomingMessage}. */
  get ended(): boolean {
    return this.#message.ended;
  }
  /** See {@link IncomingMessage}. */
  get flooding(): boolean {
    return this.#message.flooding;
  }
  /** See {@link IncomingMessage}. */
  get sizeBytes(): number {
    return this.#message.sizeBytes;
  }
  /** True while so much of it is under way that no more shall be read. */
  get isFull(): boolean {
    return this.#message.backlog > this.#backlog.mostEach;
  }
  /** See {@link IncomingMessage}. */
  get isBetweenChunks(): boolean {
    return this.#message.isBetweenChunks;
  }

  /** True while its octets must come at a least rate. */
  get isTimed(): boolean {
    return this.#rate !== undefined;
  }

  /**
   * When it is too late for what is to come.
   *
   * @param cutMs What a wait is shortened by
   */
  endsAtMs(cutMs: number): number {
    const rate = this.#rate === undefined
      ? Infinity
      : this.#rate.endsAtMs - cutMs;
    return Math.min(rate, this.#endsAtMs);
  }

  /** From now on its octets must come at a least rate. */
  startRate(isPaused: boolean): void {
    this.#rate = newDataRate(this.#settings);
    this.#rate.hold(isPaused, performance.now());
  }

  /** It need not come: the client waits for us, or may. */
  stopRate(): void {
    this.#rate = undefined;
  }

  /** It is we who do not read, or read again. */
  hold(isPaused: boolean): void {
    this.#rate?.hold(isPaused, performance.now());
  }

  /** See {@link IncomingMessage.beginChunk}. */
  beginChunk(sizeBytes: number, isLast: boolean): void {
    this.#message.beginChunk(sizeBytes, isLast);
  }

  /** See {@link IncomingMessage.push}. */
  push(bytes: Uint8Array): number {
    this.#rate?.earn(bytes.length, performance.now());
    return this.#message.push(bytes);
  }

  /** Gives it up; nothing is kept. */
  abort(): void {
    this.#backlog.end();
    this.#message.abort();
  }

  /**
   * Takes it over, or says why not. Only after {@link ended}.
   *
   * @param session As it stood at the end; it does not change meanwhile
   * @param checks What was looked at of the client
   */
  async finish(
    session: Session,
    { backend, checks }: { backend: Backend; checks: readonly Check[] },
  ): Promise<Finished> {
    const { mail, hello } = underWay(session);
    const { reversePath, recipients, bodyType, wishes, effect } = mail;
    const login = session.login === undefined
      ? ""
      : addressOfMailbox(session.login);
    const { helo } = hello;
    const protocol = protocolFor(session);
    const hasWishes = mail.recipientWishes.some(({ notify, orcpt }) =>
      notify.length > 0 || orcpt !== ""
    );
    const completed = await this.#message.complete();
    this.#backlog.end();
    const end = completed.is === "refused"
      ? completed.fault
      : await takeOver(backend, {
        queueId: this.#queueId,
        reversePath,
        recipients: [...recipients],
        bodyType,
        wishes,
        recipientWishes: hasWishes ? [...mail.recipientWishes] : [],
        hold: effect === "hold",
        discard: effect === "discard",
        client: { address: this.#address, helo, protocol, login },
        intake: {
          tls: this.#tls,
          name: "",
          tookMs: Math.round(performance.now() - this.#beganAtMs),
          checks: [...checks, ...mail.checks].slice(0, MAX_CHECKS),
        },
        ...(this.#subject === undefined
          ? {}
          : { subjectWords: this.#subject.words() }),
      }, completed.reply);
    return {
      end,
      facts: {
        id: this.#queueId,
        from: reversePath,
        recipients: recipients.length,
        sizeBytes: this.#message.sizeBytes,
        helo,
        protocol,
        ...(login === "" ? {} : { login }),
      },
    };
  }

  /** What a submitted message's header block must have. */
  #repair(mail: Transaction, login: Mailbox): Facts {
    return {
      date: internetDate(this.#arrivedMs),
      messageId: `${this.#queueId}@${this.#settings.hostname}`,
      from: mail.reversePath || addressOfMailbox(login),
    };
  }
}

/** The budget of who begins to send now. */
export function newDataRate(settings: TransferSettings): DataRate {
  return new DataRate({
    octetsPerSecond: settings.minDataRate,
    budgetMs: settings.commandWithinMs,
    nowMs: performance.now(),
  });
}

const encoder = new TextEncoder();

function underWay(session: Session): Session & { at: "mail" } {
  if (session.at === "mail") return session;
  throw new RangeError(`Cannot transfer a message: session is ${session.at}`);
}

function protocolFor(session: Session): Protocol {
  const { mail, hello } = underWay(session);
  return protocolOf({
    esmtp: hello.esmtp,
    secured: session.secured,
    authenticated: session.login !== undefined,
    smtpUtf8: mail.wishes.smtpUtf8,
  });
}
