/** Sessions that the server did not stand once, found by `deno task fuzz`. */
import assert from "node:assert/strict";
import { attack } from "./attacked_session.ts";
import type { Script, Step } from "./session_script.ts";

const OPEN = "EHLO a.test\r\nMAIL FROM:<>\r\nRCPT TO:<me@home.test>\r\n";

function send(octets: string): Step {
  return { do: "send", octets, hops: 24 };
}

const HELD = { is: "ok", isHeld: true } as const;
const PROMPT = { is: "ok", isHeld: false } as const;

const FOUND: readonly { name: string; script: Script }[] = [
  {
    name: "a FIN while the spool is asked for DATA",
    script: {
      steps: [send(OPEN + "DATA\r\n"), { do: "end" }],
      answers: [PROMPT, HELD],
    },
  },
  {
    name: "a FIN in a chunk while the spool is asked",
    script: {
      steps: [send(OPEN + "BDAT 100 LAST\r\nabc"), { do: "end" }],
      answers: [PROMPT, HELD],
    },
  },
];

for (const { name, script } of FOUND) {
  Deno.test(`Connection stands ${name}`, async () => {
    assert.deepEqual((await attack(script)).faults, []);
  });
}
