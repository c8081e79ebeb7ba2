/** The command line: what scripts and people rely on. */
import assert from "node:assert/strict";
import { mailIn } from "./mailbox.ts";
import {
  BULKHEAD,
  bulkhead,
  change,
  type Installation,
  installation,
  IS_ROOT,
  ROOT,
  run,
  server,
  until,
} from "./server_fixture.ts";
import { octets, SmtpClient } from "./smtp_client.ts";

const ROLES =
  "dns resolve sync maildir smtpc spool queue auth console submission smtpd"
    .split(" ");

const COMMANDS = [
  [],
  ["init"],
  ["serve"],
  ["check"],
  ["status"],
  ["roles"],
  ["drill"],
  ["console"],
  ["user"],
  ["user", "add"],
  ["user", "list"],
  ["user", "remove"],
  ["user", "passwd"],
  ["user", "app-password"],
  ["user", "app-password", "add"],
  ["user", "app-password", "list"],
  ["user", "app-password", "remove"],
  ["queue"],
  ["queue", "list"],
  ["queue", "show"],
  ["queue", "cat"],
  ["completion"],
  ["man"],
  ["tls"],
  ["config"],
  ["config", "doc"],
];

Deno.test("every command has --help", async () => {
  await Promise.all(COMMANDS.map(async (words) => {
    const { code, out, errors } = await bulkhead(...words, "--help");
    const name = words.join(" ");
    assert.equal(code, 0, `${name} --help: ${errors}`);
    assert.match(out, new RegExp(`^Usage: bulkhead ${name}`));
    assert.equal(errors, "", name);
  }));
  const serve = await bulkhead("serve", "--help");
  assert.match(serve.out, /queue\.expire\s+"5d"/, "settings and defaults");
});

Deno.test("wrong usage is exit code 64, with a word of help", async () => {
  const init = ["init", "/tmp/never-made", "--hostname", "mx.home.test"];
  const home = [...init, "--domain", "home.test"];
  const wrong = [
    ["nonsense"],
    ["serve", "--nonsense"],
    ["user", "nonsense"],
    ["user", "add"],
    ["user", "app-password", "add", "me"],
    ["queue", "show"],
    ["queue", "list", "too", "many"],
    ["init"],
    init,
    [...home, "--ports", "65533"],
    [...home, "--ports", "many"],
    [...home, "--user", "../etc"],
    [...home, "--user", "me", "--user", "you@"],
  ];
  await Promise.all(wrong.map(async (words) => {
    const { code, out, errors } = await bulkhead(...words);
    assert.equal(code, 64, words.join(" "));
    assert.equal(out, "", words.join(" "));
    assert.notEqual(errors, "", words.join(" "));
    assert.doesNotMatch(errors, /\n {4}at /, "no stack trace");
  }));
  assert.throws(() => Deno.statSync("/tmp/never-made"), "nothing was made");
});

Deno.test("what is not there is said, with its exit code", async () => {
  await using made = await installation();
  const nowhere = made.beside("nowhere.toml");
  for (
    const words of [
      ["serve"],
      ["check"],
      ["status"],
      ["roles"],
      ["queue", "list"],
      ["user", "list"],
    ]
  ) {
    const { code, out, errors } = await bulkhead(...words, "-c", nowhere);
    assert.equal(code, 78, words.join(" "));
    assert.match(out + errors, /nowhere\.toml is not there/);
  }
  const status = await made.command("status");
  assert.equal(status.code, 1);
  assert.match(status.out, /No server runs on .*bulkhead serve/);
  const { running } = await made.json<{ running: boolean }>("status");
  assert.equal(running, false);
});

const SAME = ["--hostname", "mx.home.test", "--domain", "home.test"];

Deno.test("init makes everything, and run again changes nothing", async () => {
  await using made = await installation({
    routes: ["remote.test=127.0.0.1:2600", "*=mx"],
    users: ["me", "you@home.test"],
  });
  const before = snapshot(made.home);
  const paths = [...before.keys()];
  for (const one of ["bulkhead.toml", "users", "tls/cert.pem", "mail/.sync"]) {
    assert.ok(paths.includes(`/${one}`), `${one} in ${paths}`);
  }
  const again = await bulkhead(
    ...["init", made.home, ...SAME, "--user", "me@home.test"],
  );
  assert.equal(again.code, 0, again.errors);
  assert.deepEqual(snapshot(made.home), before);

  // Nor does it pretend to have done what contradicts what is there.
  const other = await bulkhead(
    ...["init", made.home, "--hostname", "other.test", "--domain", "x.test"],
  );
  assert.equal(other.code, 78);
  assert.match(other.errors, /--hostname other\.test, --domain x\.test/);
  assert.deepEqual(snapshot(made.home), before);

  // What is missing comes back.
  await Deno.remove(`${made.home}/run`, { recursive: true });
  const mended = await bulkhead("init", made.home, ...SAME);
  assert.equal(mended.code, 0, mended.errors);
  assert.deepEqual(snapshot(made.home), before);

  const text = await Deno.readTextFile(made.config);
  assert.match(text, /^"remote\.test" = "127\.0\.0\.1:2600"$/m);
  assert.match(text, /^"\*" = "mx"$/m);
  assert.match(text, /^relay_domains = \["remote\.test"\]$/m);
  assert.match(text, /^postmaster = "me@home\.test"$/m);
});

Deno.test("init makes passwords, and shows them once", async () => {
  await using made = await installation();
  const args = ["--hostname", "mx.home.test", "--domain", "home.test"];
  const home = made.beside("other");
  const ran = await bulkhead("init", home, ...args, "--user", "me");
  assert.equal(ran.code, 0, ran.errors);
  const password = /^password\s+(\S{16,})/m.exec(ran.out)?.[1];
  assert.ok(password, ran.out);
  const users = await Deno.readTextFile(`${home}/users`);
  assert.equal(users, "me@home.test\n");
  const kept = await Deno.readTextFile(`${home}/auth/passwords`);
  assert.match(kept, /^me@home\.test::scrypt\$.*:scram-sha-256\$/m);
  assert.ok(!kept.includes(password));
  await movesOldPasswords(home, args);
  assert.equal((await Deno.stat(`${home}/users`)).mode! & 0o777, 0o600);
  const file = await Deno.stat(`${home}/auth/passwords`);
  assert.equal(file.mode! & 0o777, 0o640);
  if (IS_ROOT) {
    const dir = await Deno.stat(`${home}/auth`);
    assert.deepEqual([file.uid, file.gid], [0, dir.gid]);
    assert.notEqual(file.gid, 0);
  }
  assert.equal((await Deno.stat(`${home}/tls/key.pem`)).mode! & 0o777, 0o600);
});

/** Makes the files of 0.4.0 out of the new ones, and has init move them. */
async function movesOldPasswords(home: string, args: readonly string[]) {
  const path = `${home}/auth/passwords`;
  const text = await Deno.readTextFile(path);
  const hash = /^me@home\.test::(scrypt\$[^:]+):/m.exec(text)![1];
  await Deno.writeTextFile(`${home}/users`, `# mine\nme@home.test:${hash}\n`);
  await Deno.truncate(path);
  const ran = await bulkhead("init", home, ...args);
  assert.equal(ran.code, 0, ran.errors);
  assert.equal(
    await Deno.readTextFile(`${home}/users`),
    "# mine\nme@home.test\n",
  );
  const moved = await Deno.readTextFile(path);
  assert.ok(moved.includes(`me@home.test::${hash}::\n`), moved);
}

Deno.test("config doc is what docs/configuration.md has", async () => {
  const { code, out } = await bulkhead("config", "doc");
  assert.equal(code, 0);
  assert.equal(
    out,
    await Deno.readTextFile(`${ROOT}docs/configuration.md`),
    "deno run -A main.ts config doc > docs/configuration.md",
  );
  const all = JSON.parse((await bulkhead("config", "doc", "--json")).out);
  assert.ok(all.length > 40);
  for (const { key } of all) {
    assert.ok(out.includes(key.replace(/\.\*$/, "")), `${key} is documented`);
  }
});

/** `check --json`. */
interface Checked {
  readonly ok: boolean;
  readonly findings: readonly { kind: string; what: string }[];
}

Deno.test("check finds nothing in what init made", async () => {
  await using made = await installation();
  const { code, out, errors } = await made.command("check");
  assert.equal(code, 0, out + errors);
  assert.match(out, /The server can start\.\n$/);
  const { ok, findings } = await made.json<Checked>("check");
  assert.equal(ok, true);
  const about = findings.map(({ what }) => what).join("\n");
  assert.match(about, /Landlock/);
  assert.match(about, new RegExp(`127\\.0\\.0\\.1:${made.smtpPort} is free`));
  assert.match(about, IS_ROOT ? /user of its own/ : /not root/);
});

Deno.test("a running server is seen, and told of new users", async (t) => {
  await using made = await server({
    users: ["me"],
    settings: `[aliases]\n"team@home.test" = ["me", "new"]`,
  });

  await t.step("status says that all is well", async () => {
    const { code, out } = await made.command("status");
    assert.equal(code, 0, out);
    assert.match(out, /mx\.home\.test: ready/);
    for (const role of ROLES) {
      assert.match(out, new RegExp(`^${role}\\.0 `, "m"));
    }
    const status = await made.json<Record<string, unknown>>("status");
    assert.equal(status["running"], true);
    assert.equal(status["ready"], true);
    assert.equal(status["pid"], made.pid);
    assert.equal(status["home"], made.home);
    const roles = await made.roles();
    assert.equal(new Set(roles.map(({ pid }) => pid)).size, roles.length);
    for (const { instance, state, restarts } of roles) {
      assert.deepEqual([state, restarts], ["ready", 0], instance);
    }
  });

  await t.step("roles prints every role's rights", async () => {
    const { roles } = await made.json<{
      roles: {
        role: string;
        flags: string[];
        asks: string[];
        user: { uid: number } | null;
      }[];
    }>("roles");
    const names = new Set(roles.map(({ role }) => role));
    for (const role of ROLES) assert.ok(names.has(role), role);
    const smtpd = roles.find(({ role }) => role === "smtpd")!;
    const submission = roles.find(({ role }) => role === "submission")!;
    assert.deepEqual(submission.flags, []);
    assert.ok(submission.asks.includes("auth"));
    assert.deepEqual(smtpd.flags, []);
    assert.deepEqual(smtpd.asks, ["resolve", "spool", "queue", "gate"]);
    for (const { role, user } of roles) {
      assert.equal(user !== null, IS_ROOT, role);
    }
    const { code, out } = await made.command("roles");
    assert.equal(code, 0);
    assert.match(out, /^smtpd: [^]*flags +none at all/m);
  });

  await t.step("check knows that it runs", async () => {
    const { code, out } = await made.command("check");
    assert.equal(code, 0, out);
    assert.match(out, /the server is running/);
  });

  await t.step("user add is in force at once", async () => {
    using client = await SmtpClient.ready(made.smtpPort);
    client.expect(await client.say("MAIL FROM:<>"), 250);
    client.expect(await client.say("RCPT TO:<new@home.test>"), 550);
    const added = await made.command("user", "add", "New@home.test");
    assert.equal(added.code, 0, added.errors);
    assert.match(added.out, /new@home\.test: done, and in force/);
    assert.match(added.out, /^password\s+\S{16,}/m);
    // The same session: nobody had to connect anew.
    await until(
      "the new mailbox",
      async () => (await client.say("RCPT TO:<new@home.test>")).code === 250,
      5_000,
    );
    client.expect(await client.data(octets("A: b\r\n\r\n")), 250);
    await client.quit();
    await mailIn(made.maildir("new"), 1);
    await accepts(made, "team@home.test");
    await mailIn(made.maildir("new"), 2);
  });

  await t.step("user list, passwd and remove do what they say", async () => {
    const users = () => made.json<{ users: string[] }>("user", "list");
    const names = ["me@home.test", "new@home.test"];
    assert.deepEqual((await users()).users, names);
    assert.equal(
      (await made.command("user", "list")).out,
      names.join("\n") + "\n",
    );

    const hash = () =>
      Deno.readTextFileSync(`${made.home}/auth/passwords`).split("\n")
        .find((line) => line.startsWith("new@"));
    const before = hash();
    const file = ["--password-file", made.beside("pw")];
    const changed = await made.command("user", "passwd", "new", ...file);
    assert.equal(changed.code, 0, changed.errors);
    assert.notEqual(hash(), before);

    assert.equal((await made.command("user", "add", "me", ...file)).code, 1);
    assert.equal((await made.command("user", "remove", "nobody")).code, 1);
    assert.equal((await made.command("user", "passwd", "nobody")).code, 1);
    assert.equal((await made.command("user", "add", "x@other.test")).code, 1);
    assert.equal((await made.command("user", "add", "a/b")).code, 64);

    const set = await made.json<{ user: string; password: string }>(
      ...["user", "passwd", "new"],
    );
    assert.equal(set.user, "new@home.test");
    assert.match(set.password, /^\S{16,}$/);

    const app = await made.json<{ appPassword: string; password: string }>(
      ...["user", "app-password", "add", "new", "phone"],
    );
    assert.match(app.password, /^([a-z2-9]{4}-){5}[a-z2-9]{4}$/);
    const apps = () =>
      made.json<{ appPasswords: { name: string }[] }>(
        ...["user", "app-password", "list", "new"],
      );
    assert.deepEqual(
      (await apps()).appPasswords.map(({ name }) => name),
      ["phone"],
    );
    const twice = ["user", "app-password", "add", "new", "phone"];
    assert.equal((await made.command(...twice)).code, 1);
    const gone = ["user", "app-password", "remove", "new", "phone"];
    assert.equal((await made.command(...gone)).code, 0);
    assert.equal((await made.command(...gone)).code, 1);
    assert.deepEqual((await apps()).appPasswords, []);

    const removed = await made.command("user", "remove", "new@home.test");
    assert.equal(removed.code, 0, removed.errors);
    using client = await SmtpClient.ready(made.smtpPort);
    // smtpd believes for a second what it was told.
    await until(
      "the end of the mailbox",
      async () => {
        client.expect(await client.say("RSET"), 250);
        client.expect(await client.say("MAIL FROM:<>"), 250);
        return (await client.say("RCPT TO:<new@home.test>")).code === 550;
      },
      5_000,
    );
    await mailIn(made.maildir("new"), 2);
  });

  await t.step("a faulty configuration does not reach it", async () => {
    const good = await Deno.readTextFile(made.config);
    change(made, '[smtp]\nhop_limit = "many"');
    Deno.kill(made.pid, "SIGHUP");
    await until(
      "renew-refused",
      () => made.events().some(({ event }) => event === "renew-refused"),
      5_000,
    );
    await accepts(made, "me@home.test");
    await Deno.writeTextFile(made.config, good);
    assert.equal((await made.command("status")).code, 0);
  });

  await t.step("queue show knows no message that never was", async () => {
    const { code, out, errors } = await made.command(
      "queue",
      "show",
      "0".repeat(16),
    );
    assert.deepEqual([code, out], [66, ""], errors);
    assert.match(errors, /no message/);
    const empty = await made.command("queue", "list");
    assert.deepEqual([empty.code, empty.out], [0, "The queue is empty.\n"]);
  });

  // A checkout's runtime is not everybody's to execute; the one file's is.
  if (IS_ROOT && Deno.env.get("BULKHEAD")) {
    await t.step("who may not read the configuration is told so", async () => {
      const user = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
      const command = [...BULKHEAD, "status", "--config", made.config];
      const { code, errors } = await run("setpriv", [...user, ...command]);
      assert.equal(code, 77, errors);
      assert.match(errors, /may not be read by user 65534/);
    });
  }

  await t.step(
    "the console shows the state, and only to its own name",
    async () => {
      const url = `http://127.0.0.1:${made.consolePort}/`;
      const page = await fetch(url);
      assert.equal(page.status, 200);
      assert.match(await page.text(), /mx\.home\.test/);
      const metrics = await (await fetch(`${url}metrics`)).text();
      assert.match(metrics, /^bulkhead_ready 1$/m);
      assert.match(
        metrics,
        /^bulkhead_role_up\{role="queue",process="0"\} 1$/m,
      );
      assert.match(metrics, /^bulkhead_queue_recipients\{state="hold"\} 0$/m);
      assert.match(metrics, /^bulkhead_disk_free_bytes\{/m);
      const { out } = await run("curl", [
        ...["-s", "-o", "/dev/null", "-w", "%{http_code}"],
        ...["-H", "Host: evil.test", url],
      ]);
      assert.match(out, /^4\d\d$/, "a foreign Host is refused");
    },
  );

  await made.stopCleanly();

  await t.step("status knows that it has stopped", async () => {
    assert.equal((await made.command("status")).code, 1);
  });
});

async function accepts(made: Installation, to: string): Promise<void> {
  const client = await SmtpClient.ready(made.smtpPort);
  await client.transact("", [to], octets("A: b\r\n\r\n"));
  await client.quit();
}

/** Every file below `home`: owner, mode and content (size of large ones). */
function snapshot(home: string): Map<string, string> {
  const found = new Map<string, string>();
  const look = (dir: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(home + dir)) {
      const path = `${dir}/${name}`;
      const { mode, uid, gid, size } = Deno.statSync(home + path);
      const rest = isDirectory
        ? ""
        : size > 1_000_000
        ? `${size}`
        : Deno.readTextFileSync(home + path);
      found.set(path, `${mode!.toString(8)} ${uid}:${gid} ${rest}`);
      if (isDirectory) look(path);
    }
  };
  look("");
  return found;
}
