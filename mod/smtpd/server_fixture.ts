/** A whole server on a loopback port with fake roles behind it, for tests. */
import type net from "node:net";
import type { LogValue } from "../core/log.ts";
import { FakeBackend, FakeSubmissionBackend } from "./fake_backend.ts";
import type { FakeGate } from "./fake_gate.ts";
import type { SmtpdPart, SubmissionPart } from "./role.ts";
import { SmtpServer } from "./server_io.ts";

/** Settings that a test overrides in part. */
export const TEST_PART: SmtpdPart = {
  hostname: "mx.home.test",
  maxMessageBytes: 1_000_000,
  maxRecipients: 100,
  tellsSubjectWords: true,
  hopLimit: 10,
  commandWithinMs: 10_000,
  messageWithinMs: 10_000,
  sessionWithinMs: 60_000,
  maxSessions: 100,
  maxSessionsPerClient: 100,
  minDataRate: 500,
  proxyFrom: [],
  xclientFrom: [],
  screening: {
    trusted: ["127.0.0.0/8"],
    hasTables: false,
    shadow: false,
    greetWaitMs: 100,
    greetAction: "enforce",
    deepAction: "enforce",
  },
  tls: null,
};

/** What a test gets. */
export interface Fixture {
  readonly port: number;
  readonly server: SmtpServer;
  readonly backend: FakeBackend;
  readonly logged: { event: string; fields: Record<string, LogValue> }[];
  readonly counted: Map<string, number>;
}

/** Runs `test` with a server of its own and stops it. */
export async function withServer(
  part: Partial<SmtpdPart>,
  test: (fixture: Fixture) => Promise<void>,
): Promise<void> {
  await serve(part, { backend: new FakeBackend(), isTls: false }, test);
}

/** The same with a gate, and nobody trusted unless `screening` says so. */
export async function withGate(
  gate: FakeGate,
  part: Omit<Partial<SmtpdPart>, "screening"> & {
    screening?: Partial<SmtpdPart["screening"]>;
  },
  test: (fixture: Fixture) => Promise<void>,
): Promise<void> {
  const screening = {
    ...TEST_PART.screening,
    trusted: [],
    ...part.screening,
  };
  const backend = new FakeBackend();
  const whole = { ...part, screening };
  await serve(whole, { backend, isTls: false, gate }, test);
}

/** What only a server for submission has. */
export interface SubmissionFixture extends Fixture {
  readonly backend: FakeSubmissionBackend;
}

/** The same for submission, with TLS from the first octet or STARTTLS. */
export async function withSubmission(
  part: Partial<SubmissionPart>,
  options: { isTls: boolean; gate?: FakeGate },
  test: (fixture: SubmissionFixture) => Promise<void>,
): Promise<void> {
  const backend = new FakeSubmissionBackend();
  const screening = { ...TEST_PART.screening };
  if (options.gate !== undefined) screening.trusted = [];
  const whole = { hideClient: false, channelBinding: true, screening, ...part };
  await serve(whole, { ...options, backend }, test);
}

async function serve<B extends FakeBackend>(
  part: Partial<SubmissionPart>,
  { backend, isTls, gate }: { backend: B; isTls: boolean; gate?: FakeGate },
  test: (fixture: Fixture & { backend: B }) => Promise<void>,
): Promise<void> {
  const logged: Fixture["logged"] = [];
  const counted = new Map<string, number>();
  const server = new SmtpServer({
    part: { ...TEST_PART, ...part },
    backend,
    ...(gate === undefined ? {} : { gate }),
    log: (event, fields) => void logged.push({ event, fields }),
    count: (name) => void counted.set(name, (counted.get(name) ?? 0) + 1),
  });
  const listening = await server.listen({ host: "127.0.0.1", port: 0 }, isTls);
  const { port } = listening.address() as net.AddressInfo;
  try {
    await test({ port, server, backend, logged, counted });
  } finally {
    await server.stop();
  }
}

/** Waits until `is` holds, at most 3 s. */
export async function until(is: () => boolean, what: string): Promise<void> {
  const late = performance.now() + 3_000;
  while (!is()) {
    if (performance.now() > late) throw new Error(`Never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A self-signed certificate for `mx.home.test`, made by openssl. */
export async function selfSigned(): Promise<{ cert: string; key: string }> {
  const dir = await Deno.makeTempDir();
  const { success } = await new Deno.Command("openssl", {
    args: ["req", "-x509", "-newkey", "ec", "-pkeyopt"]
      .concat(["ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
      .concat(["-subj", "/CN=mx.home.test"])
      .concat(["-keyout", `${dir}/key.pem`, "-out", `${dir}/cert.pem`]),
    stdout: "null",
    stderr: "null",
  }).output();
  if (!success) throw new Error("openssl made no certificate");
  const cert = await Deno.readTextFile(`${dir}/cert.pem`);
  const key = await Deno.readTextFile(`${dir}/key.pem`);
  await Deno.remove(dir, { recursive: true });
  return { cert, key };
}
