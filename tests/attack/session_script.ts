/**
 * One session with a hostile client and unreliable roles behind the server, as
 * a value: what is sent when, how the connection fares, what is answered.
 *
 * Nothing in it is left to chance, so it can be run again, cut down, printed
 * and kept.
 */

/** What happens next. */
export type Step =
  /** Octets arrive, as UTF-16 units; then so many microtasks are let pass. */
  | { readonly do: "send"; readonly octets: string; readonly hops: number }
  /** Answers that were held back come, the oldest first. */
  | { readonly do: "release"; readonly count: number; readonly hops: number }
  /** The client sends no more, and still reads. */
  | { readonly do: "end" }
  /** The connection is gone. */
  | { readonly do: "reset" }
  /** The client stops reading. */
  | { readonly do: "choke" }
  /** The client reads again. */
  | { readonly do: "drain" }
  /** So much time is said to have gone by. */
  | { readonly do: "tick"; readonly ms: number }
  /** The role is told to stop. */
  | { readonly do: "stop" };

/** How one call to a role behind the server ends. */
export interface Answer {
  readonly is: "ok" | "refused" | "failed";
  /** Comes only with `release`, or when all the steps are done. */
  readonly isHeld: boolean;
}

/** See the file's header. */
export interface Script {
  /** Which port it is; port 25 if not said. */
  readonly port?: "submission";
  readonly steps: readonly Step[];
  /** For the calls in order; calls beyond them are answered at once, with ok. */
  readonly answers: readonly Answer[];
}

/** Everything that a script sends while the client can. */
export function octetsOf(script: Script): string {
  let octets = "";
  for (const step of script.steps) {
    if (step.do === "end" || step.do === "reset") break;
    if (step.do === "send") octets += step.octets;
  }
  return octets;
}

/** One line that {@link parseScript} reads again. */
export function printScript(script: Script): string {
  return JSON.stringify(script).replace(
    /[\u007f-\uffff]/g,
    (unit) => "\\u" + unit.charCodeAt(0).toString(16).padStart(4, "0"),
  );
}

/** Reads what {@link printScript} has printed. */
export function parseScript(text: string): Script {
  return JSON.parse(text) as Script;
}
