import assert from "node:assert/strict";
import { Greylist, type GreylistPart } from "./greylist.ts";

const PART: GreylistPart = {
  delayMs: 300_000,
  windowMs: 3_600_000,
  passesMs: 86_400_000,
  clientsPassAfter: 2,
  ipv4Prefix: 24,
  ipv6Prefix: 64,
};
const MINUTE = 60_000;

Deno.test("Greylist takes a message that comes again in its time", () => {
  const list = new Greylist(100);
  const at = (triplet: string, minutes: number) =>
    list.judge(PART, { client: "c", triplet }, minutes * MINUTE).is;
  assert.equal(at("t", 0), "wait");
  assert.equal(at("t", 4), "wait");
  assert.equal(at("t", 6), "pass");
  assert.equal(at("t", 7), "pass");
  assert.equal(at("u", 0), "wait");
  assert.equal(at("u", 61), "wait", "after the window it is the first again");
  assert.equal(at("u", 67), "pass");
});

Deno.test("Greylist lets a client be that came again often enough", () => {
  const list = new Greylist(100);
  const at = (triplet: string, client: string, minutes: number) =>
    list.judge(PART, { client, triplet }, minutes * MINUTE).is;
  for (const triplet of ["t", "u"]) {
    assert.equal(at(triplet, "c", 0), "wait");
    assert.equal(at(triplet, "c", 6), "pass");
  }
  assert.equal(at("v", "c", 7), "pass");
  assert.equal(at("v", "d", 7), "wait");
});

Deno.test("Greylist does not wait longer when the clock goes back", () => {
  const list = new Greylist(100);
  const asked = { client: "c", triplet: "t" };
  list.judge(PART, asked, 1_000_000);
  assert.deepEqual(list.judge(PART, asked, 0), { is: "wait", forMs: 300_000 });
});
