/**
 * `bulkhead init DIR`: makes an installation: directories, users of the
 * roles, configuration, certificate, mailboxes. Run again, it changes nothing
 * that is there.
 */
import { resolve as absolute } from "node:path";
import { faultText, loadConfig } from "../../config/load.ts";
import type { Config } from "../../config/settings.ts";
import { renderConfig } from "../../config/render.ts";
import type { Mailbox } from "../../core/shapes.ts";
import { pathsOf } from "../plan.ts";
import { accountsFor, addUsers, makeHome } from "../make_home.ts";
import { replaceFile } from "../replace_file.ts";
import { cannotRead, openSite } from "../site_io.ts";
import { writeSubmitFacts } from "../local_users.ts";
import { parseMailbox } from "../../login/mailbox_name.ts";
import { EXIT, fail, failToOpen } from "./exit.ts";

/** Options of `bulkhead init`. */
export interface InitOptions {
  readonly hostname: string;
  readonly domain: readonly string[];
  readonly user: readonly string[];
  readonly passwordFile?: string;
  /** First of four ports: SMTP, submission, submissions, console. */
  readonly ports: number;
  /** `domain=host:port` */
  readonly route: readonly string[];
}

/** Makes an installation; returns the exit code. */
export function init(dir: string, options: InitOptions): number {
  const home = absolute(dir);
  const configPath = `${home}/bulkhead.toml`;
  const users = options.user.map((one) => userOf(one, options.domain[0]!));
  const bad = options.user.filter((_, i) => users[i] === undefined);
  if (bad.length > 0) {
    return fail(EXIT.usage, [noMailbox(bad.join(", "))]);
  }
  const password = passwordOf(options.passwordFile);
  if (!password.ok) return fail(EXIT.notFound, [password.fault]);

  Deno.mkdirSync(home, { recursive: true });
  const written = writeConfig(configPath, options);
  if (!written.ok) return fail(EXIT.config, written.faults);
  const { config } = written;
  const differences = written.isKept
    ? differencesFrom(config, options, users as Mailbox[])
    : [];
  if (differences.length > 0) {
    return fail(EXIT.config, [
      `${configPath} is there already, and init changes nothing that is ` +
      `there: edit the file, or leave these out: ${differences.join(", ")}`,
    ]);
  }
  const accounts = accountsFor(config, configPath);
  const paths = pathsOf(config.server.home);
  makeHome(paths, accounts);
  const added = addUsers(paths, {
    users: users as Mailbox[],
    password: password.text,
    accounts,
  });
  if (!added.ok) return fail(EXIT.config, added.faults);
  // Opening it makes the certificate, and proves that all of it can be used.
  const opening = openSite(configPath);
  if (!opening.ok) return failToOpen(opening);
  writeSubmitFacts(config);
  console.log(summary(configPath, opening.opened.config, users as Mailbox[]));
  if (options.passwordFile === undefined && added.count > 0) {
    console.log(
      `password   ${password.text}  (shown once; bulkhead user passwd changes it)`,
    );
  }
  return EXIT.ok;
}

/** `me` or `me@domain` as a mailbox; undefined if it cannot be one. */
export function userOf(text: string, domain: string): Mailbox | undefined {
  return parseMailbox(text.includes("@") ? text : `${text}@${domain}`);
}

/** What is said of something that {@link userOf} does not take. */
export function noMailbox(text: string): string {
  return `${text} cannot be a mailbox: use a-z, 0-9, . _ - and a letter or ` +
    "digit first";
}

/** The password in a file (its first line), or a new random one. */
export function passwordOf(
  file: string | undefined,
): { ok: true; text: string } | { ok: false; fault: string } {
  if (file === undefined) {
    const octets = crypto.getRandomValues(new Uint8Array(15));
    return { ok: true, text: btoa(String.fromCharCode(...octets)) };
  }
  try {
    const text = Deno.readTextFileSync(file).split(/\r?\n/)[0]!;
    if (text === "") return { ok: false, fault: `${file} has no password` };
    return { ok: true, text };
  } catch (error) {
    return { ok: false, fault: cannotRead(file, error) };
  }
}

function writeConfig(
  path: string,
  options: InitOptions,
):
  | { ok: true; config: Config; isKept: boolean }
  | { ok: false; faults: string[] } {
  let text: string;
  let isKept = true;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    text = configText(options);
    isKept = false;
  }
  const loaded = loadConfig(text, path);
  if (!loaded.ok) {
    return {
      ok: false,
      // A file that was not written yet has no lines to name.
      faults: loaded.faults.map((one) =>
        isKept
          ? faultText(path, one)
          : `the options do not make a configuration: ${one.key} ${one.message}`
      ),
    };
  }
  if (!isKept) replaceFile(path, text, 0o600);
  return { ...loaded, isKept };
}

/** Options that say something else than the configuration that is there. */
function differencesFrom(
  config: Config,
  options: InitOptions,
  users: readonly Mailbox[],
): string[] {
  const { hostname, local_domains: domains } = config.server;
  const routed = new Set(config.routes.map((one) => one.domain));
  return [
    ...hostname === options.hostname.toLowerCase()
      ? []
      : [`--hostname ${options.hostname}`],
    ...options.domain.filter((one) => !domains.includes(one.toLowerCase()))
      .map((one) => `--domain ${one}`),
    ...users.filter((one) => !domains.includes(one.domain))
      .map((one) => `--user ${one.user}@${one.domain}`),
    ...options.route.filter((one) =>
      !routed.has(one.slice(0, Math.max(0, one.indexOf("="))).toLowerCase())
    ).map((one) => `--route ${one}`),
  ];
}

function configText(options: InitOptions, uidBase?: number): string {
  const routes = new Map(options.route.map((one) => {
    const at = one.indexOf("=");
    return [one.slice(0, Math.max(0, at)), one.slice(at + 1)] as const;
  }));
  const first = options.user[0];
  const postmaster = first === undefined
    ? undefined
    : userOf(first, options.domain[0]!)!;
  const listen = (offset: number) => `127.0.0.1:${options.ports + offset}`;
  return renderConfig({
    server: {
      hostname: options.hostname,
      local_domains: options.domain,
      ...(postmaster
        ? { postmaster: `${postmaster.user}@${postmaster.domain}` }
        : {}),
      ...(routes.size > 0
        ? { relay_domains: [...routes.keys()].filter((one) => one !== "*") }
        : {}),
    },
    smtp: { listen: [listen(0)] },
    submission: { listen: [listen(1)], tls_listen: [listen(2)] },
    routes,
    console: { listen: listen(3) },
    ...(uidBase === undefined ? {} : { roles: { uid_base: uidBase } }),
  });
}

function summary(
  configPath: string,
  config: Config,
  users: readonly Mailbox[],
): string {
  const smtp = config.smtp.listen[0]!;
  const lines = [
    `made       ${config.server.home}`,
    `start      bulkhead serve --config ${configPath}`,
    `send to    ${smtp.host}:${smtp.port} (SMTP)`,
  ];
  const [submission] = config.submission.tls_listen;
  if (submission !== undefined) {
    lines.push(`submit to  ${submission.host}:${submission.port} (TLS, login)`);
  }
  for (const user of users) {
    lines.push(
      `mailbox    ${user.user}@${user.domain} in ${config.server.home}/mail/${user.domain}/${user.user}`,
    );
  }
  if (config.console.listen) {
    const { host, port } = config.console.listen;
    lines.push(`console    http://${host}:${port}/`);
  }
  return lines.join("\n");
}
