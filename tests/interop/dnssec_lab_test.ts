/**
 * The DNSSEC lab: what our validator says in each situation, and what unbound
 * says. `-- --table` prints every row.
 */
import assert from "node:assert/strict";
import { engine } from "../../mod/dns/engine_fixture.ts";
import { follow } from "../../mod/dns/follow.ts";
import { parseAnchor } from "../../mod/dns/anchors.ts";
import { type Name, type Question, TYPE } from "../../mod/dns/message.ts";
import { validator } from "../../mod/dns/validate.ts";
import { trustAnchor } from "../../mod/config/trust_anchor.ts";
import { areInstalled } from "./peers.ts";
import {
  askPort,
  type Change,
  shouted,
  unboundsVerdict,
  validatorsQuestion,
  withLab,
} from "./dnssec_lab_fixture.ts";
import { type Situation, situations } from "./dnssec_situations.ts";
import { NOW_S, signed } from "./dnssec_zones.ts";

const isHere = areInstalled(
  "DNSSEC lab",
  "/usr/sbin/nsd",
  "/usr/sbin/unbound",
  "/usr/bin/ldns-signzone",
);
const isTold = Deno.args.includes("--table");
/** Situations that are looked at side by side. */
const AT_ONCE = 8;

const ROWS = situations().map((situation, i, all) => {
  const { shared } = situation;
  const first = shared === undefined
    ? i
    : all.findIndex((one) => one.shared === shared);
  return { ...situation, zone: `s${first}.test`, isFirst: first === i };
});

function questionOf(
  { ask, type = TYPE.A, zone }: Situation & { zone: Name },
): Question {
  return { name: ask.replace("@", zone), type };
}

/** The row in whose zone a question is. */
function rowOf({ name }: Question): (typeof ROWS)[number] | undefined {
  const labels = name.split(".");
  const [, number] = labels.at(-2)?.match(/^s([0-9]+)$/) ?? [];
  return labels.at(-1) === "test" ? ROWS[Number(number)] : undefined;
}

const change: Change = async (message, { question, ask }) => {
  const row = rowOf(question);
  return await row?.edit?.(message, { question, ask, zone: row.zone }) ??
    message;
};

const shout = (octets: Uint8Array, question: Question) => {
  const label = rowOf(question)?.shout;
  return label === undefined ? octets : shouted(octets, label);
};

Deno.test({
  name: "validator() says of every situation in the lab what unbound says",
  ignore: !isHere,
  fn: async (t) => {
    const drafts = ROWS.flatMap((row) =>
      row.isFirst ? row.zones(row.zone) : []
    );
    const { zones, anchor } = signed(drafts);
    await withLab({ zones, anchor, change, shout }, async (lab) => {
      const fetch = (question: Question) =>
        askPort(lab.forwarder, validatorsQuestion(question));
      const ours = validator({
        anchors: [parseAnchor(anchor)!],
        fetch,
        nowS: () => NOW_S,
      });
      // The same by all that the role has: its transport, its cache.
      const role = engine({
        port: lab.forwarder,
        validate: true,
        trustAnchors: [trustAnchor(anchor)!],
      });
      const verdicts = new Map<string, Record<string, string>>();
      const waiting = [...ROWS];
      const look = async () => {
        for (let row = waiting.shift(); row; row = waiting.shift()) {
          const question = questionOf(row);
          const [found, ofRole, unbound] = await Promise.all([
            follow({ validator: ours, fetch }, question),
            role.resolver.lookUp(question),
            unboundsVerdict(
              row.isHardened ? lab.hardened : lab.unbound,
              question,
            ),
          ]);
          const mine = found.security;
          const theirs = unbound.verdict;
          const roles = ofRole.security;
          verdicts.set(row.name, { mine, roles, theirs });
          const { want, unbounds = want } = row;
          const isRight = mine === want && roles === want &&
            theirs === unbounds;
          if (isTold || !isRight) {
            console.log(
              `${row.zone.padEnd(10)} ${want.padEnd(8)} ours ${
                mine.padEnd(13)
              } role ${roles.padEnd(13)} unbound ${
                theirs.padEnd(8)
              } ${row.name}; ${ofRole.why}`,
            );
          }
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, look));
      for (const { name, want, unbounds = want } of ROWS) {
        await t.step(
          name,
          () =>
            assert.deepEqual(verdicts.get(name), {
              mine: want,
              roles: want,
              theirs: unbounds,
            }),
        );
      }
    });
  },
});
