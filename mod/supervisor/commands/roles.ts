/** `bulkhead roles`: every manifest, and the exact walls that it became. */
import { describeAbi, landlockAbi } from "../../walls/landlock.ts";
import { openLibc } from "../../walls/libc.ts";
import { REFUSED_CALLS } from "../../walls/seccomp.ts";
import { install, isRoot } from "../installation.ts";
import { type DescribedRole, describeRoles } from "../facts/manifests.ts";
import { openSite } from "../site_io.ts";
import { EXIT, failToOpen, print } from "./exit.ts";

/** Prints every role as `serve` would start it now. */
export async function roles(
  configPath: string,
  json: boolean,
  programs: ReadonlyMap<string, string>,
): Promise<number> {
  const opening = openSite(configPath);
  if (!opening.ok) return failToOpen(opening);
  const { opened } = opening;
  const installation = await install(
    opened.paths.home,
    programs,
    opened.accounts,
  );
  const described = describeRoles(opened.plan, installation);
  const abi = describeAbi(landlockAbi(openLibc(installation.libc)));
  print(json, {
    landlock: abi,
    users: isRoot() ? "one a role" : "one for all roles: not started as root",
    roles: described,
  }, () => text(described, abi));
  return EXIT.ok;
}

function text(described: readonly DescribedRole[], abi: string): string {
  const lines = [`Landlock ${abi}`];
  for (const role of described) {
    const user = role.user
      ? `uid ${role.user.uid}, gid ${role.user.gid}` +
        (role.user.groups.length > 0
          ? `, groups ${role.user.groups.join(" ")}`
          : "")
      : "the starting user (not root)";
    lines.push(
      "",
      `${role.role}: ${role.job}`,
      `  processes  ${role.instances.join(" ")}`,
      `  user       ${user}`,
      `  asks       ${role.asks.join(" ") || "nobody"}`,
      `  answers    ${role.answers.join(" ") || "nobody"}`,
      `  listens    ${role.listens.join(" ") || "nowhere"}`,
      `  limits     ${role.heapMb} MiB heap, ${role.openFiles} open files`,
      `  flags      ${role.flags.join("\n             ") || "none at all"}`,
      `  command    ${role.command.join(" ")}`,
    );
    if (role.ffi) lines.push(`  native     ${role.ffi.why}`);
    lines.push(
      `  landlock   read ${role.landlock?.read.join(" ")}`,
      `             write ${role.landlock?.write.join(" ") || "nothing"}`,
      `             connect to port ${
        role.landlock?.connectPorts.join(" ") || "none"
      }`,
      `  seccomp    ${REFUSED_CALLS.length} calls refused; sockets: ${
        [
          role.seccomp.unix ? "unix" : "",
          role.seccomp.tcp ? "tcp" : "",
          role.seccomp.udp ? "udp" : "",
        ].filter((one) => one !== "").join(" ") || "none"
      }; executes nothing`,
    );
  }
  return lines.join("\n");
}
