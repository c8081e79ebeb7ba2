/**
 * The dialogs of `tests/dialogs` against a whole server: what smtpd says does
 * not depend on who stands behind it.
 */
import assert from "node:assert/strict";
import { readDialogs } from "../dialogs/library.ts";
import { play } from "../dialogs/player.ts";
import { server } from "./server_fixture.ts";

/** Dialogs under way at a time. */
const AT_ONCE = 16;

/** The place that the dialogs speak of, beside what the fixture makes. */
const SETTINGS = `
[server]
local_domains = ["home.test", "any.test"]
[aliases]
"@any.test" = ["me@home.test"]
`;

const SCENES = readDialogs()
  .filter((one) =>
    one.port === "smtp" && !one.inProcess && one.pending === undefined
  )
  .flatMap((dialog) => dialog.over.map((transport) => ({ dialog, transport })));

Deno.test("a whole server answers the dialogs", async () => {
  await using site = await server({ settings: SETTINGS });
  const stage = { port: site.smtpPort, replyMs: 30_000, taken: undefined };
  const wrong: string[] = [];
  let next = 0;
  const work = async () => {
    for (let i; (i = next++) < SCENES.length;) {
      const { dialog, transport } = SCENES[i]!;
      try {
        await play(dialog, transport, stage);
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
