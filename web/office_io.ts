/** Takes what an administrator wants to queue and gate, and words it. */
import type { gateContract } from "../mod/gate/gate_ipc.ts";
import type { Edge } from "../mod/ipc/edge.ts";
import type { OrderAnswer } from "../mod/queue/order_ipc.ts";
import type { queueContract } from "../mod/queue/queue_ipc.ts";
import type { Done, MessageAction, Office } from "./office.ts";

const NO_GRANT: Done = {
  words: "This sign-in is over: `bulkhead console` prints a new link. " +
    "Nothing was done.",
  isOver: true,
};
const NOBODY: Done = {
  words: "Nobody answered: it may or may not have been done. Look again.",
};

/** How each action is said to be done. */
const PAST = {
  hold: "held",
  release: "released",
  retry: "due now",
  delete: "deleted",
} as const satisfies Record<MessageAction, string>;

const REFUSED = {
  invalid: "This is no ticket of this server, or not a whole one.",
  expired: "This ticket is too old, or from before the server's start. " +
    "`bulkhead console` prints a new one.",
  used: "This ticket was used already. `bulkhead console` prints a new one.",
} as const;

/** The office of these two. */
export function officeOf(
  queue: Edge<typeof queueContract.calls>,
  gate: Edge<typeof gateContract.calls>,
): Office {
  const order = async (
    ask: Parameters<typeof queue.ask<"order">>[1],
    words: (answer: OrderAnswer) => string,
  ): Promise<Done> => {
    const reply = await queue.ask("order", ask);
    if (reply.kind === "answered") return { words: words(reply.answer) };
    if (reply.kind === "failed") return NOBODY;
    switch (reply.refusal) {
      case "no-grant":
        return NO_GRANT;
      case "busy":
        return { words: "Another order is under way. Nothing was done." };
      case "unhealthy":
        return { words: "The queue's disk does not take the order now." };
    }
  };
  return {
    signIn: async (ticket) => {
      // A gate that wakes later than the grant is made does not believe it.
      await gate.ask("stay", { grant: "" });
      const reply = await queue.ask("signIn", { ticket: ticket.slice(0, 160) });
      if (reply.kind === "answered") {
        await gate.ask("stay", { grant: reply.answer.grant });
        return reply.answer;
      }
      return reply.kind === "refused"
        ? { words: REFUSED[reply.refusal] }
        : { words: "The queue does not answer now. Try again in a moment." };
    },
    signOut: async (grant, everywhere) => {
      const replies = await Promise.all([
        queue.ask("signOut", { grant, everywhere }),
        gate.ask("signOut", { grant, everywhere }),
      ]);
      return {
        words: replies.some(({ kind }) => kind === "failed")
          ? "Signed out here; but not every role answered."
          : "Signed out.",
      };
    },
    messages: (grant, action, ids) =>
      order(
        { grant, action, ids: [...ids], domain: "" },
        (answer) => messageWords(action, ids, answer),
      ),
    flush: (grant, domain) =>
      order(
        { grant, action: "flush", ids: [], domain },
        ({ recipients }) =>
          `${recipientsOf(recipients)} due now` +
          `${domain === "" ? "" : ` for ${domain}`}.`,
      ),
    say: async (grant, word, network) => {
      const reply = await gate.ask("say", { grant, word, network });
      if (reply.kind === "answered") return { words: SAID[word](network) };
      if (reply.kind === "failed") return NOBODY;
      switch (reply.refusal) {
        case "no-grant":
          return NO_GRANT;
        case "no-network":
          return { words: "That is no address or network: nothing was done." };
        case "not-written":
          return {
            words: "The gate's disk does not take it. Nothing was done.",
          };
      }
    },
  };
}

const SAID = {
  allow: (network: string) => `${network} is not tested or counted any more.`,
  deny: (network: string) => `${network} is refused from now on.`,
  forget: (network: string) =>
    `${network} is forgotten, and what was said of it is taken back.`,
} as const;

function messageWords(
  action: MessageAction,
  ids: readonly string[],
  answer: OrderAnswer,
): string {
  const { messages, recipients, unchanged, waiting, missingCount } = answer;
  // One is called by its id; of more it is said how many.
  const are = (n: number) =>
    ids.length === 1
      ? `${ids[0]} is`
      : `${n} ${n === 1 ? "message is" : "messages are"}`;
  const said: string[] = [];
  if (messages > 0) {
    said.push(`${are(messages)} ${PAST[action]}: ${recipientsOf(recipients)}.`);
  }
  const later = answer.isOver
    ? waiting
    : Math.max(waiting, ids.length - messages - unchanged - missingCount);
  if (later > 0) {
    said.push(
      `${are(later)} being delivered at this moment: the turn comes when ` +
        "that has ended.",
    );
  }
  if (missingCount > 0) {
    said.push(`${are(missingCount)} not in the queue any more.`);
  }
  if (unchanged > 0 || said.length === 0) {
    said.push(
      `There was nothing to do for ${
        ids.length === 1
          ? ids[0]
          : unchanged === 1
          ? "1 message"
          : `${unchanged} messages`
      }.`,
    );
  }
  return said.join(" ");
}

function recipientsOf(n: number): string {
  return `${n} ${n === 1 ? "recipient" : "recipients"}`;
}
