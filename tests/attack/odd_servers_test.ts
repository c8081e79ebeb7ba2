/**
 * The SMTP client against servers that do things wrong: hundreds of scripted
 * ones, each with what must become of each recipient. Nothing is lost, nothing
 * is bounced that was not refused, and the client goes on.
 *
 * In one process, against `deliver()` itself; `odd_servers_system_test.ts`
 * shows the queue's end.
 */
import assert from "node:assert/strict";
import {
  meetsScript,
  type Options,
  run,
  withServer,
} from "../../mod/smtpc/delivery_fixture.ts";
import { IdlePool } from "../../mod/smtpc/idle_pool.ts";
import type { Session } from "../../mod/smtpc/session_io.ts";
import { LMTP_ROWS } from "./odd_lmtp.ts";
import { LOGIN_ROWS } from "./odd_logins.ts";
import { MIDDLE_ROWS } from "./odd_middles.ts";
import { OFFER_ROWS, SLOW } from "./odd_offers.ts";
import { ODDITIES, RIGHT, wanted } from "./odd_replies.ts";
import { TLS_ROWS } from "./odd_tls.ts";
import { type Acts, say, serve, type Took } from "./odd_server.ts";

/** One odd server. */
export interface Row {
  readonly name: string;
  readonly script: Parameters<typeof meetsScript>[0] extends infer S ? S
    : never;
  readonly options?: Options;
  readonly want: string;
  /** Looked at afterwards; throws what is wrong. */
  readonly then?: () => void;
}

/** The message as it must arrive: dots doubled. */
const WIRE = "Subject: x\r\n\r\n..dot\r\n...\r\nend\r\n";

function replyRows(): Row[] {
  const rows: Row[] = [];
  for (const [point, right] of RIGHT) {
    for (const pipelining of [false, true]) {
      const isEnvelope = point === "MAIL" || point === "RCPT" ||
        point === "DATA";
      if (pipelining && !isEnvelope) continue;
      for (const oddity of ODDITIES) {
        const took: Took = { messages: [], lines: [] };
        const odd = oddity.act(right);
        const acts: Acts = {
          ...(pipelining
            ? { EHLO: say("250-odd.test\r\n250 PIPELINING") }
            : {}),
          [point]: point === "RCPT" ? [say("250 2.1.5 ok"), odd] : odd,
        };
        const want = wanted(oddity, point, { pipelining });
        rows.push({
          name: `${pipelining ? "with PIPELINING " : ""}${oddity.name} ` +
            `in place of ${point === "dot" ? "the last reply" : point}`,
          script: (visit) => serve(visit, acts, took),
          want,
          then: () => {
            // What is said to have arrived is there, whole and once.
            const arrived = want.includes("delivered") || point === "dot"
              ? [WIRE]
              : [];
            assert.deepEqual(took.messages, arrived);
          },
        });
      }
    }
  }
  return rows;
}

const GROUPS: readonly (readonly [name: string, rows: readonly Row[]])[] = [
  ["reply oddly", replyRows()],
  [
    "offer, take, let in and encrypt oddly",
    [...OFFER_ROWS, SLOW, ...LMTP_ROWS, ...LOGIN_ROWS, ...TLS_ROWS],
  ],
  ["have enough within the content", MIDDLE_ROWS],
];

Deno.test("there are enough odd servers, and no two of a name", () => {
  const names = GROUPS.flatMap(([, rows]) => rows.map(({ name }) => name));
  assert.ok(names.length >= 150, `${names.length}`);
  assert.equal(new Set(names).size, names.length);
});

for (const [what, rows] of GROUPS) {
  Deno.test(`deliver() stands ${rows.length} servers that ${what}`, async () => {
    // Together: many are waited for, and none may disturb another.
    const faults = await Promise.all(rows.map(faultOf));
    assert.deepEqual(faults.filter((one) => one !== undefined), []);
  });
}

/** What was wrong, in words; undefined if all was as it must be. */
async function faultOf(row: Row): Promise<string | undefined> {
  const pool = new IdlePool<Session>();
  try {
    const { said } = await meetsScript(row.script, {
      pool,
      ...row.options,
      part: {
        replyWithinMs: 700,
        connectWithinMs: 10_000,
        ...row.options?.part,
      },
    });
    assert.equal(said, row.want);
    row.then?.();
    // Whatever it left behind, the next server is met as ever.
    await withServer(
      (visit) => serve(visit, {}, { messages: [], lines: [] }),
      async ({ port }) => {
        const next = await run(port, { pool });
        assert.equal(next.said, "delivered 250 2.0.0");
      },
    );
    return undefined;
  } catch (error) {
    return `${row.name}: ${error instanceof Error ? error.message : error}`;
  } finally {
    pool.close();
  }
}
