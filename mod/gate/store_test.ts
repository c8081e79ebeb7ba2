/** The store on a real disk: restarts, an administrator beside it, damage. */
import assert from "node:assert/strict";
import { parseNetwork } from "../core/network.ts";
import { GateDatabase, gatePath, GateUnusable } from "./database_io.ts";
import { GateFixture } from "./gate_fixture.ts";
import { sayOfClients, showClients } from "./inspect.ts";
import { Shelf } from "./shelf.ts";
import { Store } from "./store_io.ts";
import { refusal } from "./verdicts.ts";

/** A store with one shelf, in a directory of the test. */
function open(dir: string, over: { maxVerdicts?: number } = {}) {
  const said: string[] = [];
  const shelf = new Shelf<number>(100);
  const store = new Store({
    dir,
    keepVerdictsMs: () => 1_000_000,
    maxVerdicts: () => over.maxVerdicts ?? 1_000,
    onSaid: (network, word) => void said.push(`${word} ${network}`),
    nowMs: () => 1_000,
  });
  store.keep({
    number: 1,
    shelf,
    read: (value) => typeof value === "number" ? value : undefined,
  });
  store.start();
  return { store, shelf, said };
}

function withDir(use: (dir: string) => void): void {
  const dir = Deno.makeTempDirSync({ prefix: "bulkhead-gate-" });
  try {
    use(dir);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

function say(dir: string, word: "allow" | "deny" | "forget", text: string) {
  const network = parseNetwork(text);
  assert.ok(!("fault" in network));
  sayOfClients(dir, { network, text, word }, 1_000);
}

const VERDICT = {
  verdict: refusal({
    code: 550,
    enhanced: "5.7.1",
    reply: "Listed",
    rule: "dnsbl",
    evidence: "bl.test*1",
    undo: "bulkhead client allow 192.0.2.1",
  }),
  client: "192.0.2.1",
  helo: "bot.test",
  sender: "a@b.test",
  recipient: "me@home.test",
  shadow: false,
};

Deno.test("Store keeps over a restart what is not over", () =>
  withDir((dir) => {
    const one = open(dir);
    one.shelf.set("192.0.2.1", 7, 5_000);
    one.shelf.set("192.0.2.2", 8, 900);
    one.shelf.set("192.0.2.3", 9, 5_000);
    one.store.flush();
    one.shelf.delete("192.0.2.3");
    one.store.stop();
    const two = open(dir);
    assert.deepEqual([...two.shelf], [["192.0.2.1", 7]]);
    assert.equal(two.store.salt, one.store.salt);
    assert.match(two.store.salt, /^[0-9a-f]{32}$/);
    two.store.sweep();
    two.store.stop();
    const db = new GateDatabase(dir);
    assert.equal(db.run.remembered.all(1, 0).length, 1);
    db.close();
  }));

Deno.test("Store hears an administrator at once, and after a restart", () =>
  withDir((dir) => {
    const one = open(dir);
    one.store.look();
    say(dir, "allow", "192.0.2.0/24");
    one.store.look();
    assert.deepEqual(one.said, ["allow 192.0.2.0/24"]);
    one.store.look();
    assert.equal(one.said.length, 1, "once");
    one.store.stop();
    say(dir, "deny", "198.51.100.1");
    const two = open(dir);
    two.store.look();
    assert.deepEqual(two.said, ["allow 192.0.2.0/24", "deny 198.51.100.1"]);
    say(dir, "forget", "192.0.2.0/24");
    two.store.look();
    assert.equal(two.said.at(-1), "forget 192.0.2.0/24");
    two.store.stop();
    const three = open(dir);
    assert.deepEqual(three.said, ["deny 198.51.100.1"]);
    three.store.stop();
  }));

Deno.test("Store keeps verdicts for `bulkhead client`, and not too many", () =>
  withDir((dir) => {
    const { store } = open(dir, { maxVerdicts: 3 });
    for (let n = 0; n < 10; n++) {
      store.add({ ...VERDICT, client: `192.0.2.${n}`, shadow: n === 9 });
    }
    store.flush();
    store.sweep();
    const ask = (network: string | null, refusedOnly: boolean) => {
      const read = network === null ? null : parseNetwork(network);
      assert.ok(read === null || !("fault" in read));
      return showClients(dir, { network: read, refusedOnly, nowMs: 1_000 })
        .verdicts.map(({ client }) => client);
    };
    assert.deepEqual(ask(null, false), ["192.0.2.9", "192.0.2.8", "192.0.2.7"]);
    assert.deepEqual(ask(null, true), ["192.0.2.8", "192.0.2.7"]);
    assert.deepEqual(ask("192.0.2.8", false), ["192.0.2.8"]);
    assert.deepEqual(ask("192.0.2.8/30", false), ["192.0.2.9", "192.0.2.8"]);
    store.stop();
  }));

Deno.test("Store shows a verdict whole", () =>
  withDir((dir) => {
    const { store } = open(dir);
    store.add(VERDICT);
    store.stop();
    const asked = { network: null, refusedOnly: true, nowMs: 1_000 };
    assert.deepEqual(showClients(dir, asked).verdicts, [{
      atMs: 1_000,
      client: "192.0.2.1",
      action: "reject",
      shadow: false,
      rule: "dnsbl",
      evidence: "bl.test*1",
      reply: "550 5.7.1 Listed",
      undo: "bulkhead client allow 192.0.2.1",
      helo: "bot.test",
      sender: "a@b.test",
      recipient: "me@home.test",
    }]);
  }));

Deno.test("Store puts a damaged database aside and begins anew", () =>
  withDir((dir) => {
    Deno.writeTextFileSync(gatePath(dir), "no database at all".repeat(500));
    const { store, shelf } = open(dir);
    assert.equal(shelf.size, 0);
    store.stop();
    const aside = Deno.readTextFileSync(`${gatePath(dir)}.damaged`);
    assert.ok(aside.startsWith("no database"));
  }));

Deno.test("Store goes on in memory where nothing can be kept", () =>
  withDir((dir) => {
    Deno.mkdirSync(gatePath(dir));
    const { store, shelf } = open(dir);
    shelf.set("a", 1, 5_000);
    store.add(VERDICT);
    store.flush();
    store.look();
    store.sweep();
    assert.equal(shelf.get("a", 1_000), 1);
    assert.equal(shelf.waiting, 0);
    store.stop();
    assert.ok(Deno.statSync(gatePath(dir)).isDirectory, "left alone");
  }));

Deno.test("Store does not touch a database of a newer program", () =>
  withDir((dir) => {
    const db = new GateDatabase(dir);
    db.close();
    const raw = new Uint8Array(Deno.readFileSync(gatePath(dir)));
    // The header's user version, https://sqlite.org/fileformat.html §1.3.
    new DataView(raw.buffer).setUint32(60, 99);
    Deno.writeFileSync(gatePath(dir), raw);
    assert.throws(() => open(dir), GateUnusable);
    assert.deepEqual(Deno.readFileSync(gatePath(dir)), raw);
  }));

Deno.test("Store loads 100,000 clients in a moment, and writes them in batches", () =>
  withDir((dir) => {
    const shelf = new Shelf<number>(200_000);
    const options = {
      dir,
      keepVerdictsMs: () => 1,
      maxVerdicts: () => 1,
      onSaid: () => {},
      nowMs: () => 1_000,
    };
    const store = new Store(options);
    const kept = { number: 1, shelf, read: (value: unknown) => Number(value) };
    store.keep(kept);
    for (let n = 0; n < 100_000; n++) shelf.set(`k${n}`, n, 5_000);
    const started = performance.now();
    while (shelf.waiting > 0) store.flush();
    const written = performance.now() - started;
    assert.ok(written < 10_000, `${written} ms for 100 batches`);
    store.stop();
    const again = new Shelf<number>(200_000);
    const loading = performance.now();
    const next = new Store(options);
    next.keep({ ...kept, shelf: again });
    assert.equal(again.size, 100_000);
    assert.ok(performance.now() - loading < 3_000);
    next.stop();
  }));

Deno.test("a fixture's gate and the store agree on what was passed", () =>
  withDir((dir) => {
    const { gate } = new GateFixture();
    const { store } = open(dir);
    store.keep({ number: 9, shelf: gate.clients, read: () => undefined });
    gate.tested({
      client: "2001:db8::1",
      passed: ["deep"],
      failed: [],
      helo: "",
    });
    store.stop();
    const db = new GateDatabase(dir);
    const [row] = db.run.remembered.all(9, 0);
    assert.equal(row?.["key"], "2001:db8::/64");
    db.close();
  }));
