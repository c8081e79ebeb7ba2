/**
 * `up`, `down` and `check` on a machine of their own, as root: with a service
 * manager and without, killed between any two steps, beside another mail
 * server, and over files that an administrator changed.
 */
import assert from "node:assert/strict";
import {
  ADDRESSES,
  CAN_MAKE_MACHINES,
  TestMachine,
} from "./machine_fixture.ts";
import { ROOT } from "./server_fixture.ts";

const ignore = !CAN_MAKE_MACHINES;
const UP = "bulkhead up home.test --user me --offline";
const MADE = "/etc/bulkhead/made.json";

/** What the one file unpacks to run at all is older than this. */
const BEGIN = "bulkhead --version >/dev/null; touch /mnt/began";

/** The machine that lies below may have the roles' users already. */
const NO_USERS =
  "sed -i '/^bulkhead-/d' /etc/passwd /etc/group /etc/shadow /etc/gshadow";

/** A program that is killed at a moment has to be a module of the checkout. */
const CHECKOUT = `${Deno.execPath()} run --no-check -A`;

/** What `up --json` says. */
interface Upped {
  readonly ok: boolean;
  readonly steps: readonly { what: string; did: string; why?: string }[];
  readonly passwords: Readonly<Record<string, string>>;
  readonly findings: readonly { what: string; mend?: string }[];
  readonly records: readonly { name: string; type: string; value: string }[];
}

/** What `down --json` says. */
interface Downed {
  readonly waiting: number | null;
  readonly oldest: readonly string[];
  readonly undone: readonly { what: string; did: string; why?: string }[];
}

const SEND = "python3 -c \"import smtplib; smtplib.SMTP('127.0.0.1', 25, " +
  "'client.test').sendmail('you@remote.test', ['me@home.test'], " +
  "'Subject: hello\\\\r\\\\n\\\\r\\\\nhello\\\\r\\\\n')\"";
const READ =
  "for i in $(seq 100); do cat /var/lib/bulkhead/mail/home.test/me/" +
  "new/* 2>/dev/null && break; sleep 0.1; done";

/** What `up` makes, and what lies around it; nothing that the server writes. */
const LISTING = "find /etc /usr/local /usr/sbin /usr/lib/sendmail /usr/bin " +
  "/var/lib/bulkhead -newer /mnt/began -printf '%p %m %U %G %l %T@\\n' " +
  "2>/dev/null | grep -vE '/bulkhead/(run|queue|events|gate|sts|spool|mail)' |" +
  " sort";

Deno.test({
  name: "up makes a server that takes mail, and run again changes nothing",
  ignore,
  fn: async () => {
    await using machine = await TestMachine.make();
    await machine.good(NO_USERS);
    const dry = await machine.good(`${BEGIN}; ${UP} --dry-run`);
    assert.match(dry, /would make +the configuration/);
    assert.equal(await machine.good(LISTING), "", "a dry run makes nothing");

    const upped = JSON.parse(await machine.good(`${UP} --json`)) as Upped;
    assert.ok(upped.ok, JSON.stringify(upped.findings));
    assert.match(upped.passwords["me@home.test"] ?? "", /^\S{16,}$/);
    for (const { what, did } of upped.steps) {
      assert.equal(did, "made", what);
    }
    const records = upped.records.map((one) => `${one.type} ${one.value}`);
    assert.ok(records.includes("MX 10 mx.home.test."));
    assert.ok(records.includes(`A ${ADDRESSES[0]}`), records.join("; "));
    assert.match(records.join("\n"), /^TLSA 3 1 1 [0-9a-f]{64}$/m);

    await machine.good(SEND);
    assert.match(await machine.good(READ), /^hello$/m);

    const before = await machine.good(LISTING);
    const again = JSON.parse(await machine.good(`${UP} --json`)) as Upped;
    assert.deepEqual(
      new Set(again.steps.map(({ did }) => did)),
      new Set(["as it was"]),
    );
    assert.deepEqual(again.passwords, {});
    assert.equal(await machine.good(LISTING), before);

    // What is broken is told, and what is told to mend it does.
    await machine.good(`cd /var/lib/bulkhead
      kill $(sed -E 's/^."pid":([0-9]+).*/\\1/' run/status.json)
      for i in $(seq 200); do [ -e run/status.json ] || break; sleep 0.05; done
      chown -R root mail/home.test
      chmod 777 .
      chmod 666 /etc/bulkhead/bulkhead.toml`);
    const broken = await machine.sh("bulkhead check --offline --json");
    assert.equal(broken.code, 1, broken.out + broken.errors);
    const wrong = (JSON.parse(broken.out) as Upped).findings
      .filter((one) => "kind" in one && one.kind === "wrong");
    const says = wrong.map(({ what }) => what).join("\n");
    assert.match(says, /toml, and so .*\n.*\/bulkhead, and so .*\n/);
    assert.match(says, /home\.test is closed to the role .*\n.*not run: /);
    for (const { mend } of wrong) {
      const isUp = mend === "bulkhead up home.test";
      await machine.good(isUp ? `${mend} --offline` : mend!);
    }
    const checked = await machine.sh("bulkhead check --offline");
    assert.equal(checked.code, 0, checked.out + checked.errors);
    for (const address of ADDRESSES) {
      assert.match(
        checked.out,
        new RegExp(`ok +${address} port 25 answers, and relays nothing`),
      );
    }

    await machine.good(
      "printf 'Subject: late\\n\\nlate\\n' | " +
        "bulkhead sendmail -f me@home.test you@remote.test\n" +
        "for i in $(seq 50); do bulkhead queue list | grep -q remote && break; " +
        "sleep 0.1; done",
    );
    const downed = JSON.parse(
      await machine.good("bulkhead down --json"),
    ) as Downed;
    assert.equal(downed.waiting, 1);
    assert.match(downed.oldest[0]!, /<me@home\.test> to <you@remote\.test>/);
    const kept = downed.undone.filter(({ did }) => did === "kept")
      .map(({ what }) => what).filter((what) => !/^(account|group)/.test(what));
    assert.deepEqual(kept, ["/var/lib/bulkhead"]);
    const gone = "for one in /usr/local/bin/bulkhead /usr/sbin/sendmail " +
      "/usr/bin/mailq /var/log/bulkhead.log /var/lib/bulkhead/run; do " +
      "[ ! -e $one ] || echo $one; done; " +
      "ps -eo args | grep -c '[s]erve --config' || true";
    assert.equal(await machine.good(gone), "0\n");
    assert.match(await machine.good(READ), /^hello$/m, "the mail is there");
    const asked = await machine.sh("bulkhead down --purge-mail");
    assert.equal(asked.code, 1, "nobody typed the name of the home");
    assert.match(asked.out, /One message is not delivered yet/);
    assert.match(await machine.good(READ), /^hello$/m, "the mail is there yet");

    // It goes on with what was kept; the mailbox has its password still.
    const back = JSON.parse(await machine.good(`${UP} --json`)) as Upped;
    assert.deepEqual(back.passwords, {});
    assert.match(await machine.good(READ), /^hello$/m);
    await machine.good(
      "rm /etc/bulkhead/bulkhead.toml; bulkhead down --yes --purge-mail",
    );
    assert.equal(
      await machine.good(
        "ls -d /etc/bulkhead /var/lib/bulkhead 2>/dev/null; " +
          "grep -h ^bulkhead- /etc/passwd /etc/group || true",
      ),
      "",
    );
  },
});

/** systemctl as the unit needs it, with the walls that the unit wants. */
const SYSTEMCTL = `#!/bin/sh
unit=/etc/systemd/system/bulkhead.service
wants=/etc/systemd/system/multi-user.target.wants/bulkhead.service
echo "$*" >>/mnt/systemctl.log
value() { sed -n "s/^$1=//p" $unit; }
case $1 in
  daemon-reload | reset-failed) ;;
  enable) mkdir -p \${wants%/*}; ln -sf $unit $wants ;;
  disable)
    rm -f $wants
    kill $(cat /mnt/main.pid) 2>/dev/null
    while kill -0 $(cat /mnt/main.pid) 2>/dev/null; do sleep 0.05; done ;;
  is-enabled) [ -L $wants ] ;;
  start)
    caps=$(value CapabilityBoundingSet | tr ' A-Z' ',a-z' | sed 's/cap_/+/g')
    paths=$(value ReadWritePaths | tr '\\n' ' ')
    setsid unshare -m --propagation private /bin/sh -ec '
      for one in $1; do
        one=\${one#-}
        [ ! -d $one ] || mount --bind $one $one
      done
      for one in / /usr /etc /var; do mount -o remount,bind,ro $one; done
      echo $$ >/mnt/main.pid
      export TMPDIR=/mnt/tmp # a checkout may lie in /tmp
      exec setpriv --bounding-set "-all,$2" --no-new-privs $3' \\
      sh "$paths" "$caps" "$(value ExecStart)" </dev/null >/mnt/log 2>&1 & ;;
  *) exit 1 ;;
esac
`;

Deno.test({
  name:
    "up makes a unit that systemd understands, and the server runs within it",
  ignore,
  fn: async () => {
    await using machine = await TestMachine.make();
    await machine.good(
      "mkdir -p /run/systemd/system /mnt/tmp\n" +
        `cat >/mnt/bin/systemctl <<'END'\n${SYSTEMCTL}END\n` +
        "chmod 755 /mnt/bin/systemctl\n" +
        // A certificate of certbot's, and its hooks.
        "live=/etc/letsencrypt/live/mx.home.test\n" +
        "mkdir -p $live /etc/letsencrypt/renewal-hooks/deploy\n" +
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes " +
        "-days 60 -subj /CN=mx.home.test -addext " +
        "subjectAltName=DNS:mx.home.test -keyout $live/privkey.pem " +
        "-out $live/fullchain.pem 2>/dev/null",
    );
    const upped = JSON.parse(await machine.good(`${UP} --json`)) as Upped;
    assert.ok(upped.ok, JSON.stringify(upped.findings));
    await machine.good(SEND);
    assert.match(await machine.good(READ), /^hello$/m);
    const configured = await machine.good("cat /etc/bulkhead/bulkhead.toml");
    assert.match(configured, /certificate = "\/etc\/letsencrypt\/live\//);
    assert.match(
      await machine.good("cat /etc/letsencrypt/renewal-hooks/deploy/bulkhead"),
      /systemctl reload bulkhead/,
    );
    const verified = await machine.sh(
      "command -v systemd-analyze >/dev/null || exit 0\n" +
        "systemd-analyze verify /etc/systemd/system/bulkhead.service 2>&1",
    );
    assert.equal(verified.code, 0, verified.out);
    assert.equal(verified.out, "");
    // Memory is only known with the right to look at other users' processes.
    const status = JSON.parse(await machine.good("bulkhead status --json"));
    assert.ok(
      status.roles.every((one: { restarts: number }) => one.restarts === 0),
    );

    // What was edited stays, with up and with down; what is missing is mended.
    await machine.good(
      "echo '# mine' >>/etc/systemd/system/bulkhead.service; " +
        "echo '# mine' >>/etc/bulkhead/bulkhead.toml; rm /usr/bin/mailq",
    );
    const mended = await machine.good(UP);
    assert.match(mended, /kept +the service .*was edited/);
    assert.match(mended, /kept +the configuration /);
    assert.match(mended, /made +sendmail, mailq/);
    await machine.good(
      "[ $(readlink /usr/bin/mailq) = /usr/local/bin/bulkhead ]; " +
        "tail -qn 1 /etc/bulkhead/bulkhead.toml | grep mine",
    );
    const downed = await machine.good("bulkhead down");
    assert.match(downed, /kept +\/etc\/systemd\/system\/bulkhead\.service/);
    assert.match(downed, /kept +\/etc\/bulkhead\/bulkhead\.toml/);
    assert.match(
      await machine.good("tail -3 /mnt/systemctl.log"),
      /^disable --now/m,
    );
    assert.equal(
      await machine.good("ls /etc/letsencrypt/renewal-hooks/deploy"),
      "",
    );
  },
});

Deno.test({
  name: "up and down go on after an end between any two steps",
  ignore,
  fn: async () => {
    await using machine = await TestMachine.make();
    await machine.good(
      "echo old >/usr/sbin/sendmail; echo a password >/mnt/pw\n" +
        NO_USERS,
    );
    // As if it were the one file, which is copied.
    await machine.good(
      `printf '#!/bin/sh\\nexec ${CHECKOUT} ${ROOT}main.ts "$@"\\n' ` +
        ">/mnt/file; " +
        "chmod 755 /mnt/file",
    );
    const asFile = `BULKHEAD_FILE=/mnt/file ${CHECKOUT} ${ROOT}`;
    const killed = `${asFile}tests/system/up_main.ts`;
    const upKills = await killedUntilDone(machine, `${killed} up /mnt/pw`);
    assert.ok(upKills > 12, `${upKills} kills of up`);
    await machine.good(SEND);
    assert.match(await machine.good(READ), /^hello$/m);
    const again = JSON.parse(
      await machine.good(
        `${asFile}main.ts ${UP.slice(UP.indexOf(" "))} --json`,
      ),
    ) as Upped;
    assert.deepEqual(
      new Set(again.steps.map(({ did }) => did)),
      new Set(["as it was"]),
    );
    assert.equal(
      await machine.good("cat /usr/sbin/sendmail.before-bulkhead"),
      "old\n",
    );

    const downKills = await killedUntilDone(machine, `${killed} down`);
    assert.ok(downKills > 5, `${downKills} kills of down`);
    const left = await machine.good(
      `ls -d ${MADE} /etc/bulkhead /var/lib/bulkhead /usr/local/bin/bulkhead ` +
        "/usr/bin/mailq 2>/dev/null; cat /usr/sbin/sendmail\n" +
        "grep -h ^bulkhead- /etc/passwd /etc/group\n" +
        "ps -eo args | grep '[s]erve --config'; true",
    );
    assert.equal(left, "old\n");
  },
});

/** Times that a command was killed until it came to its end. */
async function killedUntilDone(
  machine: TestMachine,
  command: string,
): Promise<number> {
  const script = `n=0
while [ $n -lt 200 ]; do
  ${command} >/mnt/out 2>&1; code=$?
  [ $code = 137 ] || break
  n=$((n + 1))
done
[ $code = 0 ] || { cat /mnt/out; exit $code; }
echo $n`;
  const { code, out, errors } = await machine.sh(script, 120_000);
  assert.equal(code, 0, out + errors);
  return Number(out);
}

Deno.test({
  name: "up says who is in the way, and touches nothing then",
  ignore,
  fn: async () => {
    await using machine = await TestMachine.make();
    await machine.good(
      `${BEGIN}\n` +
        'echo \'Deno.listen({ hostname: "0.0.0.0", port: 25 }); ' +
        "setInterval(() => {}, 1e6)' >/mnt/listen.ts\n" +
        `cp '${Deno.execPath()}' /mnt/master\n` +
        "/mnt/master run -A /mnt/listen.ts </dev/null >/dev/null 2>&1 &\n" +
        "for i in $(seq 100); do ss -ltn | grep -q ':25 ' && break; sleep 0.05; done",
    );
    const { code, errors } = await machine.sh(UP);
    assert.equal(code, 75);
    assert.match(errors, /port 25 is held by master \(\d+\): postfix stop/);
    assert.equal(await machine.good(LISTING), "");
  },
});
