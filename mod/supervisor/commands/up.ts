/**
 * `bulkhead up DOMAIN`: a working mail server in one command. Run again it
 * changes nothing that is right, and mends what is missing.
 */
import { isRoot } from "../installation.ts";
import { pathsOf } from "../plan.ts";
import { wordsOf } from "../care/words.ts";
import { checkCertificate } from "../certificate.ts";
import { nameOf } from "../../login/mailbox_name.ts";
import { cannotRead, hasIpv6, openSite, readConfig } from "../site_io.ts";
import { readStatus } from "../status_file.ts";
import { isThere } from "../replace_file.ts";
import { type Holder, holdersOf } from "../up/holders.ts";
import { Manifest } from "../up/manifest.ts";
import { ownProgram, typed, upAgain } from "../up/program.ts";
import { type ServiceKind, serviceKindHere, serviceOf } from "../up/service.ts";
import { configOf, type Step, stepsOf } from "../up/steps.ts";
import {
  configFor,
  type Target,
  targetOf,
  type UpOptions,
} from "../up/target.ts";
import { shellWord } from "../up/unit.ts";
import { isLoopback } from "../../config/names.ts";
import type { Config } from "../../config/settings.ts";
import { visible } from "../../core/visible.ts";
import { hasTrustedCertificate, type LookedUp } from "../up/ask_dns.ts";
import { localFindings } from "../up/local_findings.ts";
import { askNetwork, type NetworkFacts } from "../up/network_findings.ts";
import {
  policyText,
  policyUrl,
  type RecordFacts,
  wantedRecords,
} from "../up/records.ts";
import { findingLines } from "./check.ts";
import { EXIT, fail, failToOpen, faultsTold, print } from "./exit.ts";
import { DEFAULT_CONFIG } from "./topic.ts";
import { passwordOf } from "./init.ts";

/** First of the ports without root. */
const HIGH_PORTS = 2_525;
/** Those below are root's. */
const FIRST_FREE_PORT = 1_024;

/** What became of a step. */
interface Done {
  readonly what: string;
  readonly did: "made" | "as it was" | "kept" | "would make";
  /** Of one that was kept. */
  readonly why?: string;
}

/**
 * Runs it; returns the exit code.
 *
 * @param onDurable Told after everything that lasts; for tests that end it there
 */
export function up(
  domain: string,
  options: UpOptions,
  programs: ReadonlyMap<string, string>,
  onDurable: () => void = () => {},
): Promise<number> {
  return faultsTold(() => goUp(domain, options, programs, onDurable));
}

async function goUp(
  domain: string,
  options: UpOptions,
  programs: ReadonlyMap<string, string>,
  onDurable: () => void,
): Promise<number> {
  if (
    !isRoot() && options.home === undefined && options.config === undefined &&
    !Deno.env.get("HOME")
  ) {
    return fail(EXIT.usage, [
      "HOME is not set: --home DIR says where everything is to lie",
    ]);
  }
  const machine = {
    isRoot: isRoot(),
    userHome: Deno.env.get("HOME") ?? "/nonexistent",
  };
  const read = targetOf(domain, options, machine);
  if (!read.ok) return fail(EXIT.usage, [read.fault]);
  const { target } = read;
  const unusable = faultsOf(target, options, machine.isRoot);
  if (unusable.length > 0) return fail(EXIT.config, unusable);
  const ports = options.ports ?? (machine.isRoot ? null : HIGH_PORTS);
  const configText = configFor(target, { ports, hasIpv6: hasIpv6() });
  const found = configFound(target, configText, options);
  if (!found.ok) return fail(found.code, found.faults);
  const { config } = found;
  const { home, runDir } = pathsOf(config.server.home);
  const kind = serviceKindHere(machine.isRoot);
  const blocked = readStatus(runDir) === undefined
    ? holdersOf(portsOf(config), kind)
    : [];
  if (blocked.length > 0) return fail(EXIT.busy, blocked.map(holderText));

  const program = ownProgram(machine.isRoot);
  const log = machine.isRoot
    ? "/var/log/bulkhead.log"
    : `${config.server.home}/serve.log`;
  const service = serviceOf(kind, {
    command: program.command,
    configPath: target.configPath,
    home: config.server.home,
    runtimePlace: Deno.env.get("BULKHEAD_RUNTIME") || null,
    runDir,
    log,
    upAgain: upAgain(program.command, {
      domain: target.domain,
      configPath: target.configPath,
    }),
  });
  const passwords = new Map<string, string>();
  const password = options.passwordFile === undefined
    ? undefined
    : passwordOf(options.passwordFile);
  if (password?.ok === false) return fail(EXIT.notFound, [password.fault]);
  const manifest = Manifest.read(target.manifestPath, onDurable);
  // First of all: the manifest itself may lie in it.
  if (!options.dryRun && !isThere(home)) {
    manifest.add({ kind: "home", path: home, run: runDir, waiting: null });
  }
  const steps = stepsOf({
    target,
    manifest,
    isRoot: machine.isRoot,
    configText,
    config,
    service,
    log,
    program: program.install,
    linkTarget: machine.isRoot ? program.command[0]! : null,
    links: options.links,
    passwordFor: (mailbox) => {
      if (password !== undefined) return password.text;
      const made = passwordOf(undefined);
      if (!made.ok) throw new Error(made.fault);
      passwords.set(mailbox, made.text);
      if (!options.json) {
        console.log(`password   ${made.text}  of ${mailbox}; shown this once`);
      }
      return made.text;
    },
    renewalHook: renewalHook(config, kind),
  });
  if (!options.json) {
    console.log(
      `${config.server.hostname}, for mail to ${
        config.server.local_domains.join(", ")
      }\n`,
    );
  }
  const ran = await runSteps(steps, options, onDurable);
  if (ran.fault !== undefined) {
    if (options.json) print(true, { ok: false, ...ran }, () => "");
    return fail(EXIT.config, [
      ran.fault,
      "nothing is lost: mend that and run the same command again",
    ]);
  }
  const known = { ...ran, passwords: Object.fromEntries(passwords) };
  if (options.dryRun) {
    print(options.json, { ok: true, ...known }, () => "\nNothing was changed.");
    return EXIT.ok;
  }
  const opening = openSite(target.configPath);
  if (!opening.ok) return failToOpen(opening);
  const { opened } = opening;
  const { configPath } = target;
  const local = localFindings({ opened, configPath });
  const network = await askNetwork(opened, programs, options);
  const records = recordsToShow(network);
  const findings = [
    ...local,
    ...network.findings.filter(({ area }) => area !== "dns"),
  ].filter(({ kind }) => kind === "fault" || kind === "wrong");
  const policy = hasTrustedCertificate(network.facts)
    ? policyText(network.facts.hostname)
    : null;
  const answer = {
    ok: findings.length === 0,
    ...known,
    findings,
    records,
    policy,
  };
  print(options.json, answer, () =>
    [
      ...findings.length > 0 ? ["", ...findingLines(findings)] : [],
      ...isNear(config)
        ? [
          "",
          "It listens on the loopback alone, and so needs nothing in the DNS. " +
          "As root,",
          "without --ports, up makes one for the world.",
        ]
        : recordLines(records, network.facts, policy),
      ...nextLines(config, target, program.command),
    ].join("\n"));
  return findings.length === 0 ? EXIT.ok : EXIT.no;
}

/** What would keep a new configuration from working. */
function faultsOf(
  target: Target,
  { cert, ports }: UpOptions,
  isRoot: boolean,
): string[] {
  if (ports !== undefined && ports < FIRST_FREE_PORT && !isRoot) {
    return [`ports below ${FIRST_FREE_PORT} need root: --ports ${HIGH_PORTS}`];
  }
  const { certificate: files, hostname } = target;
  if (cert === undefined || files === null) return [];
  try {
    const texts = [files.certificate, files.key].map((path) => {
      try {
        return Deno.readTextFileSync(path);
      } catch (error) {
        throw new Error(cannotRead(path, error));
      }
    });
    return checkCertificate(texts[0]!, texts[1]!, Date.now(), hostname)
      .filter(({ kind }) => kind === "fault")
      .map(({ message }) => `${files.certificate}: ${message}`);
  } catch (error) {
    if (error instanceof TypeError) throw error;
    return [(error as Error).message];
  }
}

/** The steps, one after the other; ends at the first that cannot be done. */
async function runSteps(
  steps: readonly Step[],
  options: UpOptions,
  onDurable: () => void,
): Promise<{ steps: Done[]; fault?: string }> {
  const done: Done[] = [];
  const tell = (one: Done) => {
    done.push(one);
    if (!options.json) console.log(stepText(one));
  };
  for (const step of steps) {
    const { what } = step;
    const look = step.look();
    switch (look.kind) {
      case "right":
        tell({ what, did: "as it was" });
        break;
      case "kept":
        tell({ what, did: "kept", why: look.why });
        break;
      case "fault":
        return { steps: done, fault: look.fault };
      case "missing":
        if (options.dryRun) {
          tell({ what, did: "would make" });
          break;
        }
        try {
          await step.make();
        } catch (error) {
          if (error instanceof TypeError) throw error;
          return { steps: done, fault: `${what}: ${wordsOf(error)}` };
        }
        onDurable();
        tell({ what, did: "made" });
    }
  }
  return { steps: done };
}

function stepText({ what, did, why }: Done): string {
  return `${did.padEnd(10)} ${what}${why === undefined ? "" : ` (${why})`}`;
}

/** The configuration that is there, or the one that would be written. */
function configFound(
  target: Target,
  text: string,
  options: UpOptions,
):
  | { ok: true; config: Config }
  | { ok: false; code: number; faults: readonly string[] } {
  const { configPath, domain } = target;
  if (!isThere(configPath)) {
    if (target.users.length === 0) {
      return {
        ok: false,
        code: EXIT.usage,
        faults: [
          `whose mail is it? bulkhead up ${domain} --user NAME makes the ` +
          `mailbox NAME@${domain}`,
        ],
      };
    }
    const foreign = target.users.find((one) => one.domain !== domain);
    if (foreign !== undefined) {
      return {
        ok: false,
        code: EXIT.usage,
        faults: [
          `${nameOf(foreign)} is not of ${domain}: up makes mailboxes of ` +
          "domains that the configuration has in server.local_domains, and a " +
          `new one has ${domain} alone`,
        ],
      };
    }
    const made = configOf(text, configPath);
    return made.ok ? made : {
      ok: false,
      code: EXIT.usage,
      faults: made.faults.map((one) =>
        `the options do not make a configuration: ${one}`
      ),
    };
  }
  const read = readConfig(configPath);
  if (!read.ok) return { ok: false, code: EXIT.config, faults: read.faults };
  const { server, tls } = read.config;
  const differences = [
    ...server.local_domains.includes(domain) ? [] : [domain],
    ...options.hostname === undefined || server.hostname === target.hostname
      ? []
      : [`--hostname ${options.hostname}`],
    ...options.home === undefined || server.home === target.home
      ? []
      : [`--home ${options.home}`],
    ...options.cert === undefined ||
        tls.certificate === target.certificate?.certificate
      ? []
      : [`--cert ${options.cert}`],
  ];
  return differences.length === 0 ? read : {
    ok: false,
    code: EXIT.config,
    faults: [
      `${configPath} is there already and says otherwise than ` +
      `${differences.join(", ")}: edit it, and run up again`,
    ],
  };
}

/** Every port that the configuration wants. */
function portsOf({ smtp, submission, console: page }: Config): number[] {
  const all = [
    ...smtp.listen,
    ...submission.listen,
    ...submission.tls_listen,
    ...page.listen ? [page.listen] : [],
  ];
  return [...new Set(all.map(({ port }) => port))];
}

function holderText({ port, name, pid, mend }: Holder): string {
  const who = name === "" ? "another user's process" : `${name} (${pid})`;
  return `port ${port} is held by ${who}: ${mend}`;
}

/** A renewed certificate is read at SIGHUP; certbot(1) has a place to say so. */
function renewalHook(
  { tls }: Config,
  kind: ServiceKind,
): { path: string; text: string } | null {
  const dir = "/etc/letsencrypt/renewal-hooks/deploy";
  const isTheirs = tls.mode === "files" &&
    tls.certificate!.startsWith("/etc/letsencrypt/live/");
  if (!isTheirs || kind === "none" || !isThere(dir)) return null;
  const reload = kind === "systemd"
    ? "systemctl reload bulkhead"
    : "rc-service bulkhead reload";
  return {
    path: `${dir}/bulkhead`,
    text: `#!/bin/sh\n# Made by bulkhead up.\nexec ${reload}\n`,
  };
}

/** A record to set, and whether the DNS has it. */
interface ShownRecord {
  readonly name: string;
  readonly type: string;
  readonly value: string;
  /** Null if it was not asked. */
  readonly state: LookedUp["state"] | null;
  readonly found: string;
}

function recordsToShow({ records, facts }: NetworkFacts): ShownRecord[] {
  const shown = records ??
    wantedRecords(facts).map((record) => ({ record, state: null, found: "" }));
  return shown.map(({ record: { name, type, value }, state, found }) => ({
    name,
    type,
    value,
    state,
    found,
  }));
}

const STATE: Readonly<Record<LookedUp["state"], string>> = {
  right: "ok",
  missing: "set",
  other: "CHANGE",
  harmful: "CHANGE",
  unknown: "?",
};

/** True if nobody outside can come to it. */
function isNear({ smtp }: Config): boolean {
  return smtp.listen.every(({ host }) => isLoopback(host));
}

/** Longest name that widens the column. */
const MOST_WIDE = 40;

/** One screen: what to copy into the zone, with what is there already. */
function recordLines(
  records: readonly ShownRecord[],
  { domains, hostname, addresses }: RecordFacts,
  policy: string | null,
): string[] {
  // The name of an IPv6 address's PTR record is longer than the rest.
  const width = Math.max(
    ...records.map(({ name }) => name.length).filter((one) => one < MOST_WIDE),
  ) + 2;
  return [
    "",
    "Records for your DNS" +
    (records.some(({ state }) => state === "right")
      ? " (ok: it has them already)"
      : "") +
    ":",
    ...addresses.length > 0 || records.some(({ type }) => type === "A") ? [] : [
      `  set     ${`${hostname}.`.padEnd(width)} A     this server's public ` +
      "address; its PTR record, at whoever gave it to you, is that name",
    ],
    ...records.map(({ name, type, value, state }) =>
      visible(
        `  ${(state === null ? "set" : STATE[state]).padEnd(7)} ` +
          `${`${name}.`.padEnd(width)} ${type.padEnd(5)} ${value}`,
        "?",
      )
    ),
    ...policy === null ? [] : [
      `  At ${policyUrl(domains[0]!)}:`,
      ...policy.trimEnd().split("\r\n").map((line) => `      ${line}`),
    ],
  ];
}

/** What to do now. */
function nextLines(
  config: Config,
  target: Target,
  command: readonly string[],
): string[] {
  const { home } = pathsOf(config.server.home);
  const bulkhead = typed(command);
  const usual = target.configPath === DEFAULT_CONFIG
    ? ""
    : ` --config ${shellWord(target.configPath)}`;
  const [user] = target.users;
  const [smtp] = config.smtp.listen;
  const host = smtp!.host === "0.0.0.0" ? "127.0.0.1" : smtp!.host;
  const address = `${user?.user}@${user?.domain}`;
  const message = "printf 'Subject: hello\\n\\nhello\\n' | ";
  const send = isRoot()
    ? `bulkhead sendmail ${address}`
    : `curl --crlf -sT - --mail-rcpt ${address} smtp://${host}:${smtp!.port}`;
  return [
    "",
    "It runs.",
    ...user === undefined ? [] : [
      `  try it    ${message}${send}`,
      `  read it   cat ${home}/mail/${user.domain}/${user.user}/new/*`,
    ],
    `  look      ${bulkhead} console${usual}`,
    `  DNS       ${bulkhead} check${usual}`,
    `  undo      ${bulkhead} down${usual}`,
  ];
}
