/** The role's calls, asked over a real edge and through its shapes. */
import { Buffer } from "node:buffer";
import {
  deepStrictEqual,
  match,
  notStrictEqual,
  ok,
  strictEqual,
} from "node:assert/strict";
import { Edge } from "../ipc/edge.ts";
import { plugIn } from "../ipc/plug.ts";
import { authAnswers } from "./answers.ts";
import { authContract } from "./auth_ipc.ts";
import type { Logins } from "./logins.ts";
import { cheapLogins } from "./logins_fixture.ts";
import { clientFinal } from "../login/scram_client.ts";

const LOGINS = cheapLogins([
  { user: "me", password: "secret" },
  { user: "me", app: "phone", password: "abcd-efgh" },
  { user: "old", password: "older", isOld: true },
]);
const HOME = "192.0.2.7";

class Role implements AsyncDisposable {
  readonly #dir = Deno.makeTempDirSync();
  readonly #plug: { close(): void };
  readonly edge: Edge<typeof authContract.calls>;
  nowMs = 0;
  logins: Logins | undefined = LOGINS;

  constructor() {
    const path = `${this.#dir}/edge.sock`;
    this.edge = new Edge(authContract, { path });
    const { handlers, gone } = authAnswers({
      logins: () => this.logins,
      defaultDomain: () => "home.test",
      hashesAtOnce: 2,
      count: () => {},
      nowMs: () => this.nowMs,
    });
    this.#plug = plugIn({
      contract: authContract,
      sockets: [{ role: "submission", instance: "submission.0", path }],
      handlers,
      onGone: gone,
    });
  }

  /** The granted mailbox and app password, or the refusal. */
  async password(login: string, password: string, client = HOME) {
    const reply = await this.edge.ask("password", { login, password, client });
    return told(reply);
  }

  async first(login: string, client = HOME) {
    const clientFirstBare = `n=${login},r=clientnonce`;
    const reply = await this.edge.ask("scramFirst", {
      client,
      clientFirstBare,
    });
    return reply.kind === "answered"
      ? { ...reply.answer, clientFirstBare }
      : told(reply);
  }

  async scram(login: string, password: string, client = HOME) {
    const first = await this.first(login, client);
    if (typeof first === "string") return first;
    const final = clientFinal({
      ...first,
      password,
      binding: Buffer.from("n,,"),
    });
    const reply = await this.edge.ask("scramFinal", {
      exchange: first.exchange,
      clientFinalBare: final.bare,
      proof: final.proof,
    });
    if (reply.kind !== "answered") return told(reply);
    strictEqual(reply.answer.signature, final.signature);
    return named(reply.answer.granted);
  }

  async [Symbol.asyncDispose]() {
    this.#plug.close();
    this.edge.close();
    await Deno.remove(this.#dir, { recursive: true });
  }
}

interface Granted {
  readonly mailbox: { readonly user: string; readonly domain: string };
  readonly appPassword: string;
}

function named({ mailbox, appPassword }: Granted): string {
  return `${mailbox.user}@${mailbox.domain} ${appPassword}`.trim();
}

function told(
  reply:
    | { kind: "answered"; answer: unknown }
    | { kind: "refused"; refusal: string }
    | { kind: "failed"; why: string },
): string {
  switch (reply.kind) {
    case "answered":
      return named(reply.answer as Granted);
    case "refused":
      return reply.refusal;
    case "failed":
      return `failed: ${reply.why}`;
  }
}

const TRIES: {
  name: string;
  login: string;
  password: string;
  plain: string;
  scram: string;
}[] = [
  {
    name: "the user's own password",
    login: "me@home.test",
    password: "secret",
    plain: "me@home.test",
    scram: "me@home.test",
  },
  {
    name: "a login in capitals",
    login: "ME@Home.Test",
    password: "secret",
    plain: "me@home.test",
    scram: "me@home.test",
  },
  {
    name: "a login without a domain",
    login: "me",
    password: "secret",
    plain: "me@home.test",
    scram: "me@home.test",
  },
  {
    name: "an app password",
    login: "me@home.test",
    password: "abcd-efgh",
    plain: "me@home.test phone",
    scram: "me@home.test phone",
  },
  {
    name: "a password of an old users file, which has no keys",
    login: "old@home.test",
    password: "older",
    plain: "old@home.test",
    scram: "denied",
  },
  {
    name: "a wrong password",
    login: "me@home.test",
    password: "Secret",
    plain: "denied",
    scram: "denied",
  },
  {
    name: "an unknown login",
    login: "you@home.test",
    password: "secret",
    plain: "denied",
    scram: "denied",
  },
  {
    name: "a login of another domain",
    login: "me@other.test",
    password: "secret",
    plain: "denied",
    scram: "denied",
  },
  {
    name: "a login that can be no mailbox",
    login: "../me",
    password: "secret",
    plain: "denied",
    scram: "denied",
  },
];

for (const { name, login, password, plain, scram } of TRIES) {
  Deno.test(`auth answers as it must to ${name}`, async () => {
    await using role = new Role();
    strictEqual(await role.password(login, password), plain);
    strictEqual(await role.scram(login, password), scram);
  });
}

Deno.test("auth tells a salt, the same each time, for a login that is not there", async () => {
  await using role = new Role();
  const salt = async (login: string) => {
    const first = await role.first(login);
    if (typeof first === "string") throw new Error(first);
    const [nonce, salt, count] = first.serverFirst.split(",");
    match(nonce!, /^r=clientnonce[A-Za-z0-9+/]{24}$/);
    strictEqual(count, "i=4096");
    return salt;
  };
  strictEqual(await salt("you@home.test"), await salt("you@home.test"));
  strictEqual(await salt("You@home.test"), await salt("you@home.test"));
  notStrictEqual(await salt("you@home.test"), await salt("him@home.test"));
  // As long as a real one.
  strictEqual(
    (await salt("you@home.test"))!.length,
    (await salt("me@home.test"))!.length,
  );
});

Deno.test("auth locks a login from where it failed, right password or not", async () => {
  await using role = new Role();
  for (let n = 0; n < 10; n++) {
    const how = n % 2 === 0
      ? await role.password("me@home.test", `x${n}`)
      : await role.scram("me@home.test", "x");
    strictEqual(how, "denied", `try ${n}`);
  }
  strictEqual(await role.password("me@home.test", "secret"), "locked");
  strictEqual(await role.scram("me@home.test", "secret"), "locked");
  strictEqual(
    await role.password("me@home.test", "secret", "198.51.100.1"),
    "me@home.test",
  );
  // Nor does it matter whether the login exists.
  for (let n = 0; n < 10; n++) await role.password("no@home.test", `x${n}`);
  strictEqual(await role.password("no@home.test", "x"), "locked");
  role.nowMs = 90_000;
  strictEqual(await role.password("me@home.test", "secret"), "me@home.test");
});

Deno.test("auth counts the second halves of exchanges begun before the lock", async () => {
  await using role = new Role();
  const firsts = await Promise.all(
    Array.from({ length: 15 }, () => role.first("me@home.test")),
  );
  const replies: string[] = [];
  for (const first of firsts) {
    ok(typeof first !== "string");
    const { exchange } = first;
    replies.push(told(
      await role.edge.ask("scramFinal", {
        exchange,
        clientFinalBare: "c=biws,r=x",
        proof: "AAAA",
      }),
    ));
  }
  deepStrictEqual(replies, [
    ...Array(10).fill("denied"),
    ...Array(5).fill("locked"),
  ]);
});

Deno.test("auth says that it cannot read, and is busy", async () => {
  await using role = new Role();
  role.logins = undefined;
  strictEqual(await role.password("me@home.test", "secret"), "unhealthy");
  strictEqual(await role.scram("me@home.test", "secret"), "unhealthy");
  role.logins = LOGINS;
  // Two at work, 64 of one network wait, the rest must come again.
  const all = await Promise.all(
    Array.from(
      { length: 70 },
      () => role.password("me@home.test", "secret"),
    ),
  );
  strictEqual(all.filter((one) => one === "busy").length, 4);
  strictEqual(all.filter((one) => one === "me@home.test").length, 66);
});

Deno.test("auth takes an exchange once", async () => {
  await using role = new Role();
  const first = await role.first("me@home.test");
  ok(typeof first !== "string");
  const final = clientFinal({
    ...first,
    password: "secret",
    binding: Buffer.from("n,,"),
  });
  const ask = {
    exchange: first.exchange,
    clientFinalBare: final.bare,
    proof: final.proof,
  };
  strictEqual((await role.edge.ask("scramFinal", ask)).kind, "answered");
  strictEqual(told(await role.edge.ask("scramFinal", ask)), "denied");
});

Deno.test("scramFinal() bounds the guesses of strangers, from however many networks", async () => {
  await using role = new Role();
  strictEqual(await role.scram("me", "secret"), "me@home.test");
  for (let n = 0; n < 50; n++) {
    const client = `198.18.${n}.1`;
    strictEqual(await role.scram(`u${n}`, "guess", client), "denied");
  }
  // Right or wrong, it is not said.
  strictEqual(await role.scram("me", "guess", "203.0.113.1"), "busy");
  strictEqual(await role.scram("me", "secret", "203.0.113.1"), "busy");
  strictEqual(await role.scram("me", "secret"), "me@home.test");
  role.nowMs += 100;
  strictEqual(
    await role.scram("me", "secret", "203.0.113.1"),
    "me@home.test",
  );
});
