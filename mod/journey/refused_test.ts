import assert from "node:assert/strict";
import type { RefusalFacts } from "./facts.ts";
import { tellRefusal } from "./refused.ts";

function refusal(change: Partial<RefusalFacts>): RefusalFacts {
  return {
    atMs: Date.UTC(2026, 10, 21, 12),
    client: "192.0.2.9",
    action: "reject",
    shadow: false,
    rule: "deny",
    evidence: "",
    reply: "550 5.7.1 no",
    undo: "bulkhead client allow 192.0.2.9",
    helo: "c.test",
    sender: "a@sender.test",
    recipient: "bob@home.test",
    ...change,
  };
}

const ROWS: readonly {
  readonly name: string;
  readonly facts: Partial<RefusalFacts>;
  readonly headline: RegExp;
  readonly next: RegExp;
  readonly command: string;
}[] = [
  {
    name: "unknown recipient",
    facts: { rule: "unknown-recipient", undo: "" },
    headline:
      /^Refused at the door .* there is no mailbox and no alias for <bob/,
    next: /tells its sender that it failed/,
    command: "bulkhead user add bob@home.test",
  },
  {
    name: "greylisted",
    facts: { rule: "greylist", action: "defer" },
    headline: /^Put off at the door .*asked to come again/,
    next: /tries again by itself/,
    command: "bulkhead client allow 192.0.2.9",
  },
  {
    name: "DNSBL in shadow mode",
    facts: { rule: "dnsbl", shadow: true },
    headline: /^Let through though a rule was against it/,
    next: /^Nothing came of it/,
    command: "bulkhead client allow 192.0.2.9",
  },
  {
    name: "a rate",
    facts: {
      rule: "rate-messages",
      evidence: "9 messages, and the limit is 5",
    },
    headline: /did too much in a short time \(9 messages, and the limit is 5\)/,
    next: /./,
    command: "bulkhead client allow 192.0.2.9",
  },
  {
    name: "a table, undone by an editor",
    facts: { rule: "sender-access", undo: "edit /etc/senders, line 3" },
    headline: /a table of yours says so/,
    next: /./,
    command: "",
  },
  {
    name: "a hold",
    facts: { rule: "recipient-access", action: "hold" },
    headline: /^Taken and put on hold/,
    next: /^$/,
    command: "bulkhead client allow 192.0.2.9",
  },
  {
    name: "a rule of tomorrow",
    facts: { rule: "astrology", evidence: "Saturn" },
    headline: /the rule astrology says so \(Saturn\)/,
    next: /./,
    command: "bulkhead client allow 192.0.2.9",
  },
  {
    name: "a recipient that a shell would obey",
    facts: { rule: "unknown-recipient", recipient: "$(reboot)@home.test" },
    headline: /no mailbox/,
    next: /./,
    command: "bulkhead user add ADDRESS",
  },
  {
    name: "a gate that was taken over",
    facts: { undo: "bulkhead client allow 192.0.2.9; reboot" },
    headline: /deny list/,
    next: /./,
    command: "",
  },
];

for (const { name, facts, headline, next, command } of ROWS) {
  Deno.test(`tellRefusal() explains: ${name}`, () => {
    const journey = tellRefusal(refusal(facts));
    assert.match(journey.headline, headline);
    assert.match(journey.next, next);
    assert.equal(journey.advice[0]?.command ?? "", command);
    assert.equal(journey.queueId, "");
  });
}
