/** What `up` is to reach, from its command line and from the machine. */
import { hostname as hostnameOfMachine } from "node:os";
import { resolve as absolute } from "node:path";
import { domainToASCII } from "node:url";
import { foldAscii, isDomainName } from "../../config/names.ts";
import { renderConfig } from "../../config/render.ts";
import type { Mailbox } from "../../core/shapes.ts";
import { checkCertificate } from "../certificate.ts";
import { parseMailbox } from "../../login/mailbox_name.ts";
import { DEFAULT_CONFIG } from "../commands/topic.ts";
import { manifestPathOf } from "./manifest.ts";

/** Options of `bulkhead up`. */
export interface UpOptions {
  readonly user: readonly string[];
  readonly hostname?: string;
  readonly home?: string;
  readonly config?: string;
  readonly passwordFile?: string;
  readonly cert?: string;
  readonly key?: string;
  /** First of four loopback ports; the usual ones if not given. */
  readonly ports?: number;
  /** Public addresses, where the machine does not know them. */
  readonly address: readonly string[];
  /** Whose port 25 is tried. */
  readonly reach: string;
  readonly links: boolean;
  readonly dryRun: boolean;
  readonly offline: boolean;
  readonly json: boolean;
}

/** Where a server lies that `up` made. */
export interface Places {
  readonly configPath: string;
  /** For a new configuration. */
  readonly home: string;
  readonly manifestPath: string;
}

/** A certificate's files. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** What is to be reached. */
export interface Target extends Places {
  readonly domain: string;
  readonly hostname: string;
  readonly users: readonly Mailbox[];
  /** Null: one that is made. */
  readonly certificate: CertificateFiles | null;
}

/** Where all lies for this user: the machine's places for root. */
export function placesFor(
  options: { readonly home?: string; readonly config?: string },
  machine: { readonly isRoot: boolean; readonly userHome: string },
): Places {
  const home = absolute(
    options.home ??
      (machine.isRoot
        ? "/var/lib/bulkhead"
        : `${machine.userHome}/.local/share/bulkhead`),
  );
  const configPath = absolute(
    options.config ??
      (machine.isRoot ? DEFAULT_CONFIG : `${home}/bulkhead.toml`),
  );
  return { configPath, home, manifestPath: manifestPathOf(configPath) };
}

/** The target, or what is wrong with the command line. */
export function targetOf(
  asked: string,
  options: UpOptions,
  machine: { readonly isRoot: boolean; readonly userHome: string },
): { ok: true; target: Target } | { ok: false; fault: string } {
  const domain = foldAscii(asked);
  if (!isDomainName(domain)) {
    const meant = domainMeant(asked);
    return no(
      `${JSON.stringify(asked)} is not a domain such as home.test` +
        (meant === undefined ? "" : `: is ${meant} meant?`),
    );
  }
  const hostname = foldAscii(
    options.hostname ?? hostnameFor(domain, hostnameOfMachine()),
  );
  if (!isDomainName(hostname) || !hostname.includes(".")) {
    return no(
      `${JSON.stringify(hostname)} is not a host's name such as mx.home.test`,
    );
  }
  const users: Mailbox[] = [];
  for (const one of options.user) {
    const user = parseMailbox(one.includes("@") ? one : `${one}@${domain}`);
    if (user === undefined) {
      return no(
        `${
          JSON.stringify(one)
        } cannot be a mailbox: use a-z, 0-9, . _ - and a letter or ` +
          "digit first",
      );
    }
    users.push(user);
  }
  if ((options.cert === undefined) !== (options.key === undefined)) {
    return no("--cert and --key belong together");
  }
  const certificate = options.cert === undefined
    ? foundCertificate(hostname, domain)
    : { certificate: absolute(options.cert), key: absolute(options.key!) };
  const places = placesFor(options, machine);
  return {
    ok: true,
    target: { ...places, domain, hostname, users, certificate },
  };
}

/**
 * The domain in what people write for one: an address, a URL, a name with a
 * dot at its end, or letters that the DNS has as A-labels (RFC 5890).
 */
export function domainMeant(asked: string): string | undefined {
  const text = asked.trim();
  const url = text.indexOf("://");
  const [host] = (url < 0 ? text : text.slice(url + 3)).split("/");
  const name = host!.slice(host!.lastIndexOf("@") + 1).replace(/\.$/, "");
  const ascii = domainToASCII(name);
  return isDomainName(ascii) && ascii.includes(".") ? ascii : undefined;
}

function no(fault: string): { ok: false; fault: string } {
  return { ok: false, fault };
}

/** The machine's own name if it is in the domain; else the usual one. */
export function hostnameFor(domain: string, machine: string): string {
  const folded = foldAscii(machine);
  return folded.endsWith(`.${domain}`) ? folded : `mx.${domain}`;
}

/** Where certbot(1) keeps what it got. */
const LIVE = "/etc/letsencrypt/live";

/** A certificate for this host that the machine has already, without a fault. */
export function foundCertificate(
  hostname: string,
  domain: string,
  live = LIVE,
): CertificateFiles | null {
  for (const name of [hostname, domain]) {
    const files = {
      certificate: `${live}/${name}/fullchain.pem`,
      key: `${live}/${name}/privkey.pem`,
    };
    try {
      const findings = checkCertificate(
        Deno.readTextFileSync(files.certificate),
        Deno.readTextFileSync(files.key),
        Date.now(),
        hostname,
      );
      if (findings.length === 0) return files;
    } catch {
      // Not there, or not for us to read.
    }
  }
  return null;
}

/** The text of a new configuration. */
export function configFor(
  target: Target,
  { ports, hasIpv6 }: { ports: number | null; hasIpv6: boolean },
): string {
  const [first] = target.users;
  const listen = (usual: number, offset: number) =>
    ports !== null
      ? [`127.0.0.1:${ports + offset}`]
      : [`0.0.0.0:${usual}`, ...hasIpv6 ? [`[::]:${usual}`] : []];
  return renderConfig({
    server: {
      hostname: target.hostname,
      local_domains: [target.domain],
      home: target.home,
      ...first ? { postmaster: `${first.user}@${first.domain}` } : {},
    },
    smtp: { listen: listen(25, 0) },
    submission: { listen: listen(587, 1), tls_listen: listen(465, 2) },
    ...target.certificate === null
      ? {}
      : { tls: { mode: "files", ...target.certificate } },
    console: { listen: `127.0.0.1:${ports === null ? 2528 : ports + 3}` },
  });
}
