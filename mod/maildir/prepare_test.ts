import assert from "node:assert/strict";
import { realMailFiles } from "./mail_files_io.ts";
import { Mailboxes } from "./mailboxes.ts";
import { prepareMailboxes } from "./prepare.ts";

Deno.test("prepareMailboxes() makes Maildirs that readers can open", async () => {
  const mailDir = Deno.makeTempDirSync();
  const mailboxes = new Mailboxes({ mailDir, files: realMailFiles });
  const wanted = Array.from({ length: 250 }, (_, n) => ({
    domain: "home.test",
    user: `u${n}`,
  }));
  await prepareMailboxes(mailboxes, wanted);
  for (const { user } of wanted) {
    for (const dir of ["tmp", "new", "cur"]) {
      assert.ok(
        Deno.statSync(`${mailDir}/home.test/${user}/${dir}`).isDirectory,
      );
    }
  }
});

Deno.test("prepareMailboxes() goes on after a mailbox that it cannot make", async () => {
  const mailDir = Deno.makeTempDirSync();
  Deno.mkdirSync(`${mailDir}/home.test`);
  Deno.symlinkSync("/nowhere", `${mailDir}/home.test/bad`);
  const mailboxes = new Mailboxes({ mailDir, files: realMailFiles });
  await prepareMailboxes(mailboxes, [
    { domain: "home.test", user: "bad" },
    { domain: "home.test", user: "good" },
  ]);
  assert.ok(Deno.statSync(`${mailDir}/home.test/good/new`).isDirectory);
});
