/**
 * Local mail from outside: the command, the drop directory and the role, with
 * the server up, down and killed between any two steps.
 */
import assert from "node:assert/strict";
import { newDropName } from "../../mod/submit/drop_file.ts";
import { NOBODY, placeSendmail, shell } from "./local_mail.ts";
import { newFiles } from "./mailbox.ts";
import {
  delay,
  type Installation,
  installation,
  IS_ROOT,
  until,
} from "./server_fixture.ts";

/** Texts of the messages in the mailbox of `user`. */
function mailOf(made: Installation, user = "me"): string[] {
  return newFiles(made.maildir(user)).map((path) =>
    Deno.readTextFileSync(path)
  );
}

function waiting(made: Installation): string[] {
  return [...Deno.readDirSync(`${made.home}/drop`)].map(({ name }) => name);
}

async function pickupPid(
  made: Installation,
): Promise<number | undefined> {
  const roles = await made.roles();
  return roles.find(({ instance }) => instance === "pickup.0")?.pid;
}

Deno.test("sendmail hands in mail, server up or down, and pickup is not to be misled", async (t) => {
  await using made = await installation();
  const sendmail = await placeSendmail(made);
  /** Somebody else than the server's owner, where there can be one. */
  const user = IS_ROOT ? NOBODY : undefined;

  await t.step("a message waits while the server is down", async () => {
    const ran = await shell(
      `umask 0777; ${sendmail} -t -v`,
      "To: Me <me>, (x) nobody.such@home.test\nBcc: you@home.test\n" +
        "Subject: while down\n\nfirst\n.\nnot this\n",
      user,
    );
    assert.equal(ran.code, 0, ran.text);
    assert.match(ran.text, /^queued as [0-9A-Z]{16}\n$/);
    assert.equal(waiting(made).length, 1);
  });

  await t.step(
    "and is taken when it starts, with its owner's name",
    async () => {
      await made.start();
      const text = await until("a message", () => mailOf(made)[0]);
      const who = IS_ROOT ? "uid 65534 (nobody)" : `uid ${Deno.uid()}`;
      assert.ok(text.includes(`Received: by mx.home.test (from ${who}`), text);
      assert.ok(text.endsWith("\n\nfirst\n"), text);
      assert.ok(!text.includes("Bcc"), text);
      await until("the blind copy", () => mailOf(made, "you")[0]);
      assert.deepEqual(waiting(made), []);
    },
  );

  await t.step(
    "one is delivered within 1.5 s of the command's end",
    async () => {
      const before = mailOf(made).length;
      const ran = await shell(`${sendmail} me`, "Subject: fast\n\nx\n", user);
      const from = performance.now();
      assert.equal(ran.code, 0, ran.text);
      await until("it", () => mailOf(made).length > before, 1_500);
      assert.ok(performance.now() - from < 1_500);
    },
  );

  await t.step("faults have the exit codes of sysexits(3)", async () => {
    const codes: [string, number][] = [
      ["", 64],
      ["-Z me", 64],
      ["'me you@a b'", 67],
      ["-f 'a b' me", 65],
      ["'me\r\nBcc: x'", 67],
      ["-ba", 69],
      ["-bd", 69],
      ["-bv me", 0],
      ["-bi", 0],
      ["-t", 64],
      ["-C /nowhere me", 78],
    ];
    const ran = await Promise.all(
      codes.map(([args]) => shell(`${sendmail} ${args}`, "x\n", user)),
    );
    assert.deepEqual(
      codes.map(([args], i) => [args, ran[i]!.code]),
      codes,
      JSON.stringify(ran),
    );
    const big = await shell(
      `head -c 51000000 /dev/zero | ${sendmail} -i me`,
      "",
      user,
    );
    assert.equal(big.code, 65, big.text);
    const loop = "Received: x\n".repeat(51) + "\nx\n";
    assert.equal((await shell(`${sendmail} me`, loop, user)).code, 65);
    assert.deepEqual(waiting(made), []);
  });

  await t.step("a hostile environment does no harm", async () => {
    const before = mailOf(made).length;
    const lines = [
      `${sendmail} me <&- >&- 2>&-`,
      `IFS=x HOME=/nowhere NAME="$(printf 'a\\r\\nBcc: x')" ${sendmail} -v me >/dev/full`,
      `ulimit -n 64; ${sendmail} me`,
    ];
    for (const line of lines) {
      const ran = await shell(line, "Subject: odd\n\nx\n", user);
      assert.equal(ran.code, 0, `${line}: ${ran.text}`);
    }
    await until("three", () => mailOf(made).length === before + 3);
    assert.ok(!mailOf(made).some((text) => /^Bcc/m.test(text)));
    const cut = await shell(`ulimit -f 0; ${sendmail} me`, "x\n", user);
    assert.equal(cut.code, 75, cut.text);
  });

  await t.step("-bs speaks SMTP, and the message arrives", async () => {
    const before = mailOf(made).length;
    const ran = await shell(
      `${sendmail} -bs`,
      "EHLO x\r\nMAIL FROM:<me@home.test>\r\nRCPT TO:<me>\r\nDATA\r\n" +
        "Subject: spoken\r\n\r\n..x\r\n.\r\nQUIT\r\n",
      user,
    );
    assert.match(ran.text, /250 2\.0\.0 Ok: queued as/);
    await until("it", () => mailOf(made).length > before);
    assert.ok(
      mailOf(made).some((one) =>
        one.includes("Subject: spoken") && one.endsWith("\n\n.x\n")
      ),
    );
  });

  await t.step("what is no message goes, and pickup stays", async () => {
    const drop = `${made.home}/drop`;
    const name = () => `${drop}/${newDropName(Date.now())}`;
    const ran = await shell(
      `cd ${drop} && ln -s /etc/passwd ${name()} && mkfifo ${name()} && ` +
        `mkdir ${name()} && ln -s . ${name()} && : > ${name()} && ` +
        `truncate -s 1T ${name()} && head -c 1000000 /dev/urandom > ${name()}` +
        ` && echo x > -rf && echo x > "$(printf 'a\\033[2Jb')" && ` +
        `(umask 0777; echo x > ${name()}) && ` +
        `for i in $(seq 500); do echo > junk$i; done`,
      "",
      user,
    );
    assert.equal(ran.code, 0, ran.text);
    await until("an empty drop directory", () => waiting(made).length === 0);
    assert.ok(!made.events().some(({ event }) => event === "role-died"));
    if (user !== undefined) {
      const spying = await shell(`ls ${drop}; rm -rf ${drop}`, "", user);
      assert.notEqual(spying.code, 0);
    }
  });

  await t.step("killed between any two steps, nothing is lost", async () => {
    const before = mailOf(made).length;
    const count = 40;
    const sent = (async () => {
      for (let i = 0; i < count; i += 10) {
        await Promise.all(
          Array.from({ length: 10 }, async (_, n) => {
            const subject = `Subject: kill ${i + n}.\n\nx\n`;
            const ran = await shell(`${sendmail} me`, subject, user);
            assert.equal(ran.code, 0, ran.text);
          }),
        );
      }
    })();
    const kill = async () => {
      for (let i = 0; i < 2; i++) {
        await delay(200);
        const pid = await pickupPid(made);
        // It had died already, or rests, and is not back yet.
        if (!pid) continue;
        try {
          Deno.kill(pid, "SIGKILL");
        } catch (error) {
          if (!(error instanceof Deno.errors.NotFound)) throw error;
        }
      }
    };
    await Promise.all([sent, kill()]);
    await until("all", () => {
      const texts = mailOf(made);
      return Array.from({ length: count }, (_, i) => `Subject: kill ${i}.\n`)
        .every((subject) => texts.some((text) => text.includes(subject)));
    }, 30_000);
    await until("an empty directory", () => waiting(made).length === 0);
    assert.equal(mailOf(made).length, before + count, "each once");
  });

  await made.stopCleanly();
});
