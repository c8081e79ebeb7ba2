import assert from "node:assert/strict";
import { type Invocation, readOptions } from "./sendmail_options.ts";

const CALLS: { name: string; args: string; want: Partial<Invocation> }[] = [
  {
    name: "cron's",
    args: "-FCronDaemon -i -B8BITMIME -oem root",
    want: {
      fullName: "CronDaemon",
      ignoreDots: true,
      recipients: ["root"],
    },
  },
  {
    name: "PHP's",
    args: "-t -i -fwww@home.test",
    want: { fromHeader: true, ignoreDots: true, sender: "www@home.test" },
  },
  {
    name: "git's",
    args: "-i you@home.test -f me@home.test",
    want: {
      ignoreDots: true,
      recipients: ["you@home.test"],
      sender: "me@home.test",
    },
  },
  {
    name: "mutt's",
    args: "-oem -oi -f me@home.test -- -you@home.test",
    want: {
      ignoreDots: true,
      sender: "me@home.test",
      recipients: ["-you@home.test"],
    },
  },
  { name: "letters together", args: "-tiv", want: { isVerbose: true } },
  { name: "an empty sender", args: "-f <> me", want: { sender: "<>" } },
  { name: "a mode behind a blank", args: "-b p", want: { mode: "list-queue" } },
  { name: "a daemon's interval", args: "-q1h me", want: { mode: "send" } },
  { name: "a flush", args: "-q", want: { mode: "flush", flush: {} } },
  { name: "one message", args: "-qIAB", want: { flush: { id: "AB" } } },
  {
    name: "one domain",
    args: "-qR home.test",
    want: { flush: { domain: "home.test" } },
  },
  {
    name: "DSN",
    args: "-N success,delay -R hdrs -V a+b me",
    want: { notify: ["success", "delay"], ret: "hdrs", envid: "a+b" },
  },
  { name: "VERP", args: "-XV me", want: { verp: "+=" } },
  { name: "VERP of its own", args: "-XV-= me", want: { verp: "-=" } },
  { name: "a log file", args: "-X /tmp/x me", want: { verp: "" } },
  {
    name: "what changes nothing",
    args: "-Am -h 5 -L x -O a=b -o7 -odi -em -U -G -m -n -d0.1 -D x me",
    want: { recipients: ["me"], mode: "send" },
  },
];

for (const { name, args, want } of CALLS) {
  Deno.test(`readOptions() reads ${name}`, () => {
    const read = readOptions(args.split(" "));
    assert.ok(read.ok, JSON.stringify(read));
    for (const [key, value] of Object.entries(want)) {
      assert.deepEqual(read.invocation[key as keyof Invocation], value, key);
    }
  });
}

const REFUSED: { args: string; is: "usage" | "unavailable" }[] = [
  { args: "-Z", is: "usage" },
  { args: "-bz", is: "usage" },
  { args: "-f", is: "usage" },
  { args: "-N never,delay", is: "usage" },
  { args: "-N soon", is: "usage" },
  { args: "-R half", is: "usage" },
  { args: "-V a\x01b", is: "usage" },
  { args: "-B9BIT", is: "usage" },
  { args: "-qX", is: "usage" },
  { args: "-qI", is: "usage" },
  { args: "-ba", is: "unavailable" },
  { args: "-bd", is: "unavailable" },
  { args: "-bh", is: "unavailable" },
  { args: "-bH", is: "unavailable" },
  { args: "-bt", is: "unavailable" },
  { args: "-qS me", is: "unavailable" },
];

for (const { args, is } of REFUSED) {
  Deno.test(`readOptions() refuses ${JSON.stringify(args)}`, () => {
    const read = readOptions(args.split(" "));
    assert.equal(read.ok ? "read" : read.is, is);
  });
}
