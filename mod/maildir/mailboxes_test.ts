import assert from "node:assert/strict";
import { FakeFiles } from "./fake_files.ts";
import { Mailboxes, MAX_KNOWN, RECHECK_MS } from "./mailboxes.ts";

const ME = { domain: "home.test", user: "me" };

function open(files: FakeFiles, mailbox = ME) {
  return new Mailboxes({ mailDir: "/mail", files }).open(mailbox, 0);
}

Deno.test("Mailboxes makes what is missing below the mail directory", () => {
  const files = new FakeFiles("/mail");
  const opened = open(files);
  assert.ok(opened.ok);
  assert.deepEqual([...files.directories].sort(), [
    "/mail",
    "/mail/home.test",
    "/mail/home.test/me",
    "/mail/home.test/me/cur",
    "/mail/home.test/me/new",
    "/mail/home.test/me/tmp",
  ]);
  assert.equal(opened.value.tmp, "/mail/home.test/me/tmp");
  assert.equal(opened.value.isSettled, false);
});

Deno.test("Mailboxes never makes the mail directory itself", () => {
  const files = new FakeFiles("/");
  const opened = open(files);
  assert.ok(!opened.ok);
  assert.equal(opened.failure.kind, "missing");
  assert.deepEqual([...files.directories], ["/"]);
});

for (const place of ["", "/me", "/me/tmp", "/me/new", "/me/cur"]) {
  Deno.test(`Mailboxes refuses a symbolic link at DOMAIN${place}`, () => {
    const files = new FakeFiles("/mail");
    open(files);
    const path = `/mail/home.test${place}`;
    files.directories.delete(path);
    files.links.add(path);
    const opened = open(files);
    assert.ok(!opened.ok);
    assert.equal(opened.failure.kind, "unsafe");
  });
}

for (
  const name of [
    "",
    ".",
    "..",
    ".hidden",
    "a/b",
    "../x",
    "a\0b",
    "n".repeat(256),
  ]
) {
  Deno.test(`Mailboxes refuses the name ${JSON.stringify(name.slice(0, 9))}`, () => {
    for (const box of [{ ...ME, user: name }, { ...ME, domain: name }]) {
      const files = new FakeFiles("/mail");
      const opened = open(files, box);
      assert.ok(!opened.ok);
      assert.equal(opened.failure.kind, "unsafe");
      assert.deepEqual(files.calls, []);
    }
  });
}

Deno.test("Mailboxes asks nothing about a mailbox that it knows, for a minute", () => {
  const files = new FakeFiles("/mail");
  const mailboxes = new Mailboxes({ mailDir: "/mail", files });
  const first = mailboxes.open(ME, 0);
  const asked = files.calls.length;
  const second = mailboxes.open(ME, RECHECK_MS - 1);
  assert.equal(files.calls.length, asked);
  const third = mailboxes.open(ME, RECHECK_MS);
  assert.ok(files.calls.length > asked);
  assert.ok(first.ok && second.ok && third.ok);
  assert.equal(second.value, first.value);
  assert.equal(third.value, first.value);
});

Deno.test("Mailboxes takes a mailbox that it had to make again for a new one", () => {
  const files = new FakeFiles("/mail");
  const mailboxes = new Mailboxes({ mailDir: "/mail", files });
  const first = mailboxes.open(ME, 0);
  assert.ok(first.ok);
  first.value.isSettled = true;
  files.directories.delete("/mail/home.test/me/new");
  const again = mailboxes.open(ME, RECHECK_MS);
  assert.ok(again.ok);
  assert.equal(again.value.isSettled, false);
});

Deno.test("Mailboxes remembers a bounded number", () => {
  const files = new FakeFiles("/mail");
  const mailboxes = new Mailboxes({ mailDir: "/mail", files });
  for (let i = 0; i <= MAX_KNOWN; i++) {
    mailboxes.open({ domain: "home.test", user: `u${i}` }, 0);
  }
  const asked = files.calls.length;
  mailboxes.open({ domain: "home.test", user: `u${MAX_KNOWN}` }, 0);
  assert.equal(files.calls.length, asked, "the newest is known");
  mailboxes.open({ domain: "home.test", user: "u0" }, 0);
  assert.ok(files.calls.length > asked, "the oldest is not");
});
