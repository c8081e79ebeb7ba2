import assert from "node:assert/strict";
import type { RoleName } from "../ipc/call.ts";
import type { Act } from "../walls/drill/act.ts";
import { LEAST_ACTS } from "../walls/drill/acts.ts";
import type { Needs, RoleManifest } from "../walls/manifest.ts";
import { drillReport, runDrill } from "./drill.ts";
import { isRoot } from "./installation.ts";
import { installForTests, type JailFixture } from "./jail_fixture.ts";
import { ROLES } from "./roles.ts";

// What no wall keeps from a role that is the same user as all others.
const WITHOUT_USERS = new Set(["connect to another role's edge"]);

/** The acts that got through, as `role mode act`. */
function through(acts: readonly Act[]): string[] {
  return acts.filter((one) => !one.denied)
    .filter((one) => isRoot() || !WITHOUT_USERS.has(one.act))
    .map((one) => `${one.role} ${one.mode}: ${one.act}`);
}

/** Drills one role with more rights than its manifest has. */
async function drillWith(
  fixture: JailFixture,
  role: RoleName,
  more: {
    needs?: Partial<Needs>;
    groups?: RoleManifest["groups"];
    tcpPort?: number;
  },
): Promise<string[]> {
  const manifests = ROLES.map((one): RoleManifest =>
    one.name !== role ? one : {
      ...one,
      needs: (site) => ({ ...one.needs(site), ...more.needs }),
      groups: more.groups ?? one.groups,
    }
  );
  const { acts } = await runDrill({
    ...fixture,
    manifests,
    roles: [role],
    ...(more.tcpPort === undefined ? {} : { tcpPort: more.tcpPort }),
  });
  return through(acts);
}

Deno.test("runDrill", async (t) => {
  using fixture = await installForTests();
  const { site } = fixture;

  await t.step("sees every act of every real role denied", async () => {
    const { acts } = await runDrill({ ...fixture, manifests: ROLES });
    assert.deepEqual(through(acts), [], drillReport({ acts }));
    for (const { name } of ROLES) {
      for (const mode of ["flags", "kernel"]) {
        const count = acts.filter((one) =>
          one.role === name && one.mode === mode
        ).length;
        assert.ok(count >= LEAST_ACTS, `${name} ${mode}: ${count}`);
      }
    }
    const walls = new Set(acts.map((one) => one.wall));
    for (const wall of ["deno", "uid", "landlock", "seccomp"] as const) {
      assert.ok(walls.has(wall), wall);
    }
  });

  await t.step("leaves nothing behind", () => {
    const left = [
      site.home,
      site.queueDir,
      site.gateDir,
      site.stsDir,
      site.spoolDir,
      site.spentDir,
      site.mailDir,
    ]
      .concat(site.runDir, "/tmp", "/dev/shm")
      .flatMap((dir) =>
        [...Deno.readDirSync(dir)].map((one) => `${dir}/${one.name}`)
      )
      .filter((path) => /\/\.drill-/.test(path));
    assert.deepEqual(left, []);
  });

  await t.step("catches a role that may read the spool", async () => {
    const got = await drillWith(fixture, "resolve", {
      needs: { read: [site.spoolDir] },
      groups: ["content"],
    });
    assert.deepEqual(got, [
      "resolve flags: read a spool segment",
      "resolve flags: list the spool",
      "resolve kernel: read a spool segment",
      "resolve kernel: list the spool",
    ]);
  });

  await t.step("catches a role that may connect to a port", async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    const got = await drillWith(fixture, "smtpd", {
      needs: { connect: [{ host: "127.0.0.1", port }] },
      tcpPort: port,
    });
    assert.deepEqual(got, [
      "smtpd flags: connect to a port on this host",
      // Nobody answers there, so the fetch fails; but no wall denied it.
      "smtpd flags: fetch a page",
      "smtpd kernel: connect to a port on this host",
    ]);
  });

  await t.step("sees the user stop what a manifest allows", async () => {
    const got = await drillWith(fixture, "resolve", {
      needs: { read: [site.queueDir], write: [site.queueDir] },
    });
    if (isRoot()) assert.deepEqual(got, []);
    else {
      assert.ok(got.includes("resolve flags: read the message keys"));
      assert.ok(got.includes("resolve kernel: write the message keys"));
    }
  });

  await t.step("takes a jail that cannot start for not denied", async () => {
    const broken = ROLES.map((one): RoleManifest =>
      one.name !== "dns" ? one : {
        ...one,
        needs: () => ({ read: ["/nowhere"], write: [], connect: [] }),
      }
    );
    const { acts } = await runDrill({
      ...fixture,
      manifests: broken,
      roles: ["dns"],
    });
    const flags = acts.filter((one) => one.mode === "flags");
    assert.ok(flags.length >= LEAST_ACTS);
    assert.ok(flags.every((one) => !one.denied && one.error === "no answer"));
  });
});
