import assert from "node:assert/strict";
import { isLetThrough, type ListFilter } from "./list_filter.ts";

const recipient = (address: string, state: "deferred" | "hold") => ({
  address,
  original: "",
  state,
  attempts: 0,
  nextAttemptMs: 0,
  lastOutcome: "",
  lastHost: "",
});
const message = {
  sender: "Me@Home.test",
  recipients: [
    recipient("a@x.test", "deferred"),
    recipient("b@sub.y.test", "hold"),
  ],
};
const notice = { sender: "", recipients: message.recipients };

const CASES: {
  name: string;
  filter: Partial<ListFilter>;
  of?: typeof message;
  want: boolean;
}[] = [
  { name: "nothing", filter: {}, want: true },
  { name: "a state", filter: { state: "hold" }, want: true },
  { name: "another state", filter: { state: "active" }, want: false },
  { name: "a domain", filter: { domain: "X.test" }, want: true },
  { name: "a domain above", filter: { domain: "y.test" }, want: false },
  { name: "what is below", filter: { domain: ".y.test" }, want: true },
  {
    name: "state and domain of two recipients",
    filter: { domain: "x.test", state: "hold" },
    want: false,
  },
  { name: "a sender", filter: { sender: "me@home.test" }, want: true },
  { name: "a sender's domain", filter: { sender: "home.test" }, want: true },
  { name: "another sender", filter: { sender: "you@home.test" }, want: false },
  { name: "no sender", filter: { sender: "<>" }, want: false },
  {
    name: "no sender of a notice",
    filter: { sender: "<>" },
    of: notice,
    want: true,
  },
  {
    name: "a domain of a notice",
    filter: { sender: "test" },
    of: notice,
    want: false,
  },
];

for (const { name, filter, of, want } of CASES) {
  Deno.test(`isLetThrough() is ${want} when asked for ${name}`, () => {
    const whole = { state: "", domain: "", sender: "", ...filter };
    assert.equal(isLetThrough(of ?? message, whole), want);
  });
}
