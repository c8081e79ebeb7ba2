import assert from "node:assert/strict";
import type { z } from "zod";
import { newQueueId } from "./ids.ts";
import * as shapes from "./shapes.ts";

const ref = { segment: "a-1", offset: 0, length: 1, sizeBytes: 0 };

const TABLE: {
  name: string;
  shape: z.ZodType;
  takes: readonly unknown[];
  refuses: readonly unknown[];
}[] = [
  {
    name: "queueId",
    shape: shapes.queueId,
    takes: [newQueueId()],
    refuses: ["", newQueueId() + "0", "../../etc/passwd", 1, null],
  },
  {
    name: "address",
    shape: shapes.address,
    takes: [
      ...["a@b", '"a b"@c.test', "é@b.test", `${"a".repeat(252)}@b`],
      `${"é".repeat(126)}@b`,
    ],
    refuses: [
      ...["", "a", "@b", "a@", "a@b@", "a@b c", "a\n@b", "a@b\0", "a\x7f@b"],
      `${"a".repeat(253)}@b`,
      // In octets of UTF-8, a domain in A-labels, no half characters.
      ...[`${"é".repeat(127)}@b`, "a@é.test", "\ud800@b"],
    ],
  },
  {
    name: "reversePath",
    shape: shapes.reversePath,
    takes: ["", "a@b"],
    refuses: ["<>", "a", null],
  },
  {
    name: "domain",
    shape: shapes.domain,
    takes: ["b.test", "xn--nxasmq6b", "[192.0.2.1]", "[ipv6:2001:db8::1]"],
    refuses: ["", "B.test", "a b", "a/b", "a\n", "é", "a".repeat(256)],
  },
  {
    name: "mailbox",
    shape: shapes.mailbox,
    takes: [{ domain: "home.test", user: "me" }, {
      domain: "a",
      user: "a.b-c_",
    }],
    // Both become directory names: nothing may climb.
    refuses: [
      { domain: "home.test", user: "" },
      { domain: "home.test", user: "." },
      { domain: "home.test", user: ".." },
      { domain: "home.test", user: "../x" },
      { domain: "home.test", user: "a/b" },
      { domain: "home.test", user: "a\0" },
      { domain: "home.test", user: "-rf" },
      { domain: "home.test", user: ".hidden" },
      { domain: "home.test", user: "Me" },
      { domain: "home.test", user: "me\n" },
      { domain: "home.test", user: "a".repeat(65) },
      { domain: "..", user: "me" },
      { domain: "/etc", user: "me" },
      { domain: "home.test", user: "me", more: 1 },
    ],
  },
  {
    name: "contentRef",
    shape: shapes.contentRef,
    takes: [ref],
    refuses: [
      { ...ref, segment: "../queue/db" },
      { ...ref, segment: "a.b" },
      { ...ref, segment: "-a" },
      { ...ref, segment: "" },
      { ...ref, offset: -1 },
      { ...ref, offset: 2 ** 53 },
      { ...ref, length: 0 },
      { ...ref, sizeBytes: 2 ** 33 },
      { ...ref, sizeBytes: NaN },
    ],
  },
  {
    name: "contentKey",
    shape: shapes.contentKey,
    takes: ["A".repeat(43) + "="],
    refuses: ["", "A".repeat(44), "A".repeat(42) + "=", "A".repeat(43) + "=\n"],
  },
  {
    name: "nextHop",
    shape: shapes.nextHop,
    takes: [
      { kind: "mx", domain: "b.test" },
      { kind: "host", host: "127.0.0.1", port: 25 },
      { kind: "host", host: "127.0.0.1", port: 24, protocol: "lmtp" },
      { kind: "unix", path: "/run/x.sock" },
    ],
    refuses: [
      { kind: "mx", domain: "b.test", port: 25 },
      { kind: "host", host: "", port: 25 },
      { kind: "host", host: "h", port: 0 },
      { kind: "host", host: "h", port: 65_536 },
      { kind: "file", host: "h", port: 25 },
      { kind: "host", host: "h", port: 25, protocol: "qmtp" },
      { kind: "unix", path: "run/x.sock" },
      { kind: "unix", path: "/run/a,b" },
      { kind: "unix", path: "/" + "x".repeat(107) },
    ],
  },
  {
    name: "bodyType",
    shape: shapes.bodyType,
    takes: ["7bit", "8bitmime", "binarymime"],
    refuses: ["8BITMIME", "binary", ""],
  },
];

for (const { name, shape, takes, refuses } of TABLE) {
  Deno.test(`${name} takes what it should, and nothing else`, () => {
    for (const value of takes) {
      assert.ok(shape.safeParse(value).success, JSON.stringify(value));
    }
    for (const value of refuses) {
      assert.ok(!shape.safeParse(value).success, JSON.stringify(value));
    }
  });
}
