/**
 * Runs a script against the server's own {@link Connection} and judges what
 * came of it: nothing thrown, every command one reply, every message one
 * acknowledgement, every acknowledged message stored octet for octet, and the
 * connection over in the end.
 */
import { Backlog } from "../../mod/smtpd/backlog.ts";
import { Connection } from "../../mod/smtpd/connection_io.ts";
import { TEST_PART } from "../../mod/smtpd/server_fixture.ts";
import { Buffer } from "node:buffer";
import tls from "node:tls";
import { FakeSocket } from "./fake_socket.ts";
import { FakeTlsSocket } from "./fake_tls.ts";
import { type Content, isSpoilt, readSession } from "./reference_reader.ts";
import { type Accepted, ScriptedBackend } from "./scripted_backend.ts";
import { octetsOf, type Script, type Step } from "./session_script.ts";

/** What one run showed. */
export interface Outcome {
  /** Why it is a failure; empty if it is none. */
  readonly faults: readonly string[];
  readonly written: string;
  readonly accepted: readonly Accepted[];
  /** Time that passed while nothing was waited for. */
  readonly cpuMs: number;
}

/** Limits small enough to be reached by short sessions. */
const SETTINGS = {
  ...TEST_PART,
  maxMessageBytes: 20_000,
  maxRecipients: 100,
  secureContext: {} as tls.SecureContext,
  offersTls: true,
  takesLogins: false,
  endPoint: null,
  hideClient: false,
};

// No handshake of these tests is a true one.
Object.assign(tls, { TLSSocket: FakeTlsSocket });

const LONG_AFTER_MS = 1e9;
/** Microtasks that any chain of answers may take. */
const SETTLE_HOPS = 40;
/** More than a script that is as long as may be needs. */
const MAX_ROUNDS = 20_000;

/** Runs one; never throws for what the server does. */
export async function attack(script: Script): Promise<Outcome> {
  const began = performance.now();
  const socket = new FakeSocket("192.0.2.1");
  const takesLogins = script.port === "submission";
  const backend = new ScriptedBackend(script.answers, takesLogins);
  const faults: string[] = [];
  let closings = 0;
  let connection: Connection | undefined;
  try {
    connection = new Connection({
      backlog: new Backlog(),
      socket: socket.asSocket,
      address: "192.0.2.1",
      settings: { ...SETTINGS, takesLogins },
      backend,
      log: () => {},
      onRefused: () => {},
      count: () => {},
      onClosed: () => closings++,
    });
    await settle(2);
    for (const step of script.steps) {
      await take(step, { connection, socket, backend });
    }
    if (await finish(connection, { socket, backend })) {
      faults.push("waits for a client that has hung up");
    }
  } catch (error) {
    faults.push(`threw ${error instanceof Error ? error.stack : error}`);
  }
  const cpuMs = performance.now() - began;
  if (!socket.destroyed) faults.push("the connection never ends");
  if (closings !== 1) faults.push(`onClosed was told ${closings} times`);
  if (backend.openStreams > 0) faults.push("a stream into the spool is open");
  if (backend.held > 0) faults.push("answers are awaited for ever");
  const sent = octetsOf(script);
  faults.push(...judge({ sent, script, socket, backend }));
  return { faults, written: socket.written, accepted: backend.accepted, cpuMs };
}

interface Scene {
  readonly socket: FakeSocket;
  readonly backend: ScriptedBackend;
}

async function take(
  step: Step,
  { connection, socket, backend }: Scene & { connection: Connection },
): Promise<void> {
  switch (step.do) {
    case "send":
      socket.arrive(Buffer.from(step.octets, "latin1"));
      return await settle(step.hops);
    case "release":
      backend.release(step.count);
      return await settle(step.hops);
    case "end":
      socket.arriveEnd();
      return await settle(2);
    case "reset":
      socket.lose();
      return await settle(2);
    case "choke":
      socket.writableNeedDrain = true;
      return;
    case "drain":
      socket.drain();
      return await settle(2);
    case "tick":
      connection.tick(performance.now() + step.ms);
      return await settle(2);
    case "stop":
      connection.stop();
      return await settle(2);
  }
}

/**
 * Every answer comes, the client reads, hangs up, and all deadlines pass.
 *
 * @returns True if only a deadline ended it
 */
async function finish(
  connection: Connection,
  { socket, backend }: Scene,
): Promise<boolean> {
  socket.drain();
  // Each answer may lead to a further call, held or not: until all is quiet.
  const answerAll = async () => {
    let before = "";
    for (let round = 0; round < MAX_ROUNDS; round++) {
      backend.release(Infinity);
      await settle(SETTLE_HOPS);
      const now = `${backend.calls} ${socket.written.length}`;
      if (now === before && backend.held === 0) return;
      before = now;
    }
  };
  await answerAll();
  socket.arriveEnd();
  await answerAll();
  const waits = !socket.destroyed && !socket.isEnded;
  // Twice: a deadline may have to let the last reply be taken.
  for (let i = 0; i < 2 && !socket.destroyed; i++) {
    connection.tick(performance.now() + LONG_AFTER_MS);
    await answerAll();
  }
  return waits;
}

function judge(
  { sent, script, socket, backend }: Scene & { sent: string; script: Script },
): string[] {
  const reading = readSession(sent, socket.written);
  const isReset = script.steps.some((step) => step.do === "reset");
  const faults = [...reading.faults];
  // Who is gone is owed nothing more.
  // Nor is anything said in a handshake that has lasted too long.
  const isCut = reading.silence?.includes("220 2.0.0 Ready to start TLS") &&
    script.steps.some((step) => step.do === "stop" || step.do === "tick");
  if (reading.silence !== undefined && !isReset && !isCut) {
    faults.push(reading.silence);
  }
  // Replies to a batch leave together: who is gone may have missed some.
  const hidden = isReset ? Math.max(0, ends(sent) - reading.wholes) : 0;
  if (backend.acceptAsks > reading.wholes + hidden) {
    faults.push(
      `${backend.acceptAsks} messages out of ${reading.wholes} ends of data`,
    );
  }
  // Who hung up does not hear the last reply; who reads hears every one.
  const isLost = script.steps.some((step) =>
    step.do !== "send" && step.do !== "release"
  );
  const heard = reading.acknowledged;
  const wanted = [...heard];
  // Of who was reset nobody can say which message it was.
  const unheard = isReset && reading.unanswered !== undefined ? 1 : 0;
  if (isLost && !isReset && backend.accepted.length === heard.length + 1) {
    if (reading.unanswered !== undefined) wanted.push(reading.unanswered);
    else faults.push("accepted, never sent");
  }
  if (
    backend.accepted.length < wanted.length ||
    backend.accepted.length > wanted.length + hidden + unheard
  ) {
    faults.push(
      `${backend.accepted.length} accepted, ${wanted.length} acknowledged`,
    );
  }
  backend.accepted.forEach((accepted, index) => {
    const content = wanted[index];
    if (content !== undefined) faults.push(...compare(accepted, content));
    if (script.port === "submission" && accepted.ask.client.login === "") {
      faults.push("a message of nobody's");
    }
  });
  return faults;
}

/** Ends of messages that there may be in what was sent, at most. */
function ends(sent: string): number {
  return (`\r\n${sent}`.match(/\r\n\.(?=\r\n)|LAST[ \t]*\r\n/gi) ?? []).length;
}

const TRACE = /^Received: from [^\r\n\0]*\r\n(\t[^\r\n\0]*\r\n)*$/;

/**
 * The stored message is one field of ours and then what was sent, between them
 * an empty line if what was sent would go on with that field.
 */
function compare({ ask, stored }: Accepted, content: Content): string[] {
  const faults: string[] = [];
  // What a login submits has its header block repaired: only the body stays.
  if (ask.client.login !== "") {
    const at = content.octets.indexOf("\r\n\r\n");
    content = { ...content, octets: at < 0 ? "" : content.octets.slice(at) };
  }
  const isRepaired = ask.client.login !== "";
  // Cut from behind: a message may begin with what looks like our field's end.
  const body = [content.octets, content.octets + "\r\n"]
    .find((one) => stored.endsWith(one));
  if (body === undefined) {
    faults.push(
      `stored ${show(stored)}, which does not end with ${show(content.octets)}`,
    );
  } else {
    const field = stored.slice(0, stored.length - body.length);
    const gap = /^[ \t]/.test(body) ? "\r\n" : "";
    const isField = field.endsWith(gap) && TRACE.test(
      field.slice(0, field.length - gap.length),
    );
    if (!isField && !isRepaired) {
      faults.push(`stored behind ${show(field)}`);
    }
  }
  if (!content.isBinary && isSpoilt(stored)) {
    faults.push("stored a bare CR, a bare LF or a NUL");
  }
  const { recipients, reversePath } = ask;
  if (recipients.length < 1 || recipients.length > content.recipients) {
    faults.push(
      `${recipients.length} recipients of ${content.recipients} accepted`,
    );
  }
  for (const path of [reversePath, ask.client.helo, ...recipients]) {
    // deno-lint-ignore no-control-regex -- it is what we look for
    if (path.length > 512 || /[\0-\x1f\x7f]/.test(path)) {
      faults.push(`an envelope with ${JSON.stringify(path.slice(0, 100))}`);
    }
  }
  return faults;
}

async function settle(hops: number): Promise<void> {
  for (let hop = 0; hop < hops; hop++) await undefined;
}

function show(text: string): string {
  return JSON.stringify(text.length > 400 ? text.slice(0, 400) : text);
}
