/** Whole deliveries to a provider that wants a login. */
import assert from "node:assert/strict";
import { ownOutcome } from "../core/outcome.ts";
import { meets, type Options, PART } from "./delivery_fixture.ts";
import { Logins, REFUSED_FOR_MS } from "./logins.ts";
import type { Answers } from "./scripted_server.ts";
import { wantedBy } from "./wanted.ts";

const OPPORTUNISTIC = wantedBy({
  kind: "opportunistic",
  says: "",
  sni: "smtp.test",
  policy: "no-policy-found",
  policyLines: [],
  mtaSts: "",
}, false);
const SECRET = "hunter2-and-more";
const OFFER = "250-fake.test\r\n250-PIPELINING\r\n250 AUTH PLAIN LOGIN";

/** One delivery by submission to a scripted provider on loopback. */
async function submits(answers: Answers, options: Options = {}) {
  const alarms: unknown[] = [];
  const met = await meets({ EHLO: OFFER, AUTH: "235 in", ...answers }, {
    ...options,
    protocol: "submission",
    login: { user: "me", password: SECRET },
    onLoginRefused: (what) => alarms.push(what),
  });
  return { ...met, alarms };
}

Deno.test("deliver() logs in before a word of the mail, and shows no password", async () => {
  const { said, heard, attempt } = await submits({});
  assert.equal(said, "delivered 250 2.0.0");
  const [first, second, third] = heard.lines;
  assert.equal(first, "EHLO us.test");
  assert.match(second!, /^AUTH PLAIN [A-Za-z0-9+/=]+$/);
  assert.match(third!, /^MAIL FROM:/);
  const transcript = attempt!.transcript.join("\n");
  assert.match(transcript, /C: AUTH PLAIN \*\*\*/);
  const blob = second!.split(" ")[2]!;
  for (const one of [SECRET, blob, btoa(SECRET)]) {
    assert.ok(!transcript.includes(one));
  }
});

const REFUSALS: {
  name: string;
  answers: Answers;
  want: string;
  alarms: number;
}[] = [
  {
    name: "a wrong password, which is not the sender's fault",
    answers: { AUTH: `535 5.7.8 no ${SECRET}` },
    want: "temporary 435 4.7.8",
    alarms: 1,
  },
  {
    name: "a login that is put off",
    answers: { AUTH: "454 4.7.0 later" },
    want: "temporary 451 4.7.0",
    alarms: 0,
  },
  {
    name: "no AUTH",
    answers: { EHLO: "250 fake.test" },
    want: "temporary 451 4.7.0",
    alarms: 0,
  },
  {
    name: "a server that knows no EHLO",
    answers: { EHLO: "500 what" },
    want: "temporary 400 4.0.0",
    alarms: 0,
  },
  {
    name: "a 421 to AUTH",
    answers: { AUTH: "421 4.3.2 bye" },
    want: "temporary 451 4.7.0",
    alarms: 0,
  },
  {
    name: "a connection lost in AUTH",
    answers: { AUTH: "CLOSE" },
    want: "temporary 451 4.4.2",
    alarms: 0,
  },
];

for (const { name, answers, want, alarms } of REFUSALS) {
  Deno.test(`deliver() puts mail off for ${name}`, async () => {
    const met = await submits(answers);
    assert.equal(met.said, want);
    assert.equal(met.alarms.length, alarms);
    assert.deepEqual(met.heard.messages, []);
    assert.ok(
      !JSON.stringify([met.attempt, met.outcomes, met.alarms])
        .includes(SECRET),
    );
    assert.ok(!met.heard.lines.some((line) => line.startsWith("MAIL")));
  });
}

Deno.test("Logins leaves a refused login alone, for a minute", () => {
  const login = { host: "smtp.test", port: 587, user: "me", password: "x" };
  let now = 0;
  const alarms: unknown[] = [];
  const logins = new Logins(
    { ...PART, login },
    (what) => alarms.push(what),
    () => now,
  );
  const outcome = ownOutcome("temporary", 435, "4.7.8", "no");
  logins.refuse(outcome);
  logins.refuse(outcome);
  assert.equal(logins.refused, outcome);
  assert.deepEqual(alarms, [{ host: "smtp.test", user: "me", said: "no" }]);
  now = REFUSED_FOR_MS;
  assert.equal(logins.refused, undefined);
});

Deno.test("Logins has a login for one place, and by submission alone", () => {
  const login = { host: "smtp.test", port: 587, user: "me", password: "x" };
  const logins = new Logins({ ...PART, login }, () => {});
  const place = { kind: "host", host: "smtp.test", port: 587 } as const;
  assert.equal(logins.of({ ...place, protocol: "submission" }), login);
  assert.equal(logins.of(place), undefined);
  assert.equal(logins.of({ kind: "mx", domain: "smtp.test" }), undefined);
  for (const other of [{ host: "evil.test" }, { port: 465 }]) {
    const hop = { ...place, ...other, protocol: "submission" } as const;
    assert.equal(logins.of(hop), undefined);
  }
});

Deno.test("Logins wants a verified certificate, unless it is told otherwise", () => {
  const login = { host: "smtp.test", port: 587, user: "me", password: "x" };
  const to = { host: "smtp.test", address: "192.0.2.1", port: 587 };
  const entry = {
    tls: "may",
    match: null,
    fingerprints: null,
    source: null,
  } as const;
  const tlsOf = (name: string, ...at: (typeof to)[]) => {
    const destinations = name === "" ? [] : [{ ...entry, name }];
    const logins = new Logins({ ...PART, destinations, login }, () => {});
    const [first = to, ...others] = at;
    const { tls, demand } = logins.safe(OPPORTUNISTIC, [first, ...others]);
    return `${tls} ${demand.kind}`;
  };
  assert.equal(tlsOf(""), "must verified");
  assert.equal(tlsOf("*"), "must verified");
  assert.equal(tlsOf("smtp.test:587"), "may opportunistic");
  const here = { ...to, host: "localhost", address: "127.0.0.1" };
  assert.equal(tlsOf("", here), "may opportunistic");
  assert.equal(tlsOf("", { ...here, host: "127.0.0.1" }), "may opportunistic");
  // Of two addresses that the DNS gives, either may be the one that answers.
  const far = { ...here, address: "192.0.2.1" };
  assert.equal(tlsOf("", here, far), "must verified");
  // A forged address would hand the password to any user of this machine.
  assert.equal(tlsOf("", { ...to, address: "127.0.0.1" }), "must verified");
});
