/** What can be seen on this machine alone. */
import { statfsSync } from "node:fs";
import { X509Certificate } from "node:crypto";
import { VERSION } from "../../core/version.ts";
import { describeAbi, landlockAbi } from "../../walls/landlock.ts";
import { openLibc } from "../../walls/libc.ts";
import { certificateFiles } from "../certificate.ts";
import { doubtsAbout, erasedPlaces } from "../erased_places.ts";
import { isRoot } from "../installation.ts";
import { certificateIn } from "../plan.ts";
import type { Opened } from "../site_io.ts";
import { ListenError, listenTcp } from "../sockets.ts";
import { readStatus } from "../status_file.ts";
import { clockState } from "./clock_io.ts";
import { type Finding, finding } from "./finding.ts";
import { holdersOf } from "./holders.ts";
import { foreignLinks, wrongLinks } from "./links.ts";
import { type Made, Manifest, manifestPathOf } from "./manifest.ts";
import { permissionFindings } from "./permission_findings.ts";
import { COMMAND_PATH, ownProgram, upAgain } from "./program.ts";
import { isOfAuthority } from "./records.ts";
import { serviceKindHere, succeeds } from "./service.ts";
import { foundCertificate } from "./target.ts";

/** What each question is asked of. */
export interface LocalInputs {
  readonly opened: Opened;
  readonly configPath: string;
}

/** Every question, in the order of the answers. */
const QUESTIONS: readonly ((inputs: LocalInputs) => Finding[])[] = [
  configurationFindings,
  wallFindings,
  permissionFindings,
  portFindings,
  diskFindings,
  erasureFindings,
  certificateFindings,
  serviceFindings,
  clockFindings,
];

/** All answers. */
export function localFindings(inputs: LocalInputs): Finding[] {
  return QUESTIONS.flatMap((ask) => ask(inputs));
}

function configurationFindings({ opened, configPath }: LocalInputs): Finding[] {
  return [
    finding("configuration", "good", `${configPath} says nothing wrong`),
    ...opened.warnings.map((what) =>
      finding(
        "configuration",
        "warning",
        what,
        certificateMend(what, { opened, configPath }),
      )
    ),
  ];
}

/** Undefined of a warning about something else. */
function certificateMend(
  what: string,
  { opened, configPath }: LocalInputs,
): string | undefined {
  const { certificate, key } = certificateFiles(opened.config, opened.paths);
  if (!what.startsWith(`${certificate}: `)) return undefined;
  return opened.config.tls.mode === "self-signed"
    ? `rm ${certificate} ${key}, and start the server again: it makes another`
    : `get another for ${opened.config.server.hostname}, and name its files ` +
      `in [tls] of ${configPath}`;
}

function wallFindings({ opened }: LocalInputs): Finding[] {
  const abi = landlockAbi(openLibc(opened.plan.site.libc));
  return [
    finding(
      "walls",
      abi >= 4 ? "good" : "warning",
      `Landlock ${describeAbi(abi)}` +
        (abi >= 4 ? "" : "; a newer kernel gives a stronger wall"),
    ),
    isRoot()
      ? finding("walls", "good", "every role has a user of its own")
      : finding(
        "walls",
        "warning",
        "all roles run as one user, because this is not root",
      ),
  ];
}

function portFindings({ opened }: LocalInputs): Finding[] {
  if (readStatus(opened.paths.runDir)) {
    return [finding("ports", "good", "the server is running")];
  }
  const libc = openLibc(opened.plan.site.libc);
  const kind = serviceKindHere(isRoot());
  return [...opened.plan.listen.values()].flat().map(({ host, port }) => {
    try {
      libc.close(listenTcp(libc, host, port));
      return finding("ports", "good", `${host}:${port} is free`);
    } catch (error) {
      if (!(error instanceof ListenError)) throw error;
      const [holder] = error.inUse ? holdersOf([port], kind) : [];
      return finding(
        "ports",
        "fault",
        error.message +
          (holder?.pid ? `; it is ${holder.name} (${holder.pid})` : ""),
        holder?.mend,
      );
    }
  });
}

const MINUTE_MS = 60_000;

/** Free inodes below which a new file may fail soon. */
const FEW_INODES = 10_000;

function diskFindings({ opened }: LocalInputs): Finding[] {
  const { config, paths } = opened;
  const least = Math.max(config.spool.min_free, config.queue.min_free);
  const { bavail, bsize, files, ffree } = statfsSync(paths.spoolDir);
  const free = Number(bavail) * Number(bsize);
  const full = free < least;
  return [
    finding(
      "disk",
      full ? "fault" : "good",
      `${paths.spoolDir} has ${mib(free)} free` +
        (full ? ` and needs ${mib(least)}: new mail would get 452` : ""),
      full ? "make room, or lower spool.min_free" : undefined,
    ),
    // Some file systems make them as they go, and say 0.
    ...Number(files) > 0 && Number(ffree) < FEW_INODES
      ? [finding(
        "disk",
        "warning",
        `${paths.mailDir} can hold only ${ffree} more files (inodes)`,
        "remove small files, or move the mail to a larger file system",
      )]
      : [],
  ];
}

function erasureFindings({ opened }: LocalInputs): Finding[] {
  const libc = openLibc(opened.plan.site.libc);
  const doubts = doubtsAbout(erasedPlaces(libc, opened.paths));
  return doubts.length === 0
    ? [finding(
      "disk",
      "good",
      "what is overwritten here is overwritten in place",
    )]
    : doubts.map((what) => finding("disk", "warning", what));
}

/** Expiry and name are among the configuration's warnings. */
function certificateFindings({ opened, configPath }: LocalInputs): Finding[] {
  const { server } = opened.config;
  const pem = certificateIn(opened.plan);
  if (pem === null) return [];
  const { certificate: certPath, key: keyPath } = certificateFiles(
    opened.config,
    opened.paths,
  );
  const { validTo } = new X509Certificate(pem);
  const until = new Date(validTo).toISOString().slice(0, 10);
  const found = [
    finding("tls", "good", `the certificate lasts until ${until}`),
  ];
  const mode = Deno.statSync(keyPath).mode ?? 0;
  if ((mode & 0o077) !== 0) {
    found.push(finding(
      "tls",
      "warning",
      `${keyPath} can be read by more than its owner`,
      `chmod 600 ${keyPath}`,
    ));
  }
  if (!isOfAuthority(pem)) {
    const better = foundCertificate(server.hostname, server.local_domains[0]!);
    found.push(finding(
      "tls",
      "hint",
      "the certificate is signed by itself: mail programs ask before they " +
        "trust it, and MTA-STS needs another",
      better === null
        ? `get one for ${server.hostname} (certbot, acme.sh), and name its ` +
          `files in [tls] of ${configPath}`
        : `there is one: [tls] mode = "files", certificate = ` +
          `"${better.certificate}", key = "${better.key}" in ${configPath}`,
    ));
  } else if (pem.split("-----BEGIN CERTIFICATE-----").length < 3) {
    found.push(finding(
      "tls",
      "warning",
      `${certPath} has no chain: many programs will not trust it`,
      "name the file with the chain, such as fullchain.pem",
    ));
  }
  return found;
}

function serviceFindings(inputs: LocalInputs): Finding[] {
  const { opened, configPath } = inputs;
  const found: Finding[] = [];
  const status = readStatus(opened.paths.runDir);
  if (status !== undefined && status.version !== VERSION) {
    found.push(finding(
      "service",
      "warning",
      `version ${status.version} is running, and this is ${VERSION}`,
      "restart the server",
    ));
  }
  let all: readonly Made[];
  try {
    all = Manifest.read(manifestPathOf(configPath)).all;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return [...found, finding("service", "warning", error.message)];
  }
  const service = all.find((one) => one.kind === "service");
  if (status === undefined && service?.kind === "service") {
    found.push(finding(
      "service",
      "wrong",
      "the server does not run: no mail comes or goes",
      startCommand(service.how, inputs),
    ));
  }
  if (!isRoot()) return found;
  if (
    service?.kind === "service" && service.how === "systemd" &&
    !succeeds("systemctl", "is-enabled", "bulkhead.service")
  ) {
    found.push(finding(
      "service",
      "warning",
      "the server is not started at boot",
      "systemctl enable bulkhead",
    ));
  }
  const links = all.find((one) => one.kind === "link");
  const foreign = service === undefined ? [] : foreignLinks(
    links?.kind === "link" ? links.to : COMMAND_PATH,
  );
  const lost = links?.kind === "link" && foreign.length === 0
    ? wrongLinks(links.to)
    : [];
  if (lost.length > 0) {
    found.push(finding(
      "service",
      "warning",
      `links to ${COMMAND_PATH} are not there: cron and other programs cannot ` +
        "hand in mail, or not by every name",
      againCommand(inputs),
    ));
  }
  if (foreign.length > 0) {
    found.push(finding(
      "service",
      "hint",
      `${foreign.join(", ")}: another mail server's, and so cron and other ` +
        "programs hand their mail to that",
      `${againCommand(inputs)} --links`,
    ));
  }
  return found;
}

function startCommand(
  how: (Made & { kind: "service" })["how"],
  inputs: LocalInputs,
): string {
  switch (how) {
    case "systemd":
      return "systemctl start bulkhead";
    case "openrc":
      return "rc-service bulkhead start";
    case "none":
      return againCommand(inputs);
  }
}

function againCommand({ opened, configPath }: LocalInputs): string {
  const [domain] = opened.config.server.local_domains;
  return upAgain(ownProgram(isRoot()).command, {
    domain: domain ?? "DOMAIN",
    configPath,
  });
}

/** What can be said without another clock to compare with. */
function clockFindings({ opened }: LocalInputs): Finding[] {
  const { mtime } = Deno.statSync(opened.paths.usersFile);
  if (mtime !== null && mtime.getTime() > Date.now() + MINUTE_MS) {
    return [finding(
      "clock",
      "wrong",
      `the clock stands before ${mtime.toISOString()}, when ` +
        `${opened.paths.usersFile} was written`,
      "set it, and keep it right by systemd-timesyncd or chrony",
    )];
  }
  const state = clockState(openLibc(opened.plan.site.libc));
  switch (state.kind) {
    case "kept":
      return [finding(
        "clock",
        "good",
        `a program keeps the clock: right to within ${state.withinMs} ms, it ` +
          "says",
      )];
    case "not kept":
      return [finding(
        "clock",
        "hint",
        "the kernel knows of no program that keeps the clock right",
        "systemd-timesyncd, chrony (with rtcsync) or ntpd does",
      )];
    case "unknown":
      return [];
  }
}

function mib(octets: number): string {
  return `${Math.floor(octets / 1_048_576)} MiB`;
}
