/**
 * The helper process of the crash states' test: a task a line on standard
 * input, what came of it a line on standard output. The log goes to standard
 * error, where the test keeps it out of its own report.
 */
import { recover, type Task } from "./recovery.ts";

let held = "";
const decoder = new TextDecoder();
for await (const octets of Deno.stdin.readable) {
  held += decoder.decode(octets, { stream: true });
  const lines = held.split("\n");
  held = lines.pop()!;
  for (const line of lines) {
    console.log(JSON.stringify(await recover(JSON.parse(line) as Task)));
  }
}
Deno.exit(0);
