/**
 * A second opinion on the DANE laboratory's domains: Postfix's posttls-finger
 * over unbound, with a resolv.conf of its own in a mount namespace.
 */
import { IS_ROOT, run } from "../system/server_fixture.ts";
import type { Lab } from "./dane_lab_fixture.ts";
import { areInstalled } from "./peers.ts";

const UNBOUND = "/usr/sbin/unbound";
const FINGER = "/usr/sbin/posttls-finger";
const LISTENS = "127.66.0.3";

/** What posttls-finger comes to. */
export interface Opinion {
  readonly verdict: "verified" | "encrypted" | "fails";
  readonly words: string;
}

/** True if it can be asked; says why not. */
export function canFinger(): boolean {
  if (!areInstalled("posttls-finger", FINGER, UNBOUND)) return false;
  if (!IS_ROOT) console.log("posttls-finger: skipped, wants root");
  return IS_ROOT;
}

/** Runs unbound over the laboratory's name server while `use` asks. */
export async function withFinger(
  lab: Lab,
  use: (ask: (domain: string) => Promise<Opinion>) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "bulkhead-finger-" });
  await Deno.writeTextFile(`${dir}/unbound.conf`, conf(dir, lab));
  await Deno.writeTextFile(
    `${dir}/resolv.conf`,
    `nameserver ${LISTENS}\noptions edns0 trust-ad\n`,
  );
  const unbound = new Deno.Command(UNBOUND, {
    args: ["-d", "-p", "-c", `${dir}/unbound.conf`],
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    await listening();
    await use((domain) => opinion(dir, `${domain}:${lab.port}`));
  } finally {
    unbound.kill("SIGTERM");
    await unbound.status;
    await Deno.remove(dir, { recursive: true });
  }
}

async function opinion(dir: string, destination: string): Promise<Opinion> {
  const { out, errors } = await run("unshare", [
    "--mount",
    "sh",
    "-c",
    'mount --bind "$1/resolv.conf" /etc/resolv.conf && ' +
    `exec ${FINGER} -c -l dane -t 5 -T 5 -L summary "$2"`,
    "sh",
    dir,
    destination,
  ], { withinMs: 20_000 });
  const words = out + errors;
  // After a mismatch it goes on, for it sends nothing; Postfix would not.
  const verdict = /: Verified TLS connection established/.test(words)
    ? "verified"
    : /: (server|CA|TA) certificate verification failed|not designated for use/
        .test(words)
    ? "fails"
    : /: (Untrusted|Trusted|Anonymous) TLS connection established/.test(words)
    ? "encrypted"
    : "fails";
  return { verdict, words };
}

function conf(dir: string, lab: Lab): string {
  return `server:
  directory: "${dir}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  logfile: "${dir}/log"
  interface: ${LISTENS}
  port: 53
  access-control: 127.0.0.0/8 allow
  do-ip6: no
  num-threads: 1
  do-not-query-localhost: no
  module-config: "validator iterator"
  trust-anchor: "${lab.anchor}"
  trust-anchor-signaling: no
  qname-minimisation: no
  harden-referral-path: no
  target-fetch-policy: "0 0 0 0 0"
  local-zone: "test." nodefault
forward-zone:
  name: "."
  forward-addr: ${lab.nameserver}@${lab.nsd}
remote-control:
  control-enable: no
`;
}

async function listening(): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    try {
      (await Deno.connect({ hostname: LISTENS, port: 53 })).close();
      return;
    } catch {
      await new Promise((done) => setTimeout(done, 20));
    }
  }
  throw new Error("Cannot reach unbound");
}
