import assert from "node:assert/strict";
import { NO_WISHES, type RecipientWishes } from "../core/shapes.ts";
import {
  mailParameters,
  recipientParameters,
  xtext,
} from "./dsn_parameters.ts";

Deno.test("xtext() leaves printable ASCII and writes the rest as octets", () => {
  assert.equal(xtext("QQ314!~"), "QQ314!~");
  assert.equal(xtext("a+b=c d"), "a+2Bb+3Dc+20d");
  assert.equal(xtext("a\r\nDATA\0\x7f"), "a+0D+0ADATA+00+7F");
  assert.equal(xtext("\u00fc"), "+C3+BC");
});

Deno.test("mailParameters() says what was asked, and nothing else", () => {
  assert.equal(mailParameters(NO_WISHES), "");
  assert.equal(mailParameters({ ...NO_WISHES, ret: "full" }), " RET=FULL");
  assert.equal(
    mailParameters({ ...NO_WISHES, ret: "hdrs", envid: "a b" }),
    " RET=HDRS ENVID=a+20b",
  );
});

const RECIPIENTS: { name: string; wishes: RecipientWishes; want: string }[] = [
  { name: "nothing", wishes: { notify: [], orcpt: "" }, want: "" },
  {
    name: "several words",
    wishes: { notify: ["success", "delay"], orcpt: "" },
    want: " NOTIFY=SUCCESS,DELAY",
  },
  {
    name: "an address with a plus",
    wishes: { notify: ["never"], orcpt: "rfc822;a+b@x.test" },
    want: " NOTIFY=NEVER ORCPT=rfc822;a+2Bb@x.test",
  },
  {
    name: "an address beyond ASCII",
    wishes: { notify: [], orcpt: "utf-8;j\u00fcr+\u{1F600}@x.test" },
    want: " ORCPT=utf-8;j\\x{FC}r\\x{2B}\\x{1F600}@x.test",
  },
  {
    name: "an address that is escaped already",
    wishes: { notify: [], orcpt: "utf-8;j\\x{FC}r@x.test" },
    want: " ORCPT=utf-8;j\\x{FC}r@x.test",
  },
  {
    name: "a line end",
    wishes: { notify: [], orcpt: "rfc822;a@b\r\nDATA" },
    want: " ORCPT=rfc822;a@b+0D+0ADATA",
  },
  {
    name: "no type",
    wishes: { notify: [], orcpt: "a@b" },
    want: "",
  },
];

for (const { name, wishes, want } of RECIPIENTS) {
  Deno.test(`recipientParameters() writes ${name}`, () => {
    assert.equal(recipientParameters(wishes), want);
  });
}
