/** A server in a process of its own, for the test that runs it out of files. */
import { withServer } from "./server_fixture.ts";

await withServer({}, async ({ port }) => {
  // Deno 2.9.6 opens files of its own a moment after the start, and panics if
  // there are none left (ext/signals).
  await new Promise((resolve) => setTimeout(resolve, 500));
  console.log(port);
  await new Promise(() => {});
});
