import assert from "node:assert/strict";
import { Turns } from "./turns.ts";

function drained(turns: Turns): string {
  let got = "";
  for (let turn = turns.next(); turn; turn = turns.next()) got += turn.name;
  return got;
}

Deno.test("Turns gives each owner a turn, whoever came first", () => {
  const turns = new Turns({ perOwner: 10, inAll: 100 });
  for (const name of "abcd") turns.add({ uid: 1, name });
  turns.add({ uid: 2, name: "X" });
  turns.add({ uid: 3, name: "Y" });
  assert.equal(drained(turns), "aXYbcd");
});

Deno.test("Turns takes no name twice while it waits", () => {
  const turns = new Turns({ perOwner: 10, inAll: 100 });
  turns.add({ uid: 1, name: "a" });
  turns.add({ uid: 1, name: "a" });
  assert.equal(turns.size, 1);
  assert.equal(drained(turns), "a");
  turns.add({ uid: 1, name: "a" });
  assert.equal(drained(turns), "a");
});

Deno.test("Turns cuts an owner's names and says so, and nobody else's", () => {
  const turns = new Turns({ perOwner: 2, inAll: 100 });
  for (const name of "abc") turns.add({ uid: 1, name });
  assert.ok(turns.isCut);
  turns.add({ uid: 2, name: "X" });
  assert.equal(drained(turns), "aXb");
});

Deno.test("Turns holds no more than it may in all", () => {
  const turns = new Turns({ perOwner: 100, inAll: 30 });
  for (let i = 0; i < 200; i++) turns.add({ uid: 1, name: `${i}` });
  assert.equal(turns.size, 30);
  assert.ok(turns.isCut);
  turns.add({ uid: 2, name: "x" });
  assert.equal(turns.size, 31, "the second owner has room all the same");
});
