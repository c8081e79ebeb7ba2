import assert from "node:assert/strict";
import { GateDatabase } from "./database_io.ts";
import { verdictsAbout } from "./inspect.ts";

Deno.test("verdictsAbout() finds what was said of an address, newest first", () => {
  const dir = Deno.makeTempDirSync();
  try {
    const db = new GateDatabase(dir);
    const add = (atMs: number, sender: string, recipient: string) =>
      db.run.addVerdict.run(
        atMs,
        "192.0.2.1",
        JSON.stringify({ action: "reject", rule: "deny", sender, recipient }),
      );
    add(1, "a@sender.test", "bob@home.test");
    add(2, "bob@home.test", "");
    add(3, "xbob@home.test", "carol@home.test");
    add(4, "a@sender.test", "BOB@home.test");
    add(5, '"b \\" c"@home.test', "\u00dcber@home.test");
    db.close();
    const of = (address: string) =>
      verdictsAbout(dir, address).verdicts.map(({ atMs }) => atMs);
    assert.deepEqual(of("Bob@Home.test"), [4, 2, 1]);
    assert.deepEqual(of('"b \\" c"@home.test'), [5]);
    assert.deepEqual(of("\u00fcber@home.test"), [5]);
    assert.deepEqual(of("dave@home.test"), []);
    assert.deepEqual(of("%"), []);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
});
