/**
 * What `up` does, step by step, each with the question whether it is done
 * already. Run again after an end at any point, it goes on from there; what
 * each makes is in the manifest before it is made.
 */
import { dirname } from "node:path";
import { loadConfig } from "../../config/load.ts";
import type { Config } from "../../config/settings.ts";
import { nameOf } from "../../login/mailbox_name.ts";
import { accountsFromTable } from "../accounts.ts";
import { certificateFiles } from "../certificate.ts";
import { checkPlaces, placesOf } from "../home.ts";
import { accountsFor, addUsers, makeHome } from "../make_home.ts";
import { readLogins } from "../logins.ts";
import { type Paths, pathsOf } from "../plan.ts";
import { isThere, replaceFile } from "../replace_file.ts";
import { openSite, readAccounts, readConfig } from "../site_io.ts";
import { readStatus } from "../status_file.ts";
import { hasUser } from "../users.ts";
import { waitFor } from "../wait_for.ts";
import { foreignLinks, LINKS, makeLinks, wrongLinks } from "./links.ts";
import { digest, fileState, type Made, type Manifest } from "./manifest.ts";
import type { Service } from "./service.ts";
import type { Target } from "./target.ts";

/** How a step stands. */
export type Look =
  | { readonly kind: "right" }
  | { readonly kind: "missing" }
  /** It stays as it is, and that is somebody's decision. */
  | { readonly kind: "kept"; readonly why: string }
  /** Nothing goes on from here. */
  | { readonly kind: "fault"; readonly fault: string };

/** One step. */
export interface Step {
  /** What there is when it is done. */
  readonly what: string;
  look(): Look;
  make(): void | Promise<void>;
}

/** What the steps work with. */
export interface StepInputs {
  readonly target: Target;
  readonly manifest: Manifest;
  readonly isRoot: boolean;
  /** The text of a new configuration. */
  readonly configText: string;
  readonly config: Config;
  readonly service: Service;
  readonly log: string;
  /** The command to be installed; null if it lies where it shall stay. */
  readonly program: { path: string; content: string | Uint8Array } | null;
  /** Where the links lead; null if there are to be none. */
  readonly linkTarget: string | null;
  /** Moves other programs' links aside. */
  readonly links: boolean;
  /** A password for a new mailbox; told before it is stored. */
  readonly passwordFor: (mailbox: string) => string;
  /** The name of the file that renews a running server's certificate. */
  readonly renewalHook: { path: string; text: string } | null;
}

/** Longest time for the roles to be ready after a start. */
const READY_WITHIN_MS = 60_000;

/** All of them, in their order. */
export function stepsOf(inputs: StepInputs): Step[] {
  const { target, config, service, program } = inputs;
  const paths = pathsOf(config.server.home);
  return [
    ...program === null ? [] : [fileStep(inputs, {
      what: `the command ${program.path}`,
      mode: 0o755,
      ...program,
    })],
    configStep(inputs),
    ...inputs.isRoot ? [accountsStep(inputs)] : [],
    homeStep(inputs, paths),
    certificateStep(inputs, paths),
    ...target.users.map((user) => mailboxStep(inputs, paths, user)),
    ...inputs.renewalHook === null ? [] : [fileStep(inputs, {
      what: "the hook that puts a renewed certificate in force",
      path: inputs.renewalHook.path,
      content: inputs.renewalHook.text,
      mode: 0o755,
    })],
    ...inputs.linkTarget === null ? [] : [linksStep(inputs, inputs.linkTarget)],
    ...service.file === null ? [] : [fileStep(inputs, {
      what: `the service ${service.file.path}`,
      path: service.file.path,
      content: service.file.text,
      mode: service.file.mode,
    })],
    runningStep(inputs, paths),
  ];
}

function fileStep(
  { manifest }: StepInputs,
  { what, path, content, mode }: {
    what: string;
    path: string;
    content: string | Uint8Array;
    mode: number;
  },
): Step {
  const wanted = digest(content);
  return {
    what,
    look() {
      const state = fileState({
        found: isThere(path) ? digest(Deno.readFileSync(path)) : undefined,
        wanted,
        ours: manifest.digestOf(path),
      });
      switch (state.kind) {
        case "right":
          return { kind: "right" };
        case "missing":
        case "old":
          return { kind: "missing" };
        case "foreign":
          return {
            kind: "kept",
            why: state.wasOurs
              ? "it was edited, and is yours"
              : "it was there before, and is yours",
          };
      }
    },
    make() {
      makeDirectory(dirname(path), manifest);
      manifest.add({ kind: "file", path, sha256: wanted });
      replaceFile(path, content, mode);
      Deno.chmodSync(path, mode); // the umask
    },
  };
}

function makeDirectory(path: string, manifest: Manifest): void {
  if (isThere(path)) return;
  manifest.add({ kind: "directory", path });
  Deno.mkdirSync(path, { recursive: true, mode: 0o755 });
}

function configStep(inputs: StepInputs): Step {
  const { target, manifest, configText } = inputs;
  const { configPath } = target;
  const step = fileStep(inputs, {
    what: `the configuration ${configPath}`,
    path: configPath,
    content: configText,
    mode: 0o600,
  });
  return {
    ...step,
    look: () => {
      if (!isThere(configPath)) return { kind: "missing" };
      const ours = manifest.digestOf(configPath);
      // What a later `up` would write differently is no reason to touch it.
      return ours === digest(Deno.readFileSync(configPath))
        ? { kind: "right" }
        : { kind: "kept", why: "it is yours" };
    },
  };
}

function accountsStep({ config, target, manifest }: StepInputs): Step {
  return {
    what: "a user for each role",
    look: () =>
      accountsNow(target, config).ok ? { kind: "right" } : { kind: "missing" },
    make() {
      const prefix = config.roles.user_prefix;
      const found = accountsFromTable(prefix);
      const missing = found.ok ? [] : found.missing;
      manifest.add(...missing.map((name): Made => ({
        kind: name === `${prefix}content` ? "group" : "account",
        name,
      })));
      const before = Deno.readTextFileSync(target.configPath);
      accountsFor(config, target.configPath);
      // It may have had to write numbers into the configuration.
      const after = Deno.readTextFileSync(target.configPath);
      const wasOurs = manifest.digestOf(target.configPath) === digest(before);
      if (after !== before && wasOurs) {
        const sha256 = digest(after);
        manifest.add({ kind: "file", path: target.configPath, sha256 });
      }
    },
  };
}

/** By the configuration as it is, to which a step may have added numbers. */
function accountsNow({ configPath }: Target, planned: Config) {
  const read = readConfig(configPath);
  return readAccounts(read.ok ? read.config : planned);
}

function homeStep(
  { target, config, isRoot }: StepInputs,
  paths: Paths,
): Step {
  const accounts = () => accountsNow(target, config);
  return {
    what: `the home ${paths.home}`,
    look() {
      const found = accounts();
      return found.ok && checkPlaces(placesOf(paths), found.accounts)
            .length === 0
        ? { kind: "right" }
        : { kind: "missing" };
    },
    make() {
      const found = accounts();
      if (!found.ok) throw new Error(found.faults.join("; "));
      Deno.mkdirSync(dirname(paths.home), { recursive: true });
      makeHome(paths, isRoot ? found.accounts : null);
    },
  };
}

function certificateStep(
  { target, config }: StepInputs,
  paths: Paths,
): Step {
  const { mode } = config.tls;
  const { certificate, key } = certificateFiles(config, paths);
  const files = [certificate, key];
  const what = {
    files: `the certificate ${certificate}`,
    "self-signed":
      `a certificate that ${config.server.hostname} signed itself: other ` +
      "servers encrypt with it, mail programs ask before they trust it " +
      "(--cert and --key name a better one)",
    off: "no certificate: tls.mode is off",
  }[mode];
  return {
    what,
    look() {
      if (mode === "off" || files.every(isThere)) return { kind: "right" };
      return mode === "self-signed" ? { kind: "missing" } : {
        kind: "fault",
        fault: `${files.find((one) => !isThere(one))} is not there: mend ` +
          `[tls] in ${target.configPath}`,
      };
    },
    make() {
      // Opening an installation makes the certificate, and proves the rest.
      const opening = openSite(target.configPath);
      if (!opening.ok) throw new Error(opening.faults.join("\n"));
    },
  };
}

function mailboxStep(
  { target, config, passwordFor }: StepInputs,
  paths: Paths,
  user: Target["users"][number],
): Step {
  return {
    what: `the mailbox ${nameOf(user)} in ${paths.mailDir}/${user.domain}/` +
      user.user,
    look() {
      if (!config.server.local_domains.includes(user.domain)) {
        return {
          kind: "fault",
          fault: `${user.domain} is not in server.local_domains of ` +
            `${target.configPath}: add it first`,
        };
      }
      if (!isThere(paths.usersFile)) return { kind: "missing" };
      const read = readLogins(paths);
      if (!read.ok) return { kind: "fault", fault: read.faults.join("\n") };
      return hasUser(read.users, user)
        ? { kind: "right" }
        : { kind: "missing" };
    },
    make() {
      // Told first: a password that is stored and unknown is of no use.
      const password = passwordFor(nameOf(user));
      const accounts = accountsNow(target, config);
      if (!accounts.ok) throw new Error(accounts.faults.join("; "));
      const added = addUsers(paths, {
        users: [user],
        password,
        accounts: accounts.accounts,
      });
      if (!added.ok) throw new Error(added.faults.join("\n"));
      const status = readStatus(paths.runDir);
      if (status !== undefined) Deno.kill(status.pid, "SIGHUP");
    },
  };
}

function linksStep(
  { manifest, links }: StepInputs,
  target: string,
): Step {
  return {
    what: `sendmail, mailq and newaliases, as links to ${target}`,
    look() {
      if (wrongLinks(target).length === 0) return { kind: "right" };
      const foreign = foreignLinks(target);
      return foreign.length === 0 || links ? { kind: "missing" } : {
        kind: "kept",
        why: `${foreign.join(", ")}: another program's; --links moves that ` +
          "aside, and down puts it back",
      };
    },
    make: () => makeLinks(target, manifest, LINKS),
  };
}

function runningStep(
  { manifest, service, log, target }: StepInputs,
  paths: Paths,
): Step {
  const isReady = () => readStatus(paths.runDir)?.ready === true;
  return {
    what: `the server, running: ${service.says}`,
    look: () =>
      isReady() && service.isEnabled()
        ? { kind: "right" }
        : { kind: "missing" },
    async make() {
      const opening = openSite(target.configPath);
      if (!opening.ok) throw new Error(opening.faults.join("\n"));
      manifest.add({ kind: "service", how: service.kind, log });
      // One that somebody started by hand is left alone.
      if (readStatus(paths.runDir) === undefined) service.start();
      else service.enable();
      if (await waitFor(() => isReady() || undefined, READY_WITHIN_MS)) return;
      throw new Error(
        `the server is not ready after ${READY_WITHIN_MS / 1_000} s: ` +
          `${service.logCommand} says why, and so may ` +
          `bulkhead check --config ${target.configPath}`,
      );
    },
  };
}

/** Reads what a new configuration says, before there is a file. */
export function configOf(
  text: string,
  path: string,
): { ok: true; config: Config } | { ok: false; faults: string[] } {
  const loaded = loadConfig(text, path);
  return loaded.ok ? loaded : {
    ok: false,
    faults: loaded.faults.map((one) => `${one.key} ${one.message}`),
  };
}
