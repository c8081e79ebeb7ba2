/**
 * Each role's manifest and the walls that it becomes, for `bulkhead roles`
 * and the console. What is told is what is started: both come from
 * `renderWalls()`.
 */
import { type Installation, renderWalls } from "../../walls/render.ts";
import { REFUSED_CALLS } from "../../walls/seccomp.ts";
import type { Facts } from "../../../web/news.ts";
import { edgesOf, instancesOf } from "../roles.ts";
import type { ServerPlan } from "../supervisor.ts";

/** A role as it is started. */
export type DescribedRole = ReturnType<typeof describeRoles>[number];

/** Every role of a plan. */
export function describeRoles(plan: ServerPlan, installation: Installation) {
  const { site, manifests } = plan;
  const edges = edgesOf(manifests, site);
  return manifests.map((manifest) => {
    const plugs = edges.filter((one) => one.answerer === manifest.name);
    const [instance] = instancesOf(manifest, site);
    const { flags, spec } = renderWalls(
      {
        manifest,
        instance: instance!,
        plugs: plugs.map((one) => one.path),
        fds: [],
      },
      site,
      installation,
      ["role", manifest.name],
    );
    return {
      role: manifest.name,
      job: manifest.job,
      trust: manifest.trust,
      instances: instancesOf(manifest, site),
      asks: manifest.asks,
      answers: [...new Set(plugs.map((one) => one.asker))],
      listens: manifest.listens,
      flags,
      command: spec.argv,
      user: spec.user,
      ffi: manifest.ffi?.(site) ?? null,
      heapMb: manifest.heapMb,
      openFiles: spec.openFiles,
      landlock: spec.landlock,
      seccomp: { ...spec.seccomp, refused: REFUSED_CALLS },
    };
  });
}

/** The same for the console, within the bounds of `web/news.ts`. */
export function manifestFacts(
  plan: ServerPlan,
  installation: Installation,
  landlock: string,
): Facts["manifests"] {
  return describeRoles(plan, installation).slice(0, 64).map((role) => {
    const manifest = plan.manifests.find((one) => one.name === role.role)!;
    const needs = manifest.needs(plan.site);
    return {
      name: role.role,
      job: role.job.slice(0, 400),
      trust: role.trust,
      user: userText(role).slice(0, 64),
      asks: role.asks.slice(0, 64),
      answers: role.answers.slice(0, 64),
      listens: role.listens.flatMap((name) => {
        const at = plan.listen.get(name) ?? [];
        return at.map(({ host, port }) => `${name} ${host}:${port}`);
      }).slice(0, 64).map((one) => one.slice(0, 300)),
      reads: bounded(needs.read),
      writes: bounded([...needs.write, ...needs.overwrite ?? []]),
      connects: [
        ...needs.connect.map(({ host, port }) =>
          host === "any-ipv4" ? `any IPv4 address:${port}` : `${host}:${port}`
        ),
        ...needs.connectUnix ?? [],
      ].slice(0, 256).map((one) => one.slice(0, 300)),
      flags: role.flags.slice(0, 256).map((one) => one.slice(0, 4_096)),
      walls: wallsOf(role, landlock).map((one) => one.slice(0, 400)),
    };
  });
}

function bounded(paths: readonly string[]): string[] {
  return paths.slice(0, 64).map((one) => one.slice(0, 4_096));
}

function userText({ user }: DescribedRole): string {
  return user === null
    ? "the starting user (not root)"
    : `uid ${user.uid}, gid ${user.gid}`;
}

/** What holds a role, a sentence each. */
function wallsOf(role: DescribedRole, landlock: string): string[] {
  const { landlock: rules, seccomp, user } = role;
  const sockets = [
    seccomp.unix ? "Unix" : "",
    seccomp.tcp ? "TCP" : "",
    seccomp.udp ? "UDP" : "",
  ].filter((one) => one !== "");
  return [
    role.flags.length === 0
      ? "Deno: no permission at all"
      : `Deno: ${role.flags.length} permission flags, each a list`,
    user === null
      ? "User: none of its own, because the server was not started as root"
      : "User: one of its own, no capabilities" +
        (user.groups.length > 0 ? `, groups ${user.groups.join(" ")}` : ""),
    `Landlock (${landlock}): reads ${rules?.read.length ?? 0} paths, writes ` +
    `${(rules?.write.length ?? 0) + (rules?.overwrite.length ?? 0)}, ` +
    (rules === null || rules.connectPorts.length === 0
      ? "connects to no port"
      : `connects to port ${rules.connectPorts.join(", ")}`),
    `seccomp: ${REFUSED_CALLS.length} system calls refused, executes nothing, ` +
    `opens ${sockets.length === 0 ? "no" : sockets.join(" and ")} sockets`,
    `Limits: ${role.heapMb} MiB heap, ${role.openFiles} open files`,
    ...role.ffi === null ? [] : [`Native code: ${role.ffi.why}`],
  ];
}
