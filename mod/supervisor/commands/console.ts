/** `bulkhead console`: a link that signs in at the running server's console. */
import {
  consoleKeyPath,
  consoleUrl,
  signInLink,
  thisUser,
} from "../console_key.ts";
import { pathsOf } from "../plan.ts";
import { readConfig } from "../site_io.ts";
import { EXIT, fail, print } from "./exit.ts";

/** Prints the link, and opens nothing. */
export function consoleLink(configPath: string, json: boolean): number {
  const read = readConfig(configPath);
  if (!read.ok) return fail(EXIT.config, read.faults);
  const { config } = read;
  const url = consoleUrl(config);
  if (url === undefined) {
    return fail(EXIT.config, [
      "the console is off: give console.listen an address and start again",
    ]);
  }
  const path = consoleKeyPath(pathsOf(config.server.home));
  let key: string;
  try {
    key = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return fail(EXIT.no, ["no server runs: `bulkhead serve` starts it"]);
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      return fail(EXIT.permission, [
        "only root, or the user who runs the server, can make a link",
      ]);
    }
    throw error;
  }
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
