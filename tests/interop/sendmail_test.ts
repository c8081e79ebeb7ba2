/**
 * Programs that others wrote hand in their mail by `sendmail`, each as it is
 * usually told where that is.
 */
import assert from "node:assert/strict";
import { placeSendmail, shell } from "../system/local_mail.ts";
import { newFiles } from "../system/mailbox.ts";
import { IS_ROOT, server, until } from "../system/server_fixture.ts";
import { areInstalled } from "./peers.ts";

/** One program. */
interface Program {
  readonly name: string;
  /** What must be installed. */
  readonly needs: string;
  /** The shell line; `$S` is our sendmail, `$D` a directory of its own. */
  readonly line: string;
  readonly input?: string;
  /** Parts of what arrives. */
  readonly arrives: readonly (string | RegExp)[];
  readonly asRoot?: boolean;
}

const PROGRAMS: readonly Program[] = [
  {
    name: "PHP's mail()",
    needs: "/usr/bin/php",
    line: `php -d sendmail_path="$S -t -i" -r ` +
      `'exit(mail("Me <me@home.test>, nobody.such", "from php", "one\\n.\\ntwo\\n",` +
      ` "From: web@home.test\\r\\nCc: me@home.test", "-fweb@home.test") ? 0 : 1);'`,
    arrives: [
      "Return-Path: <web@home.test>",
      "Subject: from php\n",
      "From: web@home.test\n",
      "one\n.\ntwo\n",
    ],
  },
  {
    name: "git send-email",
    needs: "/usr/lib/git-core/git-send-email",
    line: `cd $D && export HOME=$D GIT_CONFIG_NOSYSTEM=1 && ` +
      `git init -q . && git config user.email me@home.test && ` +
      `git config user.name "Mé Self" && echo x > x && git add x && ` +
      `git commit -q -m "from git" && git format-patch -q -1 --root && ` +
      `git send-email --quiet --confirm=never --smtp-server=$S ` +
      `--envelope-sender=auto --to=me@home.test --suppress-cc=all --8bit-encoding=UTF-8 0001*.patch`,
    arrives: [
      "Return-Path: <me@home.test>",
      "Subject: [PATCH] from git\n",
      /From: =\?UTF-8\?q\?M=C3=A9/i,
      "diff --git a/x b/x\n",
    ],
  },
  {
    name: "mutt",
    needs: "/usr/bin/mutt",
    line: `HOME=$D mutt -n -e "set sendmail='$S -oem -oi'" ` +
      `-e 'set from=me@home.test use_envelope_from=yes copy=no' ` +
      `-s "from mütt" -b you@home.test -a $D/file -- me`,
    input: "grüße\n.\nend\n",
    arrives: ["Return-Path: <me@home.test>", /^Subject: /m, /^To: me/m],
  },
  {
    name: "s-nail",
    needs: "/usr/bin/s-nail",
    line: `HOME=$D LC_ALL=C.UTF-8 s-nail -n -S mta=$S -S from=me@home.test ` +
      `-r me@home.test -s "from s-nail" -c you@home.test me@home.test`,
    input: "one\n..\n",
    arrives: [
      "Return-Path: <me@home.test>",
      "Subject: from s-nail\n",
      "one\n..\n",
    ],
  },
  {
    name: "cron",
    needs: "/usr/sbin/cron",
    asRoot: true,
    // What runs at cron's own start needs no minute to come.
    line: `unshare -m sh -c 'mount --make-rprivate / && ` +
      `for d in /etc/cron.d /var/spool/cron /run; do ` +
      `mount -t tmpfs none $d; done; mkdir -p /var/spool/cron/crontabs && ` +
      `mount --bind $S /usr/sbin/sendmail && ` +
      `printf "MAILTO=me\\n@reboot nobody echo from cron; id -un\\n" ` +
      `> /etc/cron.d/job && chmod 644 /etc/cron.d/job && ` +
      `(timeout 3 cron -f; true)'`,
    arrives: [
      /^Received: by mx\.home\.test \(from uid 65534 \(nobody\)\)$/m,
      /^From: .*\(Cron Daemon\)/m,
      "Subject: Cron <nobody@",
      "\n\nfrom cron\nnobody\n",
    ],
  },
];

Deno.test("programs hand in mail by sendmail", async (t) => {
  await using made = await server();
  const sendmail = await placeSendmail(made);
  const steps = PROGRAMS.map(({ name, needs, line, input, arrives, asRoot }) =>
    t.step({
      name,
      ignore: !areInstalled(name, needs) || (asRoot === true && !IS_ROOT),
      sanitizeOps: false,
      sanitizeResources: false,
      sanitizeExit: false,
      fn: async () => {
        const dir = made.beside(name.replaceAll(/[^a-z]/gi, ""));
        await Deno.mkdir(dir);
        await Deno.writeTextFile(`${dir}/file`, "attached\n");
        const ran = await shell(
          `S=${sendmail} D=${dir}; export S D; ${line}`,
          input ?? "",
        );
        assert.equal(ran.code, 0, ran.text);
        const fits = (text: string) =>
          arrives.every((part) =>
            typeof part === "string" ? text.includes(part) : part.test(text)
          );
        await until(
          `${name}'s message: ${ran.text}`,
          () =>
            newFiles(made.maildir("me"))
              .map((path) => Deno.readTextFileSync(path)).some(fits),
          10_000,
        );
      },
    })
  );
  await Promise.all(steps);
  await made.stopCleanly();
});
