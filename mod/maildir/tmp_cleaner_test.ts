import assert from "node:assert/strict";
import { FakeFiles } from "./fake_files.ts";
import { FileNames } from "./file_name.ts";
import type { OpenMailbox } from "./mailboxes.ts";
import { CLEAN_EVERY_MS, STALE_MS, TmpCleaner } from "./tmp_cleaner.ts";

const NOW = 10 * STALE_MS;

function put(files: FakeFiles, path: string, modifiedMs: number): void {
  files.create(path);
  files.files.get(path)!.modifiedMs = modifiedMs;
}

Deno.test("TmpCleaner removes our own files of 36 hours, and nothing else", async () => {
  const files = new FakeFiles("/tmp");
  const names = new FileNames({ hostname: "h" });
  const stale = `/tmp/${names.next("01J5ABCDEFGHJKMN-0")}`;
  const fresh = `/tmp/${names.next("01J5ABCDEFGHJKMN-0")}`;
  put(files, stale, NOW - STALE_MS);
  put(files, fresh, NOW - STALE_MS + 1);
  put(files, "/tmp/somebody-elses", 0);
  assert.equal(await new TmpCleaner(files).clean("/tmp", NOW), 1);
  assert.deepEqual([...files.files.keys()], [fresh, "/tmp/somebody-elses"]);
});

Deno.test("TmpCleaner looks at a mailbox at its first delivery and then daily", async () => {
  const files = new FakeFiles("/tmp");
  const cleaner = new TmpCleaner(files);
  const mailbox: OpenMailbox = {
    name: "a/b",
    tmp: "/tmp",
    new: "/new",
    cur: "/cur",
    parents: [],
    isSettled: true,
    cleanAtMs: 0,
  };
  const looks = () => files.calls.filter((call) => call === "list").length;
  cleaner.visit(mailbox, NOW);
  cleaner.visit(mailbox, NOW + CLEAN_EVERY_MS - 1);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(looks(), 1);
  cleaner.visit(mailbox, NOW + CLEAN_EVERY_MS);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(looks(), 2);
});

for (const call of ["list", "modifiedMs", "remove"]) {
  Deno.test(`TmpCleaner takes it calmly when ${call} fails`, async () => {
    const files = new FakeFiles("/tmp");
    put(
      files,
      `/tmp/${new FileNames({ hostname: "h" }).next("01J5ABCDEFGHJKMN-0")}`,
      0,
    );
    files.broken.add(call);
    assert.equal(await new TmpCleaner(files).clean("/tmp", NOW), 0);
    assert.equal(files.files.size, 1);
  });
}
