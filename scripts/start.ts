/**
 * `deno task start`: a working mail server on loopback ports in one command.
 *
 * Makes an installation in `bulkhead-home` at the first run, and runs it until
 * Ctrl-C. Everything it does can be done by hand with `bulkhead init` and
 * `bulkhead serve`.
 */
import { programs } from "../main.ts";
import { init } from "../mod/supervisor/commands/init.ts";
import {
  consoleUrl,
  signInLink,
  thisUser,
} from "../mod/supervisor/console_key.ts";
import { serve } from "../mod/supervisor/commands/serve.ts";

const HOME = new URL("../bulkhead-home", import.meta.url).pathname;
const CONFIG = `${HOME}/bulkhead.toml`;

try {
  Deno.statSync(CONFIG);
} catch (error) {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
  const code = init(HOME, {
    hostname: "mx.home.test",
    domain: ["home.test"],
    user: ["me"],
    ports: 2525,
    route: [],
  });
  if (code !== 0) Deno.exit(code);
}

Deno.exit(
  await serve(CONFIG, programs, ({ config, paths }, key) => {
    const smtp = config.smtp.listen[0]!;
    const domain = config.server.local_domains[0]!;
    const [port] = config.submission.tls_listen.map((one) => one.port);
    const submission = port === undefined
      ? ""
      : `  submit it    as me@${domain} at smtps://${smtp.host}:${port}, with ` +
        "the password shown\n               at the first start\n";
    const url = consoleUrl(config);
    const link = url && signInLink({ url, key, by: thisUser() }).url;
    console.log(`
Bulkhead is ready.

  send mail    to me@${domain} by SMTP at ${smtp.host}:${smtp.port}, for example
               curl --crlf smtp://${smtp.host}:${smtp.port} --mail-from you@example.org \\
                    --mail-rcpt me@${domain} -T README.md
${submission}  read it      in ${paths.mailDir}/${domain}/me/new
  look at it   ${url}
  sign in      ${link}
               (once, within ten minutes; \`bulkhead console\` prints another)
  break in     deno run -A main.ts drill --config ${CONFIG}
  stop         Ctrl-C
`);
  }),
);
