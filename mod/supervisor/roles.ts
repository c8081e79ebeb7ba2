/** Every role's manifest, in the order in which they are started. */
import { consoleRole } from "../../web/role.ts";
import { authRole } from "../auth/role.ts";
import { dialRole } from "../dial/role.ts";
import { dnsRole } from "../dns/role.ts";
import { gateRole } from "../gate/role.ts";
import type { RoleName } from "../ipc/call.ts";
import { maildirRole } from "../maildir/role.ts";
import { queueRole } from "../queue/role.ts";
import { resolveRole } from "../resolve/role.ts";
import { shredRole } from "../shred/role.ts";
import { smtpcRole } from "../smtpc/role.ts";
import { smtpdRole, submissionRole } from "../smtpd/role.ts";
import { spoolRole } from "../spool/role.ts";
import { stsRole } from "../sts/role.ts";
import { pickupRole } from "../submit/role.ts";
import { syncRole } from "../sync/role.ts";
import type { RoleManifest, Site } from "../walls/manifest.ts";

/** The manifests: answerers before askers, the world's door last. */
export const ROLES: readonly RoleManifest[] = [
  dnsRole,
  dialRole,
  stsRole,
  resolveRole,
  syncRole,
  maildirRole,
  smtpcRole,
  shredRole,
  spoolRole,
  queueRole,
  gateRole,
  authRole,
  consoleRole,
  pickupRole,
  submissionRole,
  smtpdRole,
];

/** One edge: who asks whom over which socket. */
export interface EdgePlan {
  readonly asker: RoleName;
  readonly askerInstance: string;
  readonly answerer: RoleName;
  /** Path of the socket that the answerer plugs in to. */
  readonly path: string;
}

/** All instances of a role on a site, such as `smtpd.0`, `smtpd.1`. */
export function instancesOf(manifest: RoleManifest, site: Site): string[] {
  return Array.from(
    { length: manifest.instances(site) },
    (_, n) => `${manifest.name}.${n}`,
  );
}

/** The process graph: one entry an asking instance and answering role. */
export function edgesOf(
  manifests: readonly RoleManifest[],
  site: Site,
): EdgePlan[] {
  return manifests.flatMap((manifest) =>
    instancesOf(manifest, site).flatMap((askerInstance) =>
      manifest.asks.map((answerer) => ({
        asker: manifest.name,
        askerInstance,
        answerer,
        path: `${site.runDir}/${askerInstance}-${answerer}.sock`,
      }))
    )
  );
}
