/**
 * Programs that others wrote log in and submit, by every mechanism that they
 * have, with STARTTLS and in TLS from the first octet.
 */
import assert from "node:assert/strict";
import nodemailer from "nodemailer";
import { filesIn } from "../system/mailbox.ts";
import { type Installation, run, server } from "../system/server_fixture.ts";
import { areInstalled } from "./peers.ts";

const PYTHON = "/usr/bin/python3";
const MSMTP = "/usr/bin/msmtp";
const NAIL = "/usr/bin/s-nail";
const SWAKS = "/usr/bin/swaks";

/** What `init` gave `me`. */
const PASSWORD = "a password";
const LOGIN = "me@home.test";

/** One way of handing in a message with that subject. */
interface Way {
  readonly subject: string;
  run(made: Installation, subject: string): Promise<void>;
}

/** STARTTLS. */
const submission = (made: Installation) => made.smtpPort + 1;
/** TLS from the first octet. */
const submissions = (made: Installation) => made.smtpPort + 2;

async function good(command: string, args: readonly string[]): Promise<void> {
  const ran = await run(command, [...args]);
  assert.equal(ran.code, 0, `${command}: ${ran.out}${ran.errors}`);
}

function swaks(mechanism: string, isWrapped: boolean): Way {
  return {
    subject: `swaks ${mechanism} ${isWrapped ? "TLS" : "STARTTLS"}`,
    run: (made, subject) =>
      good(SWAKS, [
        "--server",
        `127.0.0.1:${(isWrapped ? submissions : submission)(made)}`,
        ...[isWrapped ? "--tls-on-connect" : "--tls", "--auth", mechanism],
        ...["--auth-user", LOGIN, "--auth-password", PASSWORD],
        ...["--helo", "swaks.test", "--from", LOGIN, "--to", "you@home.test"],
        ...["--data", `Subject: ${subject}\\nBcc: secret@home.test\\n\\nx\\n`],
      ]),
  };
}

function msmtp(mechanism: string, isWrapped: boolean): Way {
  return {
    subject: `msmtp ${mechanism} ${isWrapped ? "TLS" : "STARTTLS"}`,
    run: (made, subject) =>
      good("sh", [
        "-c",
        'printf "%s" "$1" | exec "$2" --host=127.0.0.1 --port="$3" ' +
        '--tls=on --tls-starttls="$4" --tls-certcheck=off ' +
        '--auth="$5" --user="$6" --passwordeval="echo \'$7\'" --from="$6" ' +
        "you@home.test",
        ...["sh", `Subject: ${subject}\nBcc: secret@home.test\n\nx\n`, MSMTP],
        `${(isWrapped ? submissions : submission)(made)}`,
        ...[isWrapped ? "off" : "on", mechanism, LOGIN, PASSWORD],
      ]),
  };
}

function nail(mechanism: string, isWrapped: boolean): Way {
  return {
    subject: `s-nail ${mechanism} ${isWrapped ? "TLS" : "STARTTLS"}`,
    run: (made, subject) => {
      const scheme = isWrapped ? "smtps" : "smtp";
      const port = (isWrapped ? submissions : submission)(made);
      const url = `${scheme}://me%40home.test:a%20password@127.0.0.1:${port}`;
      return good("sh", [
        "-c",
        'echo x | exec "$1" -:/ -S v15-compat -S mta="$2" ' +
        '-S smtp-auth="$3" -S smtp-use-starttls -S tls-verify=ignore ' +
        '-S hostname=nail.test -S from="$4" -s "$5" you@home.test',
        ...["sh", NAIL, url, mechanism, LOGIN, subject],
      ]);
    },
  };
}

function node(method: string | undefined, isWrapped: boolean): Way {
  return {
    subject: `nodemailer ${method} ${isWrapped ? "TLS" : "STARTTLS"}`,
    run: async (made, subject) => {
      const transport = nodemailer.createTransport({
        host: "127.0.0.1",
        port: (isWrapped ? submissions : submission)(made),
        secure: isWrapped,
        requireTLS: !isWrapped,
        name: "node.remote.test",
        tls: { rejectUnauthorized: false },
        auth: { user: LOGIN, pass: PASSWORD },
        ...(method === undefined ? {} : { authMethod: method }),
      });
      await transport.sendMail({
        from: LOGIN,
        to: "you@home.test",
        subject,
        text: "x\n",
      });
      transport.close();
    },
  };
}

function smtplib(isWrapped: boolean): Way {
  const program = `
import smtplib, ssl, sys
port, login, password, subject, wrapped = sys.argv[1:]
context = ssl._create_unverified_context()
if wrapped == "true":
    smtp = smtplib.SMTP_SSL("127.0.0.1", int(port), context=context)
else:
    smtp = smtplib.SMTP("127.0.0.1", int(port))
    smtp.starttls(context=context)
try:
    smtp.login(login, "not the password")
    raise SystemExit("a wrong password is good")
except smtplib.SMTPAuthenticationError as error:
    assert error.smtp_code == 535, error
smtp.login(login, password)
smtp.sendmail(login, ["you@home.test"], "Subject: %s\\r\\n\\r\\nx\\r\\n" % subject)
try:
    smtp.sendmail("you@home.test", ["you@home.test"], "Subject: not mine\\r\\n\\r\\n")
    raise SystemExit("another's address is good")
except smtplib.SMTPSenderRefused as error:
    assert error.smtp_code == 550, error
smtp.quit()
`;
  return {
    subject: `smtplib ${isWrapped ? "TLS" : "STARTTLS"}`,
    run: (made, subject) =>
      good(PYTHON, [
        ...["-c", program],
        `${(isWrapped ? submissions : submission)(made)}`,
        ...[LOGIN, PASSWORD, subject, `${isWrapped}`],
      ]),
  };
}

const WAYS: readonly Way[] = [
  swaks("PLAIN", false),
  swaks("LOGIN", true),
  msmtp("plain", true),
  msmtp("login", false),
  msmtp("scram-sha-256", false),
  msmtp("scram-sha-256", true),
  nail("plain", false),
  nail("login", true),
  node(undefined, true),
  node("LOGIN", false),
  smtplib(false),
  smtplib(true),
];

Deno.test({
  name: "swaks, msmtp, s-nail, nodemailer and smtplib log in and submit",
  ignore: !areInstalled("submitters_test", PYTHON, MSMTP, NAIL, SWAKS),
  fn: async (t) => {
    await using made = await server();
    for (const way of WAYS) {
      await t.step(way.subject, () => way.run(made, way.subject));
    }
    const paths = await filesIn(made.maildir("you"), WAYS.length, 30_000);
    const texts = paths.map((path) => Deno.readTextFileSync(path));
    for (const { subject } of WAYS) {
      const text = texts.find((one) => one.includes(`Subject: ${subject}\n`));
      assert.ok(text !== undefined, `${subject} is not there`);
      assert.match(text, /with ESMTPSA id/, subject);
      assert.match(text, /^Date: .*\d{4} [\d:]{5,8} /m, subject);
      assert.match(text, /^Message-ID: <.+>$/im, subject);
      assert.match(text, /^From: .*me@home\.test/m, subject);
      assert.doesNotMatch(text, /secret@home\.test/, subject);
    }
    await made.stopCleanly();
  },
});
