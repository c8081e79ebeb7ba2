/**
 * Bad input and bad luck: a clear word, the right exit code, no socket opened,
 * and no acknowledged message lost.
 */
import assert from "node:assert/strict";
import { mailIn, newFiles, readDelivered } from "./mailbox.ts";
import {
  bulkhead,
  change,
  delay,
  type Installation,
  installation,
  IS_CI,
  IS_ROOT,
  type Ran,
  run,
  server,
  until,
} from "./server_fixture.ts";
import { octets, queueIdOf, SmtpClient } from "./smtp_client.ts";

/** Starts a server that is expected to give up; fails if it gets ready. */
async function serve(made: Installation): Promise<Ran> {
  const ran = await bulkhead("serve", "--config", made.config);
  assert.doesNotMatch(ran.errors, /"event":"ready"/);
  assert.doesNotMatch(ran.errors, /\n {4}at /, "no stack trace");
  return ran;
}

/** Holds a port, so that a server that opens sockets too early says so. */
function holdPort(made: Installation): Deno.TcpListener {
  return Deno.listen({ hostname: "127.0.0.1", port: made.smtpPort });
}

const BROKEN: { name: string; lines: string; at: number; says: RegExp }[] = [
  { name: "no TOML", lines: "[queue\n", at: 6, says: /no TOML/ },
  { name: "no value", lines: "hop_limit =\n", at: 6, says: /TOML/ },
  {
    name: "a key that comes twice",
    lines: "hop_limit = 20\nhop_limit = 30\n",
    at: 7,
    says: /TOML/,
  },
  {
    name: "an unknown key",
    lines: "hop_limits = 20\n",
    at: 6,
    says: /smtp\.hop_limits .*hop_limit/,
  },
  {
    name: "an unknown section",
    lines: "\n[quue]\nexpire = '5d'\n",
    at: 7,
    says: /quue .*queue/,
  },
  {
    name: "a value of the wrong type",
    lines: 'hop_limit = "many"\n',
    at: 6,
    says: /smtp\.hop_limit .*"many"/,
  },
  {
    name: "a value out of bounds",
    lines: "\nhop_limit = 5\n",
    at: 7,
    says: /smtp\.hop_limit .*10.*1000/,
  },
  {
    name: "a time without unit",
    lines: 'command_timeout = "5"\n',
    at: 6,
    says: /smtp\.command_timeout /,
  },
  {
    name: "a contradiction",
    lines: '[queue]\nfirst_retry = "2h"\nmax_retry = "1h"\n',
    at: 8,
    says: /queue\.max_retry .*first_retry/,
  },
  {
    name: "a port for two things",
    lines: '[console]\nlisten = "127.0.0.1:PORT"\n',
    at: 7,
    says: /console\.listen .*smtp\.listen/,
  },
  {
    name: "an alias that is none",
    lines: '[aliases]\nsales = "|/bin/sh"\n',
    at: 7,
    says: /aliases\.sales .*\|\/bin\/sh/,
  },
  {
    name: "a route that is none",
    lines: '[routes]\n"remote.test" = "somewhere"\n',
    at: 7,
    says: /routes\."?remote\.test"? /,
  },
  {
    name: "a route for a local domain",
    lines: '[routes]\n"home.test" = "mx"\n',
    at: 7,
    says: /local_domains/,
  },
  {
    name: "files that are not named",
    lines: '[tls]\nmode = "files"\n',
    at: 7,
    says: /tls\.certificate/,
  },
];

Deno.test("a broken configuration names the line and opens nothing", async (t) => {
  await using made = await installation();
  // If it opened sockets before it read the file, it would stumble over this.
  using _held = holdPort(made);
  const head = [
    "[server]",
    'hostname = "mx.home.test"',
    'local_domains = ["home.test"]',
    "[smtp]",
    `listen = ["127.0.0.1:${made.smtpPort}"]`,
  ].join("\n") + "\n";
  for (const { name, lines, at, says } of BROKEN) {
    await t.step(name, async () => {
      await Deno.writeTextFile(
        made.config,
        head + lines.replace("PORT", `${made.smtpPort}`),
      );
      const { code, errors } = await serve(made);
      assert.equal(code, 78, errors);
      const told = errors.split("\n").find((line) =>
        line.startsWith(`bulkhead: ${made.config}:${at}: `)
      );
      assert.ok(told, `line ${at} in ${errors}`);
      assert.match(told, says);
      assert.doesNotMatch(errors, /in use|"event"/);
    });
  }

  await t.step("all mistakes at once, and check says the same", async () => {
    const bad = "hop_limit = 5\nmax_recipients = 1\nnonsense = true\n";
    await Deno.writeTextFile(made.config, head + bad);
    const { errors } = await serve(made);
    for (const at of [6, 7, 8]) {
      assert.ok(errors.includes(`${made.config}:${at}: `), errors);
    }
    const checked = await made.command("check");
    assert.equal(checked.code, 78);
    for (const at of [6, 7, 8]) {
      assert.ok(checked.out.includes(`${made.config}:${at}: `), checked.out);
    }
  });

  await t.step("a missing setting", async () => {
    await Deno.writeTextFile(made.config, '[server]\nhostname = "a.test"\n');
    const { code, errors } = await serve(made);
    assert.equal(code, 78);
    assert.match(errors, /bulkhead\.toml:1: server\.local_domains is missing/);
  });
});

Deno.test("a certificate that cannot be used is named", async (t) => {
  await using made = await installation();
  await using other = await installation();
  using _held = holdPort(made);
  const files = (cert: string, key: string) =>
    change(
      made,
      `[tls]\nmode = "files"\ncertificate = "${cert}"\nkey = "${key}"`,
    );
  const refused = async (says: RegExp) => {
    const { code, errors } = await serve(made);
    assert.equal(code, 78, errors);
    assert.match(errors, says);
    assert.doesNotMatch(errors, /in use|"event"/);
    const checked = await made.command("check");
    assert.equal(checked.code, 78);
    assert.match(checked.out, says);
  };
  const own = `${made.home}/tls`;

  await t.step("when it is missing", async () => {
    files("/nowhere/cert.pem", `${own}/key.pem`);
    await refused(/\/nowhere\/cert\.pem is not there/);
  });
  await t.step("when the key is missing", async () => {
    files(`${own}/cert.pem`, "/nowhere/key.pem");
    await refused(/\/nowhere\/key\.pem/);
  });
  await t.step("when the key is another one's", async () => {
    files(`${own}/cert.pem`, `${other.home}/tls/key.pem`);
    await refused(/cert\.pem: .*key/);
  });
  await t.step("when it is no certificate", async () => {
    const garbage = made.beside("garbage.pem");
    await Deno.writeTextFile(garbage, "no certificate at all\n");
    files(garbage, `${own}/key.pem`);
    await refused(/garbage\.pem/);
  });
  if (!IS_ROOT) {
    await t.step("when it may not be read", async () => {
      const secret = made.beside("secret.pem");
      await Deno.copyFile(`${own}/key.pem`, secret);
      await Deno.chmod(secret, 0);
      files(`${own}/cert.pem`, secret);
      await refused(/secret\.pem/);
    });
  }
});

Deno.test("what lies wrong in the home is said with what mends it", async (t) => {
  await using made = await installation();
  using _held = holdPort(made);
  for (const place of ["spool", "queue", "mail", "run", "users"]) {
    await t.step(`when ${place} is missing`, async () => {
      await Deno.rename(`${made.home}/${place}`, made.beside("away"));
      const { code, errors } = await serve(made);
      assert.equal(code, 78, errors);
      assert.match(
        errors,
        new RegExp(
          `/${place} is missing: .bulkhead up DOMAIN., or .bulkhead init`,
        ),
      );
      assert.doesNotMatch(errors, /in use|"event"/);
      await Deno.rename(made.beside("away"), `${made.home}/${place}`);
    });
  }

  await t.step("when a user of the users file is none", async () => {
    const users = await Deno.readTextFile(`${made.home}/users`);
    await Deno.writeTextFile(`${made.home}/users`, users + "# x\nme home\n");
    const { code, errors } = await serve(made);
    assert.equal(code, 78);
    assert.match(errors, /\/users:4: /);
    await Deno.writeTextFile(`${made.home}/users`, users);
  });

  if (IS_ROOT) {
    for (const place of ["spool/segments", "queue", "mail"]) {
      await t.step(`when ${place} belongs to another user`, async () => {
        await Deno.chown(`${made.home}/${place}`, 0, 0);
        const { code, errors } = await serve(made);
        assert.equal(code, 78, errors);
        assert.doesNotMatch(errors, /in use|"event"/);
        const command = /: (chown \d+:\d+) (\S+)$/m.exec(errors);
        assert.ok(command, errors);
        assert.equal(command[2], `${made.home}/${place}`);
        await run("sh", ["-c", `${command[1]} ${command[2]}`]);
      });
    }
    await t.step("when the queue is open to others", async () => {
      await Deno.chmod(`${made.home}/queue`, 0o755);
      const { code, errors } = await serve(made);
      assert.equal(code, 78, errors);
      assert.match(errors, /chmod 0?700 /);
      await Deno.chmod(`${made.home}/queue`, 0o700);
    });
  }

  await t.step("and all of that mended it", async () => {
    const { code, out } = await made.command("check");
    const faults = out.split("\n").filter((line) => line.startsWith("FAULT"));
    // The port is ours: the one fault that is left.
    assert.equal(code, 78);
    assert.equal(faults.length, 1, out);
    assert.match(faults[0]!, /in use/);
  });
});

Deno.test("a port in use is named", async () => {
  await using made = await installation();
  using _held = holdPort(made);
  const { code, errors } = await serve(made);
  assert.equal(code, 78, errors);
  assert.match(errors, new RegExp(`127\\.0\\.0\\.1:${made.smtpPort}.* in use`));
});

Deno.test("a second server on the same home leaves the first alone", async () => {
  await using made = await server();
  const { code, errors } = await serve(made);
  assert.equal(code, 75, errors);
  assert.match(errors, /another server runs on .*bulkhead status/);
  const client = await SmtpClient.ready(made.smtpPort);
  await client.transact("", ["me@home.test"], octets("A: b\r\n\r\n"));
  await client.quit();
  await mailIn(made.maildir("me"), 1);
  await made.stopCleanly();
});

Deno.test("after the supervisor was killed the next start is clean", async () => {
  await using made = await server();
  const client = await SmtpClient.ready(made.smtpPort);
  await client.transact("", ["me@home.test"], octets("A: b\r\n\r\n"));
  const pids = (await made.roles()).map(({ pid }) => pid);
  Deno.kill(made.pid, "SIGKILL");
  await made.stop();
  await made.start();
  const next = await SmtpClient.ready(made.smtpPort);
  await next.transact("", ["me@home.test"], octets("A: b\r\n\r\n"));
  await next.quit();
  await mailIn(made.maildir("me"), 2);
  await until("the end of the old roles", () =>
    pids.every((pid) => {
      try {
        return Deno.readTextFileSync(`/proc/${pid}/stat`).includes(") Z ");
      } catch {
        return true;
      }
    }));
  client.close();
  await made.stopCleanly();
});

Deno.test("a corrupt database stops the start and names the command", async () => {
  await using made = await server({
    routes: ["remote.test=127.0.0.1:1"],
    settings: '[queue]\nfirst_retry = "1h"',
  });
  const client = await SmtpClient.ready(made.smtpPort);
  for (let n = 0; n < 40; n++) {
    const to = Array.from({ length: 10 }, (_, r) => `r${r}@remote.test`);
    await client.transact("me@home.test", to, octets("A: b\r\n\r\n"));
  }
  await client.quit();
  await made.stopCleanly();
  const path = `${made.home}/queue/queue.db`;
  const before = await Deno.readFile(path);
  assert.ok(before.length > 10 * 4_096, "there are pages to damage");
  const damaged = before.slice();
  for (let page = 4; page * 4_096 < damaged.length; page += 2) {
    damaged.subarray(page * 4_096, page * 4_096 + 2_000).fill(0xa5);
  }
  await Deno.writeFile(path, damaged);

  const { code, errors } = await serve(made);
  assert.equal(code, 78, errors);
  assert.match(errors, /queue\.db/);
  assert.match(errors, /bulkhead check/);
  const checked = await made.command("check");
  assert.equal(checked.code, 78);
  assert.match(checked.out, /FAULT .*queue\.db/);
  assert.match(checked.out, /\.recover/);
  const listed = await made.command("queue", "list");
  assert.notEqual(listed.code, 0);
  assert.doesNotMatch(listed.errors, /\n {4}at /);
  // Nothing of somebody's mail was thrown away or made anew.
  assert.ok((await Deno.stat(path)).size >= damaged.length);

  await Deno.writeFile(path, before);
  await made.start();
  const { messages } = await made.json<{ messages: unknown[] }>(
    "queue",
    "list",
  );
  assert.equal(messages.length, 40);
  await made.stopCleanly();
});

/** Mounts a small file system; undefined where that is not possible. */
async function smallDisk(mib: number) {
  if (!IS_ROOT) return undefined;
  const dir = await Deno.makeTempDir({ dir: "/tmp", prefix: "bulkhead-disk-" });
  const options = `size=${mib}m,mode=0755`;
  const { code } = await run("mount", ["-t", "tmpfs", "-o", options, "x", dir]);
  if (code !== 0) {
    await Deno.remove(dir);
    return undefined;
  }
  return {
    dir,
    async [Symbol.asyncDispose]() {
      await run("umount", ["-l", dir]);
      await Deno.remove(dir);
    },
  };
}

const canMount = await smallDisk(1).then(async (disk) => {
  await disk?.[Symbol.asyncDispose]();
  return disk !== undefined;
});
if (!canMount) console.log("faults_test: no mount, no full disk");

Deno.test({
  name: "a full disk refuses new mail for now and loses none",
  ignore: !canMount && !(IS_CI && IS_ROOT),
  fn: async (t) => {
    await using disk = (await smallDisk(400))!;
    await using made = await server({
      home: `${disk.dir}/home`,
      settings: `
[smtp]
max_message_size = "1MB"
processes = 1
[spool]
segment_size = "1MiB"
max_size = "100MiB"
min_free = "4MB"
[queue]
min_free = "1MiB"
first_retry = "500ms"
max_retry = "1s"
`,
    });
    const ballast = `${disk.dir}/ballast`;
    const body = "x".repeat(98) + "\r\n";
    const acknowledged = new Set<string>();
    const refusals: string[] = [];
    const send = async (kib: number) => {
      const client = await SmtpClient.ready(made.smtpPort);
      client.expect(await client.say("MAIL FROM:<a@remote.test>"), 250);
      client.expect(await client.say("RCPT TO:<me@home.test>"), 250);
      const reply = await client.data(
        octets("Subject: x\r\n\r\n" + body.repeat(10 * kib)),
      );
      if (reply.code === 250) acknowledged.add(queueIdOf(reply));
      else refusals.push(reply.text);
      await client.quit();
      return reply.code;
    };

    await t.step("takes mail while there is room", async () => {
      assert.equal(await send(100), 250);
      await mailIn(made.maildir("me"), 1);
    });

    await t.step("says 452 4.3.1 when there is none", async () => {
      await fill(ballast, disk.dir, 30);
      for (let n = 0; n < 300 && refusals.length < 5; n++) await send(500);
      assert.ok(refusals.length >= 5, "the disk is full");
      // What is on its way out gives its room back when shred is done with it.
      await until(
        "an idle shred",
        () => [...Deno.readDirSync(`${made.home}/spool/spent`)].length === 0,
      );
      await fill(ballast, disk.dir, 0);
      for (let n = 0; n < 5; n++) await send(10);
      for (const one of refusals) assert.match(one, /^452 4\.3\.1 /);
      assert.ok(refusals.length >= 10);
    });

    await t.step("says so to check, too", async () => {
      const { code, out } = await made.command("check");
      assert.equal(code, 78, out);
      assert.match(out, /FAULT .*free.*452/);
    });

    await t.step("takes mail again when there is room again", async () => {
      await Deno.remove(ballast);
      await until("250", async () => await send(10) === 250, 20_000);
    });

    await t.step("delivers all that it acknowledged", async () => {
      const inbox = made.maildir("me");
      await until(
        "all mail",
        () => newFiles(inbox).length >= acknowledged.size,
      );
      await delay(500);
      const ids = newFiles(inbox).map((path) =>
        / id (\w+);/.exec(readDelivered(path).head[2]!)![1]!
      );
      assert.deepEqual(new Set(ids), acknowledged);
      assert.equal(ids.length, acknowledged.size, "each of them once");
      for (const { instance, restarts } of await made.roles()) {
        assert.equal(restarts, 0, `${instance} was restarted`);
      }
    });

    await made.stopCleanly();
  },
});

/** Writes a file until the disk has only so many MiB left. */
async function fill(path: string, dir: string, leave: number): Promise<void> {
  const { out } = await run("df", ["--output=avail", "-B1", dir]);
  const free = Number(out.split("\n")[1]) - leave * 1_048_576;
  using file = await Deno.open(path, { create: true, append: true });
  const piece = new Uint8Array(1_048_576);
  try {
    for (let left = free; left > 0;) {
      left -= await file.write(piece.subarray(0, Math.min(left, piece.length)));
    }
  } catch (error) {
    // ENOSPC: others write too, and it is as full as can be.
    if (!(error instanceof Error) || !/space/i.test(error.message)) throw error;
  }
}
