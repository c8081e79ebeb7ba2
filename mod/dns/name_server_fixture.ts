/** Scripted name servers for tests, on UDP and TCP of one loopback port. */
import { createSocket } from "node:dgram";
import { decode, encode } from "./codec.ts";
import type { Message, Question } from "./message.ts";
import { response } from "./message_fixture.ts";

/** A question as it came in. */
export interface Came {
  readonly question: Question;
  readonly message: Message;
  readonly octets: Uint8Array;
  readonly by: "udp" | "tcp";
}

/** What is sent back: octets, one after the other. */
export type Script = (came: Came) => readonly Uint8Array[];

/** A running server. */
export interface Scripted {
  readonly address: string;
  readonly port: number;
  /** All that came. */
  readonly came: readonly Came[];
}

/** Runs a server while `use` asks it. */
export async function withScripted(
  script: Script,
  use: (server: Scripted) => Promise<void>,
  { address = "127.0.0.1", port = 0, tcp = true } = {},
): Promise<void> {
  const came: Came[] = [];
  const answers = (octets: Uint8Array, by: Came["by"]) => {
    const decoded = decode(octets);
    if (decoded.kind !== "message" || !decoded.message.question) return [];
    const { message } = decoded;
    const one = { question: message.question!, message, octets, by };
    came.push(one);
    return script(one);
  };
  const listener = Deno.listen({ hostname: address, port });
  const chosen = (listener.addr as Deno.NetAddr).port;
  const socket = createSocket("udp4");
  socket.on("message", (octets, from) => {
    for (const one of answers(octets, "udp")) {
      socket.send(one, from.port, from.address);
    }
  });
  await new Promise<void>((then) => socket.bind(chosen, address, then));
  if (!tcp) listener.close();
  const accepting = tcp ? accept(listener, answers) : Promise.resolve();
  try {
    await use({ address, port: chosen, came });
  } finally {
    if (tcp) listener.close();
    await accepting;
    await new Promise<void>((then) => socket.close(then));
  }
}

async function accept(
  listener: Deno.TcpListener,
  answers: (octets: Uint8Array, by: "tcp") => readonly Uint8Array[],
): Promise<void> {
  const open: Promise<void>[] = [];
  const sockets = new Set<Deno.TcpConn>();
  try {
    for await (const socket of listener) {
      sockets.add(socket);
      open.push(serve(socket, answers).finally(() => sockets.delete(socket)));
    }
  } catch {
    // The listener is closed.
  }
  for (const socket of sockets) closed(socket);
  await Promise.all(open);
}

async function serve(
  socket: Deno.TcpConn,
  answers: (octets: Uint8Array, by: "tcp") => readonly Uint8Array[],
): Promise<void> {
  const buffer = new Uint8Array(2_000);
  let held = 0;
  try {
    for (;;) {
      const got = await socket.read(buffer.subarray(held));
      if (got === null) break;
      held += got;
      const length = (buffer[0]! << 8) | buffer[1]!;
      if (held < 2 || held < 2 + length) continue;
      for (const one of answers(buffer.slice(2, 2 + length), "tcp")) {
        await socket.write(
          Uint8Array.from([one.length >> 8, one.length & 255, ...one]),
        );
      }
      held = 0;
    }
  } catch {
    // The asker is gone, or the test is over.
  }
  closed(socket);
}

function closed(socket: Deno.TcpConn): void {
  try {
    socket.close();
  } catch {
    // It was already.
  }
}

/** The octets of a response that repeats id and question as they came. */
export function reply(
  { octets, message }: Came,
  parts: Parameters<typeof response>[0] = {},
): Uint8Array<ArrayBuffer> {
  const sent = encode(response({
    id: message.id,
    question: message.question,
    edns: message.edns && { size: 1_232, dnssecOk: true },
    ...parts,
  }));
  // To the letter's case; the question is right behind the header.
  if (parts.question === undefined) {
    sent.set(octets.subarray(12, 12 + questionLength(octets)), 12);
  }
  return sent;
}

function questionLength(octets: Uint8Array): number {
  let at = 12;
  while (octets[at]! > 0) at += 1 + octets[at]!;
  return at - 12;
}

/** A server that answers like a zone: by name and type, else a "no". */
export function zoneScript(
  lines: readonly string[],
  {
    origin = "example",
    flags = {} as { isAuthoritative?: true; authenticData?: true },
  } = {},
): Script {
  const soa = `${origin || "."} 60 SOA ns. hm. 1 2 3 4 30`.replace(
    /^([^ .][^ ]*) /,
    "$1. ",
  );
  return (came) => {
    const { name, type } = came.question;
    const typed = lines.filter((line) => {
      const [owner = "", , kind = ""] = line.split(" ");
      return owner.replace(/\.$/, "").toLowerCase() === name &&
        (kind === typeName(type) || kind === "CNAME");
    });
    const exists = lines.some((line) =>
      line.split(" ")[0]!.replace(/\.$/, "").toLowerCase() === name
    );
    return [
      typed.length > 0
        ? reply(came, { ...flags, answer: typed })
        : reply(came, {
          ...flags,
          rcode: exists ? 0 : 3,
          authority: [soa],
        }),
    ];
  };
}

function typeName(type: number): string {
  const names: Record<number, string> = {
    1: "A",
    2: "NS",
    15: "MX",
    16: "TXT",
    28: "AAAA",
    43: "DS",
    48: "DNSKEY",
    52: "TLSA",
  };
  return names[type] ?? `TYPE${type}`;
}
