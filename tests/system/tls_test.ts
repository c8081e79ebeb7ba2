/** `bulkhead tls`: what it finds out, what it connects to, what it never says. */
import assert from "node:assert/strict";
import { certificates } from "../../mod/smtpc/certified_fixture.ts";
import {
  behave,
  type Heard,
  scriptedServer,
} from "../../mod/smtpc/scripted_server.ts";
import { bulkhead, change, installation } from "./server_fixture.ts";

const made = await certificates();

Deno.test({
  name: "bulkhead tls says how mail would go, and sends none",
  ignore: made === undefined,
  async fn() {
    const heard: Heard = { lines: [], messages: [] };
    const remote = await scriptedServer(async (visit) => {
      visit.say("220 mx.remote.test\r\n");
      await visit.line();
      visit.say("250-mx.remote.test\r\n250 STARTTLS\r\n");
      await visit.line();
      await visit.startTls(made!.good.context, "220 go\r\n");
      await behave(visit, { greeting: "MUTE" }, heard);
    });
    const hop = `127.0.0.1:${remote.port}`;
    await using home = await installation({
      routes: [`remote.test=${hop}`],
      users: ["me"],
    });
    const tls = (...args: string[]) =>
      bulkhead("tls", "--config", home.config, ...args);

    const [data, words, elsewhere] = await Promise.all([
      tls("remote.test", "--json"),
      tls("me@remote.test"),
      tls("127.0.0.1:9"),
    ]);
    assert.equal(data.code, 0, data.errors);
    const shown = JSON.parse(data.out);
    assert.equal(shown.profile, "dane");
    assert.equal(shown.verdict.kind, "delivered");
    assert.equal(shown.hosts[0].attempt.reached, "encrypted");
    assert.match(shown.hosts[0].certificates[0], /^for localhost mx\.x\.test,/);
    assert.equal(words.code, 0, words.errors);
    assert.match(words.out, /over TLS; whether it is the right server/);
    assert.equal(elsewhere.code, 64);

    change(home, `[destinations]\n"${hop}" = { tls = "verify" }\n`);
    const verified = await tls("remote.test");
    assert.equal(verified.code, 1, verified.errors);
    assert.match(verified.out, /waits, and nothing of it is sent/);
    await remote.close();
    assert.deepEqual([
      ...new Set(heard.lines.map((line) => line.split(" ")[0])),
    ], [
      "EHLO",
      "QUIT",
    ]);
    assert.equal((await tls("home.test")).code, 0, "ends here");
  },
});
