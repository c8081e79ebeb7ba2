import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { ITERATIONS, saltOf } from "../login/scram_keys.ts";
import { COST } from "../login/scrypt_hash.ts";
import { matchPassword } from "./check_password.ts";
import { cheapLogins, SALT_KEY } from "./logins_fixture.ts";

Deno.test("Logins gives a stand-in costs that others have", () => {
  const costs = [1_024, 2_048].map((N) => ({ N, r: 1, p: 1 }));
  const logins = cheapLogins([
    { user: "a", password: "x", cost: costs[0]!, iterations: 4_096 },
    { user: "b", password: "x", cost: costs[1]!, iterations: 5_000 },
  ]);
  const seen = new Set<string>();
  for (let n = 0; n < 50; n++) {
    const { scrypt, parameters, mailbox, keys } = logins.accountOf(`no${n}`);
    const again = logins.accountOf(`no${n}`);
    deepStrictEqual([again.scrypt.cost, again.parameters], [
      scrypt.cost,
      parameters,
    ]);
    deepStrictEqual(again.scrypt.salt, scrypt.salt);
    deepStrictEqual([mailbox, keys], [null, []]);
    seen.add(`${scrypt.cost.N}`).add(`${parameters.iterations}`);
  }
  deepStrictEqual([...seen].sort(), ["1024", "2048", "4096", "5000"]);
});

Deno.test("Logins gives new hashes' costs where there are no others", () => {
  const { scrypt, parameters } = cheapLogins([]).accountOf("me@home.test");
  deepStrictEqual(scrypt.cost, COST);
  strictEqual(parameters.iterations, ITERATIONS);
});

Deno.test("Logins gives known and unknown logins salts of one function", () => {
  const logins = cheapLogins([{ user: "me", password: "x" }]);
  for (const name of ["me@home.test", "you@home.test"]) {
    deepStrictEqual(
      logins.accountOf(name).parameters.salt,
      saltOf(SALT_KEY, name),
    );
  }
});

Deno.test("matchPassword() lets nothing match a stand-in", async () => {
  const logins = cheapLogins([{ user: "me", password: "x" }]);
  const stranger = logins.accountOf("you@home.test");
  strictEqual(await matchPassword(stranger, "x"), undefined);
  strictEqual(await matchPassword(stranger, ""), undefined);
  strictEqual(await matchPassword(logins.accountOf("me@home.test"), "x"), "");
});
