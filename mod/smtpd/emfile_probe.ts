/** A server in a process of its own, for the test that runs it out of files. */
import { withServer } from "./server_fixture.ts";

await withServer({}, async ({ port }) => {
  console.log(port);
  await new Promise(() => {});
});
