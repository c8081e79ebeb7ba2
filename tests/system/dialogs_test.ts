/**
 * The dialogs of `tests/dialogs` against a whole server: what smtpd says does
 * not depend on who stands behind it.
 */
import assert from "node:assert/strict";
import type { Dialog, Transport } from "../dialogs/dialog.ts";
import { readDialogs } from "../dialogs/library.ts";
import { play } from "../dialogs/player.ts";
import { type Installation, server } from "./server_fixture.ts";

/** Dialogs under way at a time. */
const AT_ONCE = 16;

/** The place that the dialogs speak of, beside what the fixture makes. */
const SETTINGS = `
[server]
local_domains = ["home.test", "any.test"]
[aliases]
"@any.test" = ["me@home.test"]
`;

/** Each once, over one of its transports in turn: tests/dialogs has them all. */
const SCENES = readDialogs()
  .filter((one) => !one.inProcess && one.pending === undefined)
  .map((dialog, i) => ({
    dialog,
    transport: dialog.over[i % dialog.over.length]!,
  }));

/** As `init` lays them out. */
function portOf(
  site: Installation,
  { port }: Dialog,
  transport: Transport,
): number {
  switch (port) {
    case "smtp":
      return site.smtpPort;
    case "submission":
      return site.smtpPort + (transport === "implicit" ? 2 : 1);
    case "submissions":
      return site.smtpPort + 2;
  }
}

Deno.test("a whole server answers the dialogs", async () => {
  await using site = await server({ settings: SETTINGS });
  const wrong: string[] = [];
  let next = 0;
  const work = async () => {
    for (let i; (i = next++) < SCENES.length;) {
      const { dialog, transport } = SCENES[i]!;
      try {
        const port = portOf(site, dialog, transport);
        await play(dialog, transport, {
          port,
          replyMs: 30_000,
          taken: undefined,
        });
      } catch (error) {
        wrong.push((error as Error).message);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  assert.deepEqual(wrong, []);
  const restarted = (await site.roles()).filter(({ restarts }) => restarts > 0);
  assert.deepEqual(restarted, []);
  await site.stopCleanly();
});
