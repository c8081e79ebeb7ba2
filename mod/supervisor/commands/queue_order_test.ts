import assert from "node:assert/strict";
import type { OrderAnswer } from "../../queue/order_ipc.ts";
import { textOf } from "./queue_order.ts";

const NOTHING: OrderAnswer = {
  isOver: true,
  messages: 0,
  recipients: 0,
  unchanged: 0,
  waiting: 0,
  missing: [],
  missingCount: 0,
};

const TEXTS: {
  name: string;
  action: Parameters<typeof textOf>[0];
  answer: OrderAnswer | null;
  want: string;
}[] = [
  {
    name: "that nobody answered",
    action: "hold",
    answer: null,
    want: "The order waits. It is carried out as soon as the server runs.",
  },
  {
    name: "what was done",
    action: "delete",
    answer: { ...NOTHING, messages: 2, recipients: 3 },
    want: "2 messages deleted, 3 recipients.",
  },
  {
    name: "what is missing, and what is under way",
    action: "expire",
    answer: { ...NOTHING, waiting: 1, missing: ["X"], missingCount: 1 },
    want: "0 messages given up, 0 recipients.\n1 message being delivered at " +
      "this moment: their turn comes when that has ended.\nX is not in the " +
      "queue.",
  },
  {
    name: "that there are more than it names",
    action: "hold",
    answer: { ...NOTHING, missing: ["X"], missingCount: 3 },
    want: "0 messages held, 0 recipients.\nX is not in the queue.\n2 more " +
      "messages not in it, or no longer.",
  },
  {
    name: "how many recipients a flush made due",
    action: "flush",
    answer: { ...NOTHING, recipients: 1 },
    want: "1 recipient due now.",
  },
];

for (const { name, action, answer, want } of TEXTS) {
  Deno.test(`textOf() says ${name}`, () => {
    assert.equal(textOf(action, answer), want);
  });
}
