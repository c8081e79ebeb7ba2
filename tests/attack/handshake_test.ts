/**
 * What a hostile client does with TLS itself. The rest of STARTTLS is in
 * mod/smtpd/starttls_test.ts and tests/dialogs/starttls.txt.
 */
import assert from "node:assert/strict";
import { selfSigned, withServer } from "../../mod/smtpd/server_fixture.ts";
import { TestClient } from "../../mod/smtpd/test_client.ts";

const PEM = await selfSigned();

// CVE-2011-1473: handshake after handshake costs the server more than the
// client.
Deno.test("STARTTLS renegotiates with nobody", () =>
  withServer({ tls: PEM }, async ({ port, counted }) => {
    const client = new Deno.Command("openssl", {
      args: ["s_client", "-starttls", "smtp", "-tls1_2", "-crlf", "-connect"]
        .concat(`127.0.0.1:${port}`),
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = client.stdin.getWriter();
    const say = async (text: string) => {
      await writer.write(new TextEncoder().encode(text));
      await new Promise((resolve) => setTimeout(resolve, 300));
    };
    await say("EHLO a.test\n");
    // A line of one R is a command to s_client: renegotiate.
    for (let i = 0; i < 5; i++) await say("R\n").catch(() => {});
    await say("Q\n").catch(() => {});
    await writer.close().catch(() => {});
    const { stdout, stderr } = await client.output();
    const text = new TextDecoder().decode(stdout) +
      new TextDecoder().decode(stderr);
    assert.match(text, /RENEGOTIATING/);
    assert.match(text, /no renegotiation|alert|unexpected|closed/i);
    assert.equal(counted.get("tls"), 1, "handshakes");
    const next = await TestClient.open(port);
    await next.dialog(["NOOP", 250]);
    next.close();
  }));

Deno.test("STARTTLS joins no command across its border", () =>
  withServer({ tls: PEM }, async ({ port, backend }) => {
    const client = await TestClient.open(port);
    await client.dialog(["EHLO a.test", 250]);
    client.send("STARTTLS\r\nMAIL FROM:<at");
    assert.match(await client.rest(), /^554 5\.5\.0 [^\r\n]*\r\n$/);
    assert.deepEqual(backend.calls, []);
    client.close();
  }));

Deno.test("STARTTLS outlives a hundred half handshakes at once", () =>
  withServer({ tls: PEM, commandWithinMs: 500 }, async ({ port, server }) => {
    const clients = await Promise.all(
      Array.from({ length: 100 }, async (_, nth) => {
        const client = await TestClient.open(port);
        await client.dialog(["EHLO a.test", 250], ["STARTTLS", 220]);
        client.send("\x16\x03\x01\x02\x00\x01\x00".slice(0, nth % 8));
        return client;
      }),
    );
    const until = performance.now() + 3_000;
    while (server.sessions > 0 && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.equal(server.sessions, 0);
    for (const client of clients) client.close();
  }));
