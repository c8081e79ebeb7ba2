/** Plays a login (`login.ts`) in a session that is as safe as it must be. */
import { pbkdf2, randomBytes } from "node:crypto";
import type { Outcome } from "../core/outcome.ts";
import type { Connection, Trouble } from "./connection_io.ts";
import { beginLogin, type Login, onLoginReply, tellable } from "./login.ts";
import type { Patience } from "./patience.ts";
import type { Transcript } from "./transcript.ts";
import { softened, troubleOutcome } from "./verdict.ts";

/** What came of it. */
export type LoggedIn =
  | { readonly kind: "logged-in" }
  /** A 5xx: nothing will change until a person changes it. */
  | { readonly kind: "refused"; readonly outcome: Outcome }
  | { readonly kind: "failed"; readonly outcome: Outcome }
  | { readonly kind: "trouble"; readonly trouble: Trouble };

/**
 * Logs in. A refusal is temporary for the mail: the password is ours, and the
 * sender can do nothing about it.
 */
export async function logIn(
  connection: Connection,
  offered: readonly string[],
  facts: {
    readonly login: Login;
    readonly host: string;
    readonly patience: Patience;
    readonly transcript: Transcript;
  },
): Promise<LoggedIn> {
  const { login, host, transcript } = facts;
  const nonce = randomBytes(18).toString("base64");
  let [state, action] = beginLogin(offered, login, nonce);
  while (true) {
    switch (action.do) {
      case "logged-in":
        return { kind: "logged-in" };
      case "failed":
        transcript.note(action.why);
        return {
          kind: "failed",
          outcome: troubleOutcome(
            `Cannot log in to ${host}: ${action.why}`,
            host,
            "4.7.0",
          ),
        };
      case "refused": {
        const reply = tellable(action.reply, login);
        return { kind: "refused", outcome: softened(reply, host) };
      }
      case "send": {
        const trouble = connection.send([action.line]);
        if (trouble !== undefined) return { kind: "trouble", trouble };
        transcript.sent(action.shown);
      }
    }
    const reply = await connection.reply(facts.patience.nextMs);
    if ("kind" in reply) return { kind: "trouble", trouble: reply };
    transcript.got(tellable(reply, login));
    [state, action] = await onLoginReply(state, reply, { login, derive });
  }
}

// On a thread of its own: others' sessions go on meanwhile.
function derive(
  password: string,
  salt: Uint8Array,
  iterations: number,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    pbkdf2(password, salt, iterations, 32, "sha256", (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
