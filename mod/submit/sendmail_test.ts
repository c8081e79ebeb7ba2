/** The command itself, as a process, against a drop directory of its own. */
import assert from "node:assert/strict";
import { readTail, TAIL } from "./drop_file.ts";
import { readEnvelope } from "./envelope.ts";
import type { SubmitFacts } from "./submit_facts.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** A home with nothing in it but what `sendmail` needs. */
class Home {
  readonly dir = Deno.makeTempDirSync({ prefix: "bulkhead-home-" });
  readonly dropDir = `${this.dir}/drop`;

  constructor(facts: Partial<SubmitFacts> = {}) {
    Deno.mkdirSync(this.dropDir);
    Deno.writeTextFileSync(
      `${this.dir}/submit.json`,
      JSON.stringify({
        version: 1,
        enabled: true,
        dropDir: this.dropDir,
        hostname: "mx.home.test",
        origin: "home.test",
        maxMessageBytes: 100_000,
        maxRecipients: 3,
        hopLimit: 5,
        users: [],
        ...facts,
      }),
    );
  }

  async run(
    args: readonly string[],
    input: string,
    env: Record<string, string> = {},
  ): Promise<{ code: number; text: string }> {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", MAIN, "sendmail", "-C", this.dir]
        .concat(args),
      env: { NO_COLOR: "1", ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    // Who refuses a message does not read it.
    await writer.write(new TextEncoder().encode(input))
      .then(() => writer.close()).catch(() => {});
    const { code, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
  }

  names(): string[] {
    return [...Deno.readDirSync(this.dropDir)].map(({ name }) => name);
  }

  /** The one message that was left. */
  message() {
    const [name, ...more] = this.names();
    assert.ok(name !== undefined && more.length === 0);
    const path = `${this.dropDir}/${name}`;
    const octets = Deno.readFileSync(path);
    const tailAt = octets.length - TAIL;
    const envelopeAt = tailAt - readTail(octets.subarray(tailAt))!;
    const envelope = readEnvelope(octets.subarray(envelopeAt, tailAt));
    assert.ok(envelope !== undefined);
    return {
      mode: Deno.statSync(path).mode! & 0o7777,
      content: new TextDecoder().decode(octets.subarray(0, envelopeAt)),
      envelope,
    };
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.dir, { recursive: true });
  }
}

Deno.test("sendmail leaves the message as it came, and an envelope of its arguments", async () => {
  using home = new Home();
  const content = "From: x\nTo: Ü <ü@a.test>,\n root\nBcc: me\n\nä\0\r\n..\n";
  const ran = await home.run(
    [
      ...["-ti", "-f", "Me <me@b.test>", "-F", "Full Name"],
      ...["-N", "success", "-R", "hdrs", "-V", "id1", "-XV"],
    ],
    content,
    { NAME: "other" },
  );
  assert.equal(ran.code, 0, ran.text);
  const message = home.message();
  assert.equal(message.mode, 0o640);
  assert.equal(message.content, content);
  assert.deepEqual(message.envelope, {
    sender: "me@b.test",
    fullName: "Full Name",
    recipients: ["ü@a.test", "root@home.test", "me@home.test"],
    notify: ["success"],
    ret: "hdrs",
    envid: "id1",
    verp: "+=",
  });
});

Deno.test("sendmail names nobody as sender when nobody is said, and NAME as his name", async () => {
  using home = new Home();
  const ran = await home.run(["me"], "x\n.\ny\n", { NAME: "Nome" });
  assert.equal(ran.code, 0, ran.text);
  const { envelope, content } = home.message();
  assert.equal(content, "x\n");
  assert.equal(envelope.sender, null);
  assert.equal(envelope.fullName, "Nome");
});

const isRoot = Deno.uid() === 0;

const FAULTS: {
  name: string;
  facts?: Partial<SubmitFacts>;
  args: string[];
  input: string;
  code: number;
  isForUsers?: boolean;
}[] = [
  {
    name: "submission is switched off",
    facts: { enabled: false },
    args: ["me"],
    input: "x",
    code: 69,
  },
  {
    name: "there are too many recipients",
    args: ["a", "b", "c", "d"],
    input: "x",
    code: 65,
  },
  {
    name: "the message is too large",
    args: ["me"],
    input: "x".repeat(200_000),
    code: 65,
  },
  {
    name: "the message goes in circles",
    args: ["me"],
    input: "Received: x\n".repeat(6),
    code: 65,
  },
  {
    name: "a recipient in the header is none",
    args: ["-t"],
    input: "To: a b\n\n",
    code: 65,
  },
  {
    name: "the directory is not there",
    facts: { dropDir: "/nowhere/at/all" },
    args: ["me"],
    input: "x",
    code: 75,
  },
  {
    name: "the user may not",
    facts: { users: ["nobody.at.all"] },
    args: ["me"],
    input: "x",
    code: 77,
    isForUsers: true,
  },
];

// Root may do what others may not.
for (
  const { name, facts, args, input, code } of FAULTS.filter((one) =>
    !isRoot || one.isForUsers !== true
  )
) {
  Deno.test(`sendmail ends with ${code} and leaves nothing when ${name}`, async () => {
    using home = new Home(facts);
    const ran = await home.run(args, input);
    assert.equal(ran.code, code, ran.text);
    assert.match(ran.text, /^sendmail: [^\n]+\n$/);
    assert.deepEqual(home.names(), []);
  });
}

Deno.test({
  name: "sendmail ends with 75 and leaves nothing on a full disk",
  ignore: !isRoot,
  fn: async () => {
    using home = new Home();
    const mount = (command: string, ...args: string[]) =>
      new Deno.Command(command, { args: [...args, home.dropDir] })
        .outputSync().success;
    if (!mount("mount", "-t", "tmpfs", "-o", "size=16k", "none")) return;
    try {
      const ran = await home.run(["me"], "x\n".repeat(40_000));
      assert.equal(ran.code, 75, ran.text);
      assert.deepEqual(home.names(), []);
    } finally {
      mount("umount");
    }
  },
});
