/** `bulkhead serve`: runs the server until SIGTERM or SIGINT. */
import { hostPortText } from "../../config/names.ts";
import { describeAbi, landlockAbi } from "../../walls/landlock.ts";
import { openLibc } from "../../walls/libc.ts";
import { bringUp, type Tell } from "../care/bring_up.ts";
import { Trial } from "../care/trial.ts";
import { wordsOf } from "../care/words.ts";
import { switchOffCopyOnWrite } from "../copy_on_write.ts";
import { doubtsAbout, erasedDirs, erasedPlaces } from "../erased_places.ts";
import { VERSION } from "../../core/version.ts";
import { noteCare } from "../facts/care_log_io.ts";
import { FactsKeeper } from "../facts/facts.ts";
import { install, isRoot } from "../installation.ts";
import { isInPlace, removeCopies, removeOldParts } from "../in_place.ts";
import {
  consoleUrl,
  forgetConsoleKey,
  makeConsoleKey,
  withConsoleKey,
} from "../console_key.ts";
import { event } from "../log_sink.ts";
import { standardError } from "../log/log_end_io.ts";
import { logForm } from "../log/log_form.ts";
import { LogWriter } from "../log_writer.ts";
import { pathsOf } from "../plan.ts";
import { checkPlaces, placesOf } from "../home.ts";
import { writeSubmitFacts } from "../local_users.ts";
import { hasOldHashes, readLogins, writeLogins } from "../logins.ts";
import { type Opened, openSite, readAccounts, readConfig } from "../site_io.ts";
import { takeLock } from "../sockets.ts";
import { Supervisor } from "../supervisor.ts";
import { EXIT, fail } from "./exit.ts";

const log = new LogWriter(Deno.stderr);
const write = log.line;

/** Time for the last log lines to be read. */
const FLUSH_MS = 500;

/**
 * Runs the server.
 *
 * @param configPath The configuration file
 * @param programs URLs of the programs' modules, by name
 * @param onReady Told once every role answers
 * @returns The exit code
 */
export async function serve(
  configPath: string,
  programs: ReadonlyMap<string, string>,
  onReady: (opened: Opened, consoleKey: string) => void = () => {},
): Promise<number> {
  const first = readConfig(configPath); // a faulty one is told of later
  log.form = logForm(
    first.ok ? first.config.log.format : "auto",
    standardError(),
  );
  if (first.ok) makeRunDir(first.config.server.home);
  const tell: Tell = (name, fields) => {
    event(write, name, fields);
    noteUpgrade(configPath, name);
  };
  const brought = await bringUp(configPath, programs, tell);
  if (brought.kind === "busy") {
    return fail(EXIT.busy, [runsAlready(brought.home)]);
  }
  if (brought.kind === "fault") return fail(EXIT.config, brought.faults);
  const trial = new Trial(brought, tell);
  if (brought.kind === "ready") moveOldHashes(configPath);
  const opening = openSite(configPath);
  if (!opening.ok) {
    return fail(EXIT.config, [...opening.faults, ...await trial.fail()]);
  }
  const { opened } = opening;
  const { paths } = opened;
  for (const warning of opened.warnings) event(write, "warning", { warning });

  const installation = await install(paths.home, programs, opened.accounts);
  const libc = openLibc(installation.libc);
  const lock = brought.kind === "trial"
    ? brought.lock
    : takeLock(libc, `${paths.runDir}/lock`);
  if (lock === undefined) return fail(EXIT.busy, [runsAlready(paths.home)]);
  // An upgrade that is undone is followed by the program of before.
  if (!trial.isOn && isInPlace(paths.home)) removeOldPrograms(paths.home);
  event(write, "starting", {
    pid: Deno.pid,
    home: paths.home,
    landlock: describeAbi(landlockAbi(libc)),
    users: userSentence(opened),
  });
  for (const one of switchOffCopyOnWrite(libc, erasedDirs(paths))) {
    event(write, "copy-on-write", { ...one });
  }
  const erased = erasedPlaces(libc, paths);
  for (const warning of doubtsAbout(erased)) {
    event(write, "warning", { warning });
  }
  const observer = new FactsKeeper({ opened, installation, libc, erased });
  writeSubmitFacts(opened.config);
  const key = makeConsoleKey(paths);
  const plan = withConsoleKey(opened.plan, key);
  const supervisor = new Supervisor({
    plan: trial.planFor(plan),
    installation,
    libc,
    write,
    observer,
  });
  const ended = Promise.withResolvers<number>();
  let isStopping = false;
  let isRenewed = false;
  const stop = (signal: string) => {
    isStopping = true;
    event(write, "stopping", { signal });
    supervisor.stop().then(() => trial.fail()).then(() => trial.end()).then(
      () => {
        forgetConsoleKey(paths);
        ended.resolve(EXIT.ok);
      },
    );
  };
  Deno.addSignalListener("SIGTERM", () => stop("SIGTERM"));
  Deno.addSignalListener("SIGINT", () => stop("SIGINT"));
  Deno.addSignalListener(
    "SIGHUP",
    () => {
      isRenewed = true;
      if (!trial.isOn) renew(configPath, { supervisor, observer, key });
    },
  );
  try {
    await supervisor.start();
    if (isStopping) return await end(ended.promise);
    const wasOn = trial.isOn;
    await trial.pass();
    if (wasOn) supervisor.renew(plan);
    if (wasOn && isRenewed) renew(configPath, { supervisor, observer, key });
  } catch (error) {
    await supervisor.stop();
    const undone = await trial.fail();
    forgetConsoleKey(paths);
    await log.flush(FLUSH_MS);
    return fail(EXIT.config, [wordsOf(error), ...undone]);
  }
  const { smtp, submission } = opened.config;
  event(write, "ready", {
    smtp: smtp.listen.map(hostPortText),
    submission: submission.listen.map(hostPortText),
    submissions: submission.tls_listen.map(hostPortText),
    console: consoleUrl(opened.config) ?? "off",
    mail: paths.mailDir,
    inMs: Math.round(performance.now()),
  });
  onReady(opened, key);
  return await end(ended.promise);
}

function runsAlready(home: string): string {
  return `another server runs on ${home}: ` +
    "`bulkhead status` shows it; stop it first";
}

/** Waits for the end, and for the last log lines to be read. */
async function end(ended: Promise<number>): Promise<number> {
  const code = await ended;
  await log.flush(FLUSH_MS);
  return code;
}

/** How an upgrade ended, for the console. */
function noteUpgrade(configPath: string, name: string): void {
  const says = name === "upgrade-well"
    ? `to version ${VERSION}: every role is ready`
    : name === "upgrade-undone"
    ? `to version ${VERSION} was put back; the log says why`
    : undefined;
  if (says === undefined) return;
  const read = readConfig(configPath);
  if (read.ok) noteCare(read.config.server.home, "upgrade", says);
}

/** The sockets' directory holds nothing that lasts: /run is empty at boot. */
function makeRunDir(serverHome: string): void {
  const { home, runDir } = pathsOf(serverHome);
  if (runDir.startsWith(`${home}/`)) return;
  try {
    Deno.mkdirSync(runDir, { mode: 0o711 });
    Deno.chmodSync(runDir, 0o711);
  } catch (error) {
    // There already; whose it is, is checked with everything else.
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

// A disk that cannot be written to keeps them, and serves no worse.
function removeOldPrograms(home: string): void {
  try {
    removeOldParts();
    removeCopies(home);
  } catch (error) {
    const warning = `cannot remove older programs: ${error}`;
    event(write, "warning", { warning });
  }
}

/** An older program kept passwords in the users file. */
function moveOldHashes(configPath: string): void {
  const config = readConfig(configPath);
  if (!config.ok) return; // told of with all the rest
  const paths = pathsOf(config.config.server.home);
  const accounts = readAccounts(config.config);
  if (
    !accounts.ok || checkPlaces(placesOf(paths), accounts.accounts).length > 0
  ) return;
  const read = readLogins(paths);
  if (!read.ok || !hasOldHashes(read.users)) return;
  writeLogins(paths, read, accounts.accounts);
  event(write, "passwords-moved", {
    from: paths.usersFile,
    to: paths.passwordsFile,
  });
}

/** Reads everything again; a faulty configuration changes nothing. */
function renew(
  configPath: string,
  { supervisor, observer, key }: {
    supervisor: Supervisor;
    observer: FactsKeeper;
    key: string;
  },
): void {
  const opening = openSite(configPath);
  if (opening.ok) {
    observer.renew(opening.opened);
    writeSubmitFacts(opening.opened.config);
    supervisor.renew(withConsoleKey(opening.opened.plan, key));
  } else {
    event(write, "renew-refused", { faults: opening.faults });
  }
}

function userSentence(opened: Opened): string {
  return isRoot()
    ? `one user a role, from the ${opened.accounts?.source}`
    : "all roles run as one user, because the server was not started as " +
      "root: a role that is taken over could attack its neighbours; " +
      "Deno's flags, Landlock and seccomp still hold";
}
