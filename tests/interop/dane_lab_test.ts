/**
 * DANE end to end: what the DNS says, what hosts show, and who gets the
 * message. posttls-finger, Postfix's own, is asked about the same domains.
 */
import assert from "node:assert/strict";
import { canFinger, type Opinion, withFinger } from "./dane_lab_finger.ts";
import {
  type Lab,
  type Row,
  SECRET,
  type Seen,
  withDaneLab,
} from "./dane_lab_fixture.ts";
import { ROWS } from "./dane_lab_rows.ts";
import { areInstalled } from "./peers.ts";
import { canRunPostfix, withPostfix } from "./postfix_fixture.ts";
import { IS_ROOT, run, until } from "../system/server_fixture.ts";
import type { Became } from "./dane_server_main.ts";
import { causeOf } from "../../mod/journey/cause.ts";
import { issue, type Issued } from "../../mod/dane/certificate_fixture.ts";

const AT_ONCE = 8;

Deno.test("mail goes out as safely as the destination says, and never less so", async (t) => {
  if (!areInstalled("DANE", "/usr/sbin/nsd", "/usr/bin/ldns-signzone")) return;
  await withDaneLab({ rows: ROWS }, async (lab) => {
    const seen = await inTurn(ROWS, (row) => lab.send(row));
    for (const [i, row] of ROWS.entries()) {
      await t.step(row.name, () => check(row, seen[i]!));
    }
    await secondOpinion(lab, t);
  });
});

Deno.test("the whole server comes to the same, with every role behind its walls", async (t) => {
  if (!areInstalled("DANE", "/usr/sbin/nsd", "/usr/bin/ldns-signzone")) return;
  if (!IS_ROOT) return console.log("DANE: skipped, a namespace wants root");
  const main = new URL("dane_server_main.ts", import.meta.url).pathname;
  const { code, out, errors } = await run("unshare", [
    "--net",
    "sh",
    "-c",
    "ip link set lo up && ip route add local 198.18.0.0/15 dev lo && " +
    'exec "$1" run -A "$2"',
    "sh",
    Deno.execPath(),
    main,
  ], { withinMs: 90_000 });
  assert.equal(code, 0, errors);
  const all: Became[] = JSON.parse(out.trim().split("\n").at(-1)!);
  assert.ok(all.length > 80);
  for (const { name, want, outcome, event, leaks } of all) {
    await t.step(name, () => {
      assert.equal(outcome, want.split(":")[0], event);
      const [, kind = "", enhanced = ""] = /(delivered|temporary)( [0-9.]+)?$/
        .exec(want)!;
      const named = kind === "delivered" ? "delivered" : "deferred";
      assert.ok(event.includes(`"event":"recipient-${named}"`), event);
      assert.ok(event.includes(`"text":"${enhanced.trim()}`), event);
      assert.deepEqual(leaks, []);
      if (kind === "temporary") {
        assert.match(causeIn(event), /dane|dnssec|cert|tls|hand/);
      }
    });
  }
});

/** What `bulkhead why` makes of a line of the log. */
function causeIn(event: string): string {
  const { code = 0, text = "", host = "" } = JSON.parse(
    event.slice(event.indexOf("{")),
  );
  return causeOf({ code, text, host });
}

Deno.test("a real Postfix gets the message if its TLSA record says so, and else nothing", async (t) => {
  if (!areInstalled("DANE", "/usr/sbin/nsd", "/usr/bin/ldns-signzone")) return;
  if (!canRunPostfix("DANE")) return;
  // One certificate, the wildcard that many have, and three opinions of it.
  const names = ["*.r1.s.test", "*.r2.s.test", "*.r3.s.test"];
  const kinds = ["3 1 1", "2 0 1", "3 1 1 of another"];
  let own: Issued | undefined;
  const rows = kinds.map((kind): Row => ({
    name: kind,
    make: (scene) => {
      own ??= scene.leaf({ names });
      const about = kind.endsWith("another")
        ? issue({ subject: "another" })
        : kind.startsWith("2")
        ? scene.root
        : own;
      return {
        more: [scene.tlsa("mx", about, kind.slice(0, 5))],
        hosts: [],
      };
    },
    want: "",
  }));
  await withDaneLab({ rows }, async (lab) => {
    const chain = [own!, lab.root].map(({ pem }) => pem).join("");
    await withPostfix({
      addresses: rows.map((row) => lab.addressOf(row)),
      port: lab.port,
      certificate: { chain, key: own!.keyPem },
      domains: rows.map((row) => lab.domainOf(row)),
    }, async (postfix) => {
      const said: string[] = [];
      for (const row of rows) {
        const { attempt, outcome } = await lab.send(row);
        said.push(`${attempt.hosts[0]!.reached} ${outcome}`);
      }
      await t.step("delivered, delivered, put off", () => {
        assert.deepEqual(said, [
          "dane nobody: delivered 2.0.0",
          "dane nobody: delivered 2.0.0",
          "encrypted nobody: temporary 4.7.5",
        ]);
      });
      await t.step("Postfix has two messages, which came by TLS", async () => {
        const inbox = `${postfix.maildir}/new`;
        await until("two messages", () => filesIn(inbox).length >= 2);
        const messages = filesIn(inbox).map((name) =>
          Deno.readTextFileSync(`${inbox}/${name}`)
        );
        assert.equal(messages.length, 2);
        assert.ok(messages.every((text) => text.includes(SECRET)));
        assert.ok(messages.every((text) => /with ESMTPS id/.test(text)));
        assert.match(postfix.log(), /TLS connection established from/);
      });
    });
  });
});

function filesIn(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].map(({ name }) => name);
  } catch {
    return []; // Postfix makes it with the first message
  }
}

/** posttls-finger's, of what can be asked without somebody in between. */
async function secondOpinion(lab: Lab, t: Deno.TestContext): Promise<void> {
  if (!canFinger()) return;
  const rows = ROWS.filter(({ finger }) => finger !== undefined);
  await withFinger(lab, async (ask) => {
    const opinions = await inTurn(rows, async (row) => {
      let opinion: Opinion | undefined;
      await lab.withHosts(row, async () => {
        opinion = await ask(lab.domainOf(row));
      });
      return opinion!;
    });
    for (const [i, row] of rows.entries()) {
      const { verdict, words } = opinions[i]!;
      await t.step(`posttls-finger: ${row.name}`, () => {
        assert.equal(verdict, row.finger, words);
      });
    }
  });
}

function check(row: Row, seen: Seen): void {
  const { outcome, words, attempt, hosts } = seen;
  assert.equal(outcome, row.want, words);
  if (row.says !== undefined) assert.ok(words.includes(row.says), words);
  if (row.report !== undefined) {
    const results = attempt.tlsResults.map(({ result }) => result);
    assert.equal(results.at(-1), row.report, words);
  }
  // Nobody saw a word of it but who was to have it, and that one as said.
  const taker = Number(/^[0-9]+/.exec(row.want)?.[0] ?? 0) - 1;
  hosts.forEach((host, i) => {
    if (i !== taker) assert.ok(!host.seen().includes(SECRET), `host ${i + 1}`);
  });
}

/** Does all, some at a time, in their order. */
async function inTurn<T, R>(
  all: readonly T[],
  act: (one: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (next < all.length) {
      const at = next++;
      results[at] = await act(all[at]!);
    }
  }));
  return results;
}
