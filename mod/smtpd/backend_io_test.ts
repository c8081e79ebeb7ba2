import assert from "node:assert/strict";
import type { Call, Handlers, RoleName } from "../ipc/call.ts";
import { Edge } from "../ipc/edge.ts";
import { plugIn } from "../ipc/plug.ts";
import { queueContract } from "../queue/queue_ipc.ts";
import { resolveContract } from "../resolve/resolve_ipc.ts";
import { spoolContract } from "../spool/spool_ipc.ts";
import { edgeBackend } from "./backend_io.ts";
import { TEST_PART } from "./server_fixture.ts";
import { SmtpServer } from "./server_io.ts";
import { TestClient } from "./test_client.ts";
import type net from "node:net";

const REF = { segment: "s1", offset: 0, length: 100, sizeBytes: 80 };
const KEY = "A".repeat(43) + "=";

Deno.test("edgeBackend carries a message over real channels", async () => {
  const dir = await Deno.makeTempDir();
  const asked: string[] = [];
  let stored = "";
  const plugs: { close(): void }[] = [];
  const answer = <C extends Record<string, Call>>(
    contract: { readonly role: RoleName; readonly calls: C },
    handlers: Partial<Handlers<C>>,
  ): Edge<C> => {
    const path = `${dir}/${contract.role}`;
    const edge = new Edge(contract, { path });
    plugs.push(
      edge,
      plugIn({
        contract,
        sockets: [{ role: "smtpd", instance: "smtpd.0", path }],
        handlers: handlers as Handlers<C>,
      }),
    );
    return edge;
  };
  const resolve = answer(resolveContract, {
    recipient: ({ address }) => {
      asked.push(`recipient ${address}`);
      if (address.startsWith("x@")) return { refusal: "relay-denied" };
      const mailbox = { domain: "home.test", user: "me" };
      return { answer: { targets: [{ kind: "mailbox", mailbox, address }] } };
    },
  });
  const spool = answer(spoolContract, {
    store: () => {
      const verdict = Promise.withResolvers<
        { answer: { ref: typeof REF; key: string } }
      >();
      return {
        sink: {
          chunk: (bytes) => void (stored += new TextDecoder().decode(bytes)),
          end: () => verdict.resolve({ answer: { ref: REF, key: KEY } }),
          abort: () => void asked.push("abort"),
        },
        verdict: verdict.promise,
      };
    },
  });
  const queue = answer(queueContract, {
    accept: ({ reversePath, recipients, key }) => {
      asked.push(`accept ${reversePath} ${recipients} ${key === KEY}`);
      return { answer: {} };
    },
  });
  const server = new SmtpServer({
    part: TEST_PART,
    backend: edgeBackend({ resolve, spool, queue }),
    log: () => {},
    count: () => {},
  });
  const listening = await server.listen({ host: "127.0.0.1", port: 0 });
  try {
    const { port } = listening.address() as net.AddressInfo;
    const client = await TestClient.open(port);
    await client.dialog(
      ["EHLO a.test", 250],
      ["MAIL FROM:<S@a.test>", 250],
      ["RCPT TO:<me@home.test>", 250],
      ["RCPT TO:<x@away.test>", 554],
      ["DATA", 354],
    );
    const body = "0123456789abcdef".repeat(6) + "\r\n";
    client.send(body.repeat(9_000) + ".\r\n");
    assert.match(await client.reply(), /^250 /);
    assert.deepEqual(asked, [
      "recipient me@home.test",
      "recipient x@away.test",
      "accept S@a.test me@home.test true",
    ]);
    assert.ok(stored.startsWith("Received: from a.test ([127.0.0.1])\r\n"));
    assert.ok(stored.endsWith("+0000\r\n" + body.repeat(9_000)));
    // A domain that is too long to have an address does not break a channel.
    const label = "a".repeat(63);
    await client.dialog(
      [`ETRN ${label}.${label}.${label}.${label.slice(4)}`, 459],
      ["MAIL FROM:<S@a.test>", 250],
      ["RCPT TO:<me2@home.test>", 250],
    );
    assert.deepEqual(asked.slice(3), ["recipient me2@home.test"]);
    client.close();
  } finally {
    await server.stop();
    for (const plug of plugs) plug.close();
    await Deno.remove(dir, { recursive: true });
  }
});
