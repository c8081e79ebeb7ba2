/**
 * Writes `docs/rights.md` from the manifests, for a home in its usual place.
 * A test says when it is behind.
 */
import { pathsOf } from "../mod/supervisor/plan.ts";
import { edgesOf, ROLES } from "../mod/supervisor/roles.ts";
import type { Needs, RoleManifest, Site } from "../mod/walls/manifest.ts";
import { formatted } from "./formatted.ts";

/** Where the page lies. */
export const RIGHTS_PAGE = new URL("../docs/rights.md", import.meta.url);

const HOME = "/var/lib/bulkhead";

/** A machine with IPv6, one route, and no name server of its own. */
const SITE: Site = {
  ...pathsOf(HOME),
  runDir: `${HOME}/run`,
  nextHops: [],
  nextHopSockets: [],
  sources: [],
  outboundPort: 25,
  mtaSts: true,
  stsPort: 443,
  nameservers: [],
  dnsPort: 53,
  dnsRecurses: true,
  ipv6: true,
  smtpdProcesses: 1,
  libc: "libc",
};

const HEAD = `# Every role's rights

Made from the manifests (\`mod/<role>/role.ts\`), for a home in ${HOME} without
routes. \`bulkhead roles\` prints what it is on a machine, with the flags and the
kernel's rules. Trust is from 0, whom strangers talk to, upwards.

| role | trust | reads | writes | connects to | listens | asks | is asked by | native code |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
`;

/** The page. */
export function rightsPage(): string {
  return HEAD + ROLES.map(row).join("");
}

function row(role: RoleManifest): string {
  const needs = role.needs(SITE);
  const askers = edgesOf(ROLES, SITE).filter((edge) =>
    edge.answerer === role.name
  ).map((edge) => edge.asker);
  const cells = [
    `**${role.name}**`,
    String(role.trust),
    paths(needs.read),
    paths([...needs.write, ...needs.overwrite ?? []]),
    connections(needs),
    role.listens.join(", "),
    role.asks.join(", "),
    [...new Set(askers)].join(", "),
    role.ffi === undefined ? "" : "libc",
  ];
  return `| ${cells.map((cell) => cell || "–").join(" | ")} |\n`;
}

function paths(all: readonly string[]): string {
  return [...new Set(all)].map((path) => path.replace(`${HOME}/`, ""))
    .join(", ");
}

function connections({ connect, kernelConnect = [] }: Needs): string {
  return [
    ...connect.map(({ host, port }) =>
      `${host === "any-ipv4" ? "any" : host}:${port}`
    ),
    ...kernelConnect.map((port) => `any:${port}`),
  ].filter((one, at, all) => all.indexOf(one) === at).join(", ");
}

if (import.meta.main) {
  Deno.writeTextFileSync(RIGHTS_PAGE, await formatted(rightsPage()));
}
