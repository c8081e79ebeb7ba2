/** `bulkhead client`: who was refused and why, and what undoes it. */
import { networkText, overlap, parseNetwork } from "../../core/network.ts";
import { visible } from "../../core/visible.ts";
import {
  clientChanged,
  type ClientsShown,
  clientsShown,
  type ShownVerdict,
} from "../../gate/inspect_ipc.ts";
import { openSite } from "../site_io.ts";
import { EXIT, fail, failToOpen, print } from "./exit.ts";
import { runJailed } from "./jailed.ts";
import { duration } from "./status.ts";

/** What is asked of the gate's memory. */
export type ClientQuestion =
  | { readonly what: "list" | "refused" }
  | {
    readonly what: "show" | "allow" | "deny" | "forget";
    readonly network: string;
  };

/** Runs one of them, server running or not. */
export async function client(
  options: { config: string; json: boolean },
  programs: ReadonlyMap<string, string>,
  question: ClientQuestion,
): Promise<number> {
  const args: string[] = [question.what];
  if ("network" in question) {
    const network = parseNetwork(question.network);
    if ("fault" in network) {
      return fail(EXIT.usage, [`${question.network} ${network.fault}`]);
    }
    args.push(networkText(network));
  }
  const opening = openSite(options.config);
  if (!opening.ok) return failToOpen(opening);
  const { opened } = opening;
  const dir = opened.paths.gateDir;
  const run = await runJailed(
    opened,
    "gate",
    ["inspect-gate", dir, ...args],
    programs,
  );
  if (run.code !== 0) {
    return fail(EXIT.config, [
      run.errors || `what the gate keeps in ${dir} cannot be read`,
    ]);
  }
  const data: unknown = JSON.parse(run.out);
  switch (question.what) {
    case "list":
    case "refused":
    case "show": {
      const shown = clientsShown.parse(data);
      print(options.json, shown, () => shownText(shown));
      return EXIT.ok;
    }
    case "allow":
    case "deny":
    case "forget": {
      const changed = clientChanged.parse(data);
      const { trusted } = opened.config.screening;
      print(options.json, changed, () => changedText(changed, trusted));
      return EXIT.ok;
    }
  }
}

function changedText(
  { network, word }: { network: string; word: string },
  trusted: readonly string[],
) {
  switch (word) {
    case "allow":
      return `${network} is not tested, counted or greylisted any more. ` +
        `\`bulkhead client forget ${network}\` takes that back.`;
    case "deny":
      return `${network} is refused from now on` +
        (isTrusted(network, trusted)
          ? ", but not as long as screening.trusted has it: who is trusted " +
            "is not screened. "
          : ". ") +
        `\`bulkhead client forget ${network}\` takes that back.`;
    default:
      return `${network} is forgotten, and what was said of it is taken back.`;
  }
}

/** True if all of a network is trusted. */
function isTrusted(text: string, trusted: readonly string[]): boolean {
  const network = parseNetwork(text);
  if ("fault" in network) return false;
  return trusted.some((one) => {
    const wide = parseNetwork(one);
    return !("fault" in wide) && wide.prefix <= network.prefix &&
      overlap(network, wide);
  });
}

function shownText(shown: ClientsShown): string {
  const { said, passed, verdicts } = shown;
  const lines = [
    ...said.map(({ network, word, atMs }) =>
      `${network}  ${word}, said ${ago(atMs)} ago`
    ),
    ...passed.map((one) =>
      `${one.network}  passed: ${
        [
          ["pregreet", one.pregreetMs],
          ["dnsbl", one.dnsblMs],
          ["deep", one.deepMs],
        ].filter(([, untilMs]) => Number(untilMs) > Date.now())
          .map(([name]) => name).join(", ")
      }`
    ),
    ...verdicts.flatMap(verdictLines),
  ];
  // What clients said of themselves goes to a terminal.
  return lines.length === 0
    ? "Nothing is known."
    : lines.map((line) => visible(line, "?")).join("\n");
}

function verdictLines(one: ShownVerdict): string[] {
  const about = [
    one.helo === "" ? "" : `helo ${one.helo}`,
    one.sender === "" ? "" : `from <${one.sender}>`,
    one.recipient === "" ? "" : `to <${one.recipient}>`,
  ].filter((part) => part !== "").join(" ");
  return [
    `${new Date(one.atMs).toISOString()} ${one.client} ` +
    `${happened(one)} by ${one.rule}`,
    ...about === "" ? [] : [`    ${about}`],
    ...one.evidence === "" ? [] : [`    ${one.evidence}`],
    ...one.reply === ""
      ? []
      : [`    ${one.shadow ? "would say" : "said"}: ${one.reply}`],
    `    undo: ${one.undo}`,
  ];
}

/** A table's WARN is recorded, and the mail passes. */
function happened({ action, shadow }: ShownVerdict): string {
  if (action === "pass") return "warned";
  return shadow ? `would be: ${action}` : action;
}

function ago(ms: number): string {
  return duration(Math.max(0, Math.round((Date.now() - ms) / 1_000)));
}
