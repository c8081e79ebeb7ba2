import assert from "node:assert/strict";
import net from "node:net";
import { Authority, type Certified } from "./authority_fixture.ts";
import { type Fetched, fetchPolicy, type Wanted } from "./fetch_io.ts";

const HOST = "mta-sts.remote.test";
const POLICY = "version: STSv1\nmode: enforce\nmx: mx.remote.test\n" +
  "max_age: 86400\n";
const HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";
const GOOD = `${HEAD}Content-Length: ${POLICY.length}\r\n\r\n${POLICY}`;

/** A server on a loopback port, and what it was asked. */
interface Server extends Disposable {
  readonly port: number;
  readonly asked: string[];
  connections: number;
}

/** What is done with a connection after the question. */
type Script = (socket: Deno.TlsConn) => Promise<void> | void;

function serve(certified: Certified, script: Script): Server {
  const listener = Deno.listenTls({
    hostname: "127.0.0.1",
    port: 0,
    ...certified,
    alpnProtocols: ["http/1.1"],
  });
  const open = new Set<Deno.TlsConn>();
  const server = {
    port: (listener.addr as Deno.NetAddr).port,
    asked: [] as string[],
    connections: 0,
    [Symbol.dispose]() {
      listener.close();
      for (const one of open) closed(one);
    },
  };
  const handle = async (socket: Deno.TlsConn) => {
    try {
      const buffer = new Uint8Array(4_096);
      const got = await socket.read(buffer);
      server.asked.push(new TextDecoder().decode(buffer.subarray(0, got ?? 0)));
      await script(socket);
    } catch {
      // The client has gone: what it made of it is what the test looks at.
    }
    closed(socket);
  };
  void (async () => {
    try {
      for await (const socket of listener) {
        server.connections++;
        open.add(socket);
        void handle(socket);
      }
    } catch {
      // Closed.
    }
  })();
  return server;
}

function closed(socket: Deno.TlsConn): void {
  try {
    socket.close();
  } catch {
    // Closed already.
  }
}

const encode = (text: string) => new TextEncoder().encode(text);
const says = (text: string): Script => async (socket) => {
  await socket.write(encode(text));
};
/** Says the same again and again, until nobody listens. */
const repeats = (text: string, everyMs = 0): Script => async (socket) => {
  while (true) {
    await socket.write(encode(text));
    if (everyMs > 0) await new Promise((then) => setTimeout(then, everyMs));
  }
};

using authority = new Authority();
const right = authority.certify([HOST]);
const CERTIFICATES = new Map<string, Certified>([
  ["right", right],
  ["wildcard", authority.certify(["*.remote.test"])],
  ["other", authority.certify(["www.remote.test"])],
  ["expired", authority.certify([HOST], { isExpired: true })],
  ["common name", authority.certify([], { commonName: HOST })],
]);

function shown(fetched: Fetched): string {
  return fetched.kind === "policy"
    ? new TextDecoder().decode(fetched.octets)
    : `${fetched.failure}: ${fetched.why}`;
}

async function fetched(
  server: { port: number },
  change: Partial<Wanted> = {},
): Promise<string> {
  return shown(
    await fetchPolicy({
      host: HOST,
      addresses: ["127.0.0.1"],
      port: server.port,
      ca: authority.pem,
      withinMs: 5_000,
      ...change,
    }),
  );
}

// RFC 8461 §3.3: the certificate is verified, and nothing is followed.
const SERVERS: {
  name: string;
  certificate?: string;
  script: Script;
  want: string | RegExp;
  change?: Partial<Wanted>;
  /** At most; the deadline is the test's own. */
  withinMs?: number;
}[] = [
  { name: "a policy", script: says(GOOD), want: POLICY },
  {
    name: "a policy by a wildcard's certificate",
    certificate: "wildcard",
    script: says(GOOD),
    want: POLICY,
  },
  {
    name: "another name's certificate",
    certificate: "other",
    script: says(GOOD),
    want: /^sts-webpki-invalid: .*not valid for name/,
  },
  {
    name: "an expired certificate",
    certificate: "expired",
    script: says(GOOD),
    want: /^sts-webpki-invalid: .*Expired/,
  },
  {
    name: "a certificate with a common name alone",
    certificate: "common name",
    script: says(GOOD),
    want: /^sts-webpki-invalid: /,
  },
  {
    name: "an authority that nobody knows",
    script: says(GOOD),
    change: { ca: "" },
    want: /^sts-webpki-invalid: .*UnknownIssuer/,
  },
  {
    name: "a redirect",
    script: says(
      "HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1/\r\n\r\n",
    ),
    want: /^sts-policy-fetch-error: 127.0.0.1: HTTP status 302/,
  },
  {
    name: "a server error",
    script: says("HTTP/1.1 500 No\r\n\r\n"),
    want: /HTTP status 500/,
  },
  {
    name: "a gzip bomb",
    script: says(`${HEAD}Content-Encoding: gzip\r\n\r\n\x1f\x8b`),
    want: /compressed/,
  },
  {
    name: "a body without an end",
    script: (socket) =>
      says(`${HEAD}\r\n`)(socket)?.then(() =>
        repeats("a".repeat(60_000))(socket)
      ),
    want: /more than 65536 octets/,
    withinMs: 2_000,
  },
  {
    name: "a header without an end",
    script: (socket) =>
      says(HEAD)(socket)?.then(() => repeats("X: y\r\n".repeat(500))(socket)),
    want: /more than 16384/,
    withinMs: 2_000,
  },
  {
    name: "a body in drips",
    script: (socket) =>
      says(`${HEAD}\r\n`)(socket)?.then(() => repeats("a", 20)(socket)),
    change: { withinMs: 300 },
    want: /not in time/,
    withinMs: 1_000,
  },
  {
    name: "no answer",
    script: () => new Promise(() => {}),
    change: { withinMs: 200 },
    want: /not in time/,
    withinMs: 1_000,
  },
  {
    name: "an end without a word",
    script: () => {},
    want: /^sts-policy-fetch-error: /,
  },
  {
    name: "half a body",
    script: says(GOOD.slice(0, -5)),
    want: /^sts-policy-fetch-error: /,
  },
];

for (const { name, certificate, script, want, change, withinMs } of SERVERS) {
  Deno.test(`fetchPolicy() meets ${name}`, async () => {
    using server = serve(CERTIFICATES.get(certificate ?? "right")!, script);
    const began = performance.now();
    const got = await fetched(server, change);
    if (typeof want === "string") assert.equal(got, want);
    else assert.match(got, want);
    assert.ok(performance.now() - began < (withinMs ?? 5_000));
    assert.equal(server.connections, 1);
  });
}

Deno.test("fetchPolicy() asks for the policy of that host and closes", async () => {
  using server = serve(right, says(GOOD));
  await fetched(server);
  const [line, ...header] = server.asked[0]!.split("\r\n");
  assert.equal(line, "GET /.well-known/mta-sts.txt HTTP/1.1");
  assert.ok(header.includes(`Host: ${HOST}:${server.port}`));
  assert.ok(header.includes("Connection: close"));
});

Deno.test("fetchPolicy() shows no question to whom the name does not belong", async () => {
  using server = serve(CERTIFICATES.get("other")!, says(GOOD));
  await fetched(server);
  assert.deepEqual(server.asked.filter((one) => one !== ""), []);
});

Deno.test("fetchPolicy() tries the next address, with time left for it", async () => {
  const silent = net.createServer(() => {});
  await new Promise<void>((then) => silent.listen(0, "127.0.0.2", then));
  const { port } = silent.address() as net.AddressInfo;
  const listener = Deno.listenTls({ hostname: "127.0.0.3", port, ...right });
  void (async () => {
    for await (const socket of listener) {
      await socket.read(new Uint8Array(4_096));
      await socket.write(encode(GOOD));
      socket.close();
    }
  })().catch(() => {});
  const addresses = ["127.0.0.2", "127.0.0.3"];
  const got = await fetched({ port }, { addresses, withinMs: 600 });
  assert.equal(got, POLICY);
  listener.close();
  silent.close();
});

const NOT_TLS: { name: string; says: string; want: RegExp }[] = [
  { name: "a mail server", says: "220 mx ESMTP\r\n", want: /fetch-error/ },
  { name: "silence", says: "", want: /not in time/ },
];
for (const { name, says, want } of NOT_TLS) {
  Deno.test(`fetchPolicy() meets ${name} in place of TLS`, async () => {
    const sockets = new Set<net.Socket>();
    const server = net.createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      if (says !== "") socket.write(says);
    });
    await new Promise<void>((then) => server.listen(0, "127.0.0.1", then));
    const { port } = server.address() as net.AddressInfo;
    assert.match(await fetched({ port }, { withinMs: 300 }), want);
    for (const one of sockets) one.destroy();
    server.close();
  });
}

Deno.test("fetchPolicy() fails where nobody listens and where no address is", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  assert.match(await fetched({ port }), /^sts-policy-fetch-error: 127.0.0.1: /);
  assert.match(await fetched({ port }, { addresses: [] }), /no address/);
});
