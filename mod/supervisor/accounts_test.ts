import assert from "node:assert/strict";
import { ROLE_NAMES } from "../ipc/call.ts";
import {
  accountsFromRange,
  accountsFromTable,
  DEFAULT_UID_BASE,
  makeAccounts,
} from "./accounts.ts";

Deno.test("accountsFromRange gives every role a user of its own", () => {
  const { roles, groups, source } = accountsFromRange(DEFAULT_UID_BASE);
  assert.deepEqual([...roles.keys()], [...ROLE_NAMES]);
  const uids = [...roles.values()].map((one) => one.uid);
  const gids = [...roles.values()].map((one) => one.gid);
  assert.equal(new Set(uids).size, ROLE_NAMES.length);
  assert.equal(new Set([...gids, ...groups.values()]).size, uids.length + 1);
  for (const id of [...uids, ...gids, ...groups.values()]) {
    assert.ok(id >= DEFAULT_UID_BASE && id < DEFAULT_UID_BASE + 100);
  }
  assert.equal(source, "uid range");
});

Deno.test("accountsFromTable names what is missing", () => {
  const found = accountsFromTable("nobody-has-this-");
  assert.ok(!found.ok);
  assert.deepEqual(
    found.missing,
    [...ROLE_NAMES, "content"].map((name) => `nobody-has-this-${name}`),
  );
});

Deno.test("makeAccounts has nothing to do when nothing is missing", () => {
  assert.equal(makeAccounts([]), undefined);
});
