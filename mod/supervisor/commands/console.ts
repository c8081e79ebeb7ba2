/** `bulkhead console`: a link that signs in at the running server's console. */
import {
  consoleKeyPath,
  consoleUrl,
  signInLink,
  thisUser,
} from "../console_key.ts";
import { pathsOf } from "../plan.ts";
import { readConfig } from "../site_io.ts";
import { readStatus } from "../status_file.ts";
import { EXIT, fail, failToOpen, print } from "./exit.ts";

const NO_SERVER = ["no server runs: `bulkhead serve` starts it"];

/** Prints the link, and opens nothing. */
export function consoleLink(configPath: string, json: boolean): number {
  const read = readConfig(configPath);
  if (!read.ok) return failToOpen(read);
  const { config } = read;
  const url = consoleUrl(config);
  if (url === undefined) {
    return fail(EXIT.config, [
      "the console is off: give console.listen an address and start again",
    ]);
  }
  const paths = pathsOf(config.server.home);
  const path = consoleKeyPath(paths);
  let key: string;
  try {
    key = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return fail(EXIT.no, NO_SERVER);
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      return fail(EXIT.permission, [
        "only root, or the user who runs the server, can make a link",
      ]);
    }
    throw error;
  }
  // The file of a server that was killed outlives it.
  if (readStatus(paths.runDir) === undefined) return fail(EXIT.no, NO_SERVER);
  const link = signInLink({ url, key, by: thisUser() });
  print(
    json,
    link,
    () =>
      `${link.url}\n\nOpen it in a browser within ten minutes; it signs in ` +
      `once. Without JavaScript, open\n${url}in and paste what is behind the #.`,
  );
  return EXIT.ok;
}
