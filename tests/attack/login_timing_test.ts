/** Logins that exist and logins that do not cost the same time. */
import assert from "node:assert/strict";
import { matchPassword } from "../../mod/auth/check_password.ts";
import {
  cheapLogins,
  type CheapPassword,
} from "../../mod/auth/logins_fixture.ts";
import { COST, type Cost } from "../../mod/login/scrypt_hash.ts";
import { ITERATIONS } from "../../mod/login/scram_keys.ts";
import { report, sized } from "../crash/proof.ts";

const MAX_DIFFERENCE_MS = 5;

/** Costs low enough for many tries, and those that the server has. */
const COSTS: readonly {
  name: string;
  cost: Cost;
  iterations: number;
  tries: number;
}[] = [
  {
    name: "low costs",
    cost: { N: 4_096, r: 8, p: 1 },
    iterations: 4_096,
    tries: sized({ small: 60, full: 1_000 }),
  },
  ...sized({
    small: [],
    full: [{
      name: "full costs",
      cost: COST,
      iterations: ITERATIONS,
      tries: 100,
    }],
  }),
];

for (const { name, cost, iterations, tries } of COSTS) {
  Deno.test(`matchPassword() takes as long for nobody as for somebody, at ${name}`, async () => {
    const me: CheapPassword = {
      user: "me",
      password: "right",
      cost,
      iterations,
    };
    const logins = cheapLogins([me]);
    const sums = [0, 0];
    for (let i = 0; i < tries; i++) {
      for (const who of i % 2 === 0 ? [0, 1] : [1, 0]) {
        const login = who === 0 ? "me@home.test" : `nobody${i}@home.test`;
        const from = performance.now();
        const app = await matchPassword(logins.accountOf(login), "wrong");
        sums[who]! += performance.now() - from;
        assert.equal(app, undefined);
      }
    }
    const [known, unknown] = sums.map((sum) => sum / tries) as [number, number];
    report(
      `${tries} wrong passwords each at ${name}: ${known.toFixed(2)} ms for ` +
        `somebody, ${unknown.toFixed(2)} ms for nobody`,
    );
    assert.ok(Math.abs(known - unknown) < MAX_DIFFERENCE_MS);
    assert.ok(known > 1, "it costs something");
  });
}
