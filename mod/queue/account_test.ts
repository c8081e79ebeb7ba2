import assert from "node:assert/strict";
import { type Outcome, ownOutcome } from "../core/outcome.ts";
import type { Attempt, AttemptedHost } from "../smtpc/smtpc_ipc.ts";
import { accountOf, accountOfExpiry } from "./account.ts";
import { wholeHost } from "./event.ts";

const NO: Outcome = {
  kind: "permanent",
  code: 550,
  enhanced: "5.1.1",
  text: "No such user",
  host: "mx1.remote.test",
};

function attempt(
  ...hosts: Partial<AttemptedHost>[]
): Pick<Attempt, "hosts"> {
  return {
    hosts: hosts.map((host) =>
      wholeHost({
        host: "mx1.remote.test",
        address: "192.0.2.1",
        tls: "TLSv1.3 TLS_AES_256_GCM_SHA384",
        ...host,
      })
    ),
  };
}

const ROWS: {
  name: string;
  outcome: Outcome;
  attempt?: Pick<Attempt, "hosts">;
  want: string;
}[] = [
  {
    name: "a host with a DANE record",
    outcome: NO,
    attempt: attempt({ reached: "dane", certificate: "TLSA 3 1 1 2fb4..." }),
    want: "mx1.remote.test [192.0.2.1] (asked over TLSv1.3, its certificate " +
      "matched the DANE record 3 1 1) answered: 550 5.1.1 No such user",
  },
  {
    name: "a host with a good certificate",
    outcome: NO,
    attempt: attempt({ reached: "verified", certificate: "mx1.remote.test" }),
    want: "mx1.remote.test [192.0.2.1] (asked over TLSv1.3, its certificate " +
      "was found good) answered: 550 5.1.1 No such user",
  },
  {
    name: "a host with any certificate",
    outcome: { ...NO, said: "550 no" },
    attempt: attempt({ reached: "encrypted" }),
    want: "mx1.remote.test [192.0.2.1] (asked over TLSv1.3, with a " +
      "certificate that nobody vouched for) answered: 550 no",
  },
  {
    name: "a host without TLS, after one that was not there",
    outcome: NO,
    attempt: attempt(
      { host: "mx0.remote.test", address: "", result: "no address" },
      { reached: "clear", tls: "" },
    ),
    want: "mx1.remote.test [192.0.2.1] (asked without TLS) answered: 550 " +
      "5.1.1 No such user. Before that, mx0.remote.test: no address",
  },
  {
    name: "a connection that was lost",
    outcome: { ...NO, kind: "temporary", said: "", text: "connection lost" },
    attempt: attempt({}),
    want: "mx1.remote.test [192.0.2.1]: connection lost",
  },
  {
    name: "no host that would do",
    outcome: ownOutcome("temporary", 451, "4.7.5", "No host would take it"),
    attempt: attempt(
      { result: "it offers no TLS, which its policy demands" },
      { host: "mx2.remote.test", result: "timed out" },
    ),
    want: "Our server says: 451 4.7.5 No host would take it " +
      "(mx1.remote.test [192.0.2.1]: it offers no TLS, which its policy " +
      "demands; mx2.remote.test [192.0.2.1]: timed out)",
  },
  {
    name: "what we found out ourselves about a host's powers",
    outcome: ownOutcome("permanent", 554, "5.6.3", "It takes no 8-bit"),
    attempt: attempt({ result: "554 5.6.3 It takes no 8-bit" }),
    want: "Our server says: 554 5.6.3 It takes no 8-bit (mx1.remote.test " +
      "[192.0.2.1])",
  },
  {
    name: "a host of which nothing is known but its answer",
    outcome: NO,
    want: "mx1.remote.test answered: 550 5.1.1 No such user",
  },
  {
    name: "ourselves",
    outcome: { ...NO, host: "" },
    want: "Our server says: 550 5.1.1 No such user",
  },
];

for (const { name, outcome, attempt, want } of ROWS) {
  Deno.test(`accountOf() tells of ${name}`, () => {
    assert.equal(accountOf(outcome, attempt), want);
  });
}

Deno.test("accountOf() is bounded, whatever hosts say and however many there are", () => {
  const hosts = Array.from({ length: 20 }, () => ({
    host: "h".repeat(255),
    result: "r".repeat(300),
  }));
  const said = "s".repeat(600);
  const account = accountOf({ ...NO, said }, attempt(...hosts));
  assert.ok(account.length <= 900);
  assert.ok(accountOfExpiry("5 days", account).length <= 900);
});
