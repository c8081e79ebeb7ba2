import assert from "node:assert/strict";
import { failedRecipient, verpPath } from "./verp.ts";

const SENDER = "list@home.test";

const PATHS: {
  name: string;
  sender?: string;
  recipient: string;
  delimiters?: string;
  want: string | undefined;
}[] = [
  {
    name: "a plain recipient",
    recipient: "bob@remote.test",
    want: "list+bob=remote.test@home.test",
  },
  {
    name: "delimiters of the sender's own",
    recipient: "bob@remote.test",
    delimiters: "-=",
    want: "list-bob=remote.test@home.test",
  },
  {
    name: "delimiters inside the recipient",
    recipient: "bob+x=y@remote.test",
    want: "list+bob+x=y=remote.test@home.test",
  },
  {
    name: "a sender with an extension",
    sender: "list+weekly@home.test",
    recipient: "bob@remote.test",
    want: "list+weekly+bob=remote.test@home.test",
  },
  {
    name: "64 octets of local part",
    recipient: `${"b".repeat(47)}@remote.test`,
    want: `list+${"b".repeat(47)}=remote.test@home.test`,
  },
  {
    name: "65 octets of local part",
    recipient: `${"b".repeat(48)}@remote.test`,
    want: undefined,
  },
  {
    name: "a sender beyond ASCII, counted in octets",
    sender: `${"ü".repeat(25)}@home.test`,
    recipient: "b@remote.test",
    want: `${"ü".repeat(25)}+b=remote.test@home.test`,
  },
  {
    name: "one octet too many beyond ASCII",
    sender: `${"ü".repeat(25)}@home.test`,
    recipient: "bb@remote.test",
    want: undefined,
  },
  {
    name: "a whole address that is too long",
    sender: `list@${"h".repeat(230)}.test`,
    recipient: "bob@remote.test",
    want: undefined,
  },
  {
    name: "a quoted recipient",
    recipient: '"b b"@remote.test',
    want: undefined,
  },
  {
    name: "a quoted sender",
    sender: '"l l"@home.test',
    recipient: "bob@remote.test",
    want: undefined,
  },
  {
    name: "a recipient beyond ASCII",
    recipient: "jürgen@remote.test",
    want: undefined,
  },
  { name: "an address literal", recipient: "bob@[192.0.2.1]", want: undefined },
  { name: "a percent sign", recipient: "b%c@remote.test", want: undefined },
  {
    name: "an exclamation mark",
    recipient: "b!c@remote.test",
    want: undefined,
  },
  { name: "a slash", recipient: "b/c@remote.test", want: undefined },
];

for (const { name, sender, recipient, delimiters, want } of PATHS) {
  Deno.test(`verpPath() makes ${want === undefined ? "nothing" : "a path"} of ${name}`, () => {
    const path = verpPath(sender ?? SENDER, recipient, delimiters ?? "+=");
    assert.equal(path, want);
    const isAscii = want !== undefined && (delimiters ?? "+=") === "+=" &&
      sender === undefined;
    // What went out says on its return whom it is about.
    if (isAscii) assert.equal(failedRecipient(want), recipient);
  });
}

const RETURNS: [address: string, want: string | undefined][] = [
  ["list+bob=remote.test@home.test", "bob@remote.test"],
  ["list+weekly+bob=remote.test@home.test", "weekly+bob@remote.test"],
  ["list@home.test", undefined],
  ["list+bob@home.test", undefined],
  ["list+=remote.test@home.test", undefined],
  ["list+bob=@home.test", undefined],
  ["+bob=remote.test@home.test", undefined],
  ["bob=remote.test@home.test", undefined],
  ["li=st+bob@home.test", undefined],
];

Deno.test("failedRecipient() reads whom a bounce is about, and nothing into other addresses", () => {
  for (const [address, want] of RETURNS) {
    assert.equal(failedRecipient(address), want, address);
  }
});
