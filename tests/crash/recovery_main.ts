/**
 * The helper process of the crash states' test: a task a line on standard
 * input, what came of it a line on standard output. The log goes to standard
 * error, where the test keeps it out of its own report.
 */
import { NEVER_MS, recover, type Recovered, type Task } from "./recovery.ts";

let held = "";
const decoder = new TextDecoder();
for await (const octets of Deno.stdin.readable) {
  held += decoder.decode(octets, { stream: true });
  const lines = held.split("\n");
  held = lines.pop()!;
  for (const line of lines) {
    console.log(JSON.stringify(await recoverOrSay(JSON.parse(line) as Task)));
  }
}
Deno.exit(0);

/** A queue that cannot even be opened is a finding, too. */
async function recoverOrSay(task: Task): Promise<Recovered> {
  try {
    return await recover(task);
  } catch (error) {
    const faults = [String(error)];
    return { faults, acceptingMs: NEVER_MS, drainedMs: NEVER_MS, states: {} };
  }
}
