/**
 * A mail host of the DANE laboratory: takes messages, shows the certificates
 * that it is told to, fails in the way that it is told to, and keeps every
 * octet that it saw.
 */
import { Buffer } from "node:buffer";
import net from "node:net";
import tls from "node:tls";
import {
  forgedKeyFor,
  type Issued,
} from "../../mod/dane/certificate_fixture.ts";

/**
 * - `tls`: offers STARTTLS and shakes hands
 * - `clear`: does not offer it
 * - `refuses`: offers it and says 454
 * - `breaks`: says 220 and then no TLS
 * - `injects`: says a reply too many behind the 220, in the clear
 * - `copies`: shows the certificate, but has not its key
 * - `old`: knows TLS 1.1 only
 * - `down`: nobody listens
 */
export type Manner =
  | "tls"
  | "clear"
  | "refuses"
  | "breaks"
  | "injects"
  | "copies"
  | "old"
  | "down";

/** What a host is. */
export interface HostPlan {
  readonly manner: Manner;
  /** The first is its own, and its key is used. */
  readonly chain: readonly Issued[];
  /** Handshakes by TLS 1.2 at most. */
  readonly isOlder?: boolean;
}

/** A message that a host took. */
export interface Taken {
  readonly inTls: boolean;
  readonly text: string;
}

/** A host that listens. */
export interface LabHost {
  readonly taken: readonly Taken[];
  /** Every octet that came, in the clear and decrypted, as latin1. */
  readonly seen: () => string;
  /** Names asked for by SNI; empty where there was none. */
  readonly sni: readonly string[];
  readonly close: () => Promise<void>;
}

/** Starts a host. */
export async function labHost(
  plan: HostPlan,
  at: { address: string; port: number },
): Promise<LabHost> {
  const taken: Taken[] = [];
  const sni: string[] = [];
  const seen: string[] = [];
  const sockets = new Set<net.Socket>();
  const impostor = plan.manner === "copies" ? await copiedBy(plan) : undefined;
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    serve(socket, {
      plan,
      sawText: (text) => seen.push(text),
      sawName: (name) => sni.push(name),
      took: (message) => taken.push(message),
      impostorPort: impostor?.port,
    });
  });
  await new Promise<void>((done, fail) => {
    server.on("error", fail);
    server.listen(at.port, at.address, () => done());
  });
  return {
    taken,
    sni,
    seen: () => seen.join(""),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((done) => server.close(() => done()));
      await impostor?.close();
    },
  };
}

interface Serving {
  readonly plan: HostPlan;
  readonly sawText: (text: string) => void;
  readonly sawName: (name: string) => void;
  readonly took: (message: Taken) => void;
  readonly impostorPort: number | undefined;
}

function serve(plain: net.Socket, serving: Serving): void {
  const { plan } = serving;
  plain.write("220 host.test ESMTP\r\n");
  talk(plain, {
    inTls: false,
    serving,
    onStartTls: (unlisten) => {
      switch (plan.manner) {
        case "clear":
          return plain.write("502 5.5.1 no\r\n");
        case "refuses":
          return plain.write("454 4.7.0 TLS not available\r\n");
        case "breaks":
          unlisten();
          plain.on("data", () => plain.end("what?\r\n"));
          return plain.write("220 go\r\n");
        case "injects":
          unlisten();
          return plain.write("220 go\r\n250 2.0.0 injected\r\n");
        case "copies": {
          unlisten();
          const through = net.connect(serving.impostorPort!, "127.0.0.1");
          through.on("error", () => plain.destroy());
          plain.write("220 go\r\n");
          plain.on("data", (bytes) => through.write(bytes));
          through.on("data", (bytes) => plain.write(bytes));
          through.on("close", () => plain.destroy());
          return plain.on("close", () => through.destroy());
        }
        case "tls":
        case "old":
        case "down":
          unlisten();
          return secure(plain, serving);
      }
    },
  });
}

function secure(plain: net.Socket, serving: Serving): void {
  const { plan } = serving;
  const [own] = plan.chain;
  const limit = plan.isOlder ? { maxVersion: "TLSv1.2" as const } : {};
  const secureContext = tls.createSecureContext({
    cert: plan.chain.map(({ pem }) => pem).join(""),
    key: own!.keyPem,
    ...limit,
  });
  plain.pause();
  const secured = new tls.TLSSocket(plain, { isServer: true, secureContext });
  secured.on("error", () => {});
  secured.on("secure", () => {
    const { servername } = secured as unknown as { servername?: string };
    serving.sawName(servername ?? "");
  });
  plain.write("220 go\r\n");
  talk(secured, { inTls: true, serving, onStartTls: () => {} });
}

/** SMTP, as much of it as one client needs. */
function talk(socket: net.Socket, { inTls, serving, onStartTls }: {
  inTls: boolean;
  serving: Serving;
  onStartTls: (unlisten: () => void) => void;
}): void {
  let held = "";
  let inData = false;
  const onData = (bytes: Uint8Array) => {
    const text = Buffer.from(bytes).toString("latin1");
    serving.sawText(text);
    held += text;
    while (true) {
      const end = inData ? "\r\n.\r\n" : "\r\n";
      const at = held.indexOf(end);
      if (at < 0) return;
      const line = held.slice(0, at);
      held = held.slice(at + end.length);
      if (inData) {
        inData = false;
        serving.took({ inTls, text: line });
        socket.write("250 2.0.0 taken\r\n");
        continue;
      }
      const verb = line.split(/[ :]/)[0]!.toUpperCase();
      if (verb === "STARTTLS") {
        return onStartTls(() => socket.off("data", onData));
      }
      if (verb === "EHLO") {
        const offers = !inTls && serving.plan.manner !== "clear"
          ? ["STARTTLS"]
          : [];
        if (inTls) offers.push("REQUIRETLS");
        const lines = ["host.test", ...offers, "8BITMIME"];
        socket.write(
          lines.map((one, i) =>
            `250${i === lines.length - 1 ? " " : "-"}${one}\r\n`
          ).join(""),
        );
      } else if (verb === "DATA") {
        inData = true;
        socket.write("354 go\r\n");
      } else if (verb === "QUIT") {
        socket.end("221 2.0.0 bye\r\n");
      } else {
        socket.write("250 2.0.0 ok\r\n");
      }
    }
  };
  socket.on("data", onData);
}

/**
 * A TLS server that shows a certificate whose key it has not: OpenSSL believes
 * a key file that says whose key it is.
 */
async function copiedBy(plan: HostPlan): Promise<{
  port: number;
  close: () => Promise<void>;
}> {
  const dir = await Deno.makeTempDir({ prefix: "bulkhead-copied-" });
  const [own] = plan.chain;
  await Deno.writeTextFile(`${dir}/cert.pem`, own!.pem);
  await Deno.writeTextFile(`${dir}/key.pem`, forgedKeyFor(own!));
  const port = freePort();
  const child = new Deno.Command("openssl", {
    args: ["s_server", "-quiet", "-accept", `127.0.0.1:${port}`].concat(
      ["-cert", `${dir}/cert.pem`, "-key", `${dir}/key.pem`],
    ),
    stdin: "piped", // it ends with its input
    stdout: "null",
    stderr: "null",
  }).spawn();
  for (let tries = 0; tries < 100; tries++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      break;
    } catch {
      await new Promise((done) => setTimeout(done, 20));
    }
  }
  return {
    port,
    close: async () => {
      child.kill("SIGKILL");
      await child.stdin.close().catch(() => {});
      await child.status;
      await Deno.remove(dir, { recursive: true });
    },
  };
}

/** A port that is free on loopback now. */
export function freePort(hostname = "127.0.0.1"): number {
  using probe = Deno.listen({ hostname, port: 0 });
  return (probe.addr as Deno.NetAddr).port;
}
