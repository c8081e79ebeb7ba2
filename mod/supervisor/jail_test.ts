import assert from "node:assert/strict";
import type { RoleName } from "../ipc/call.ts";
import type { Attempt, HostileAct } from "../walls/drill/deed.ts";
import { openLibc } from "../walls/libc.ts";
import type { Needs } from "../walls/manifest.ts";
import { jailCommand, renderWalls, type Weakened } from "../walls/render.ts";
import { HostileProcess } from "./drill_jail.ts";
import { isRoot } from "./installation.ts";
import { installForTests, type JailFixture } from "./jail_fixture.ts";
import { ROLES } from "./roles.ts";
import { listenTcp, listenUnix } from "./sockets.ts";

function roleNamed(name: RoleName) {
  return ROLES.find((one) => one.name === name)!;
}

/** Tries deeds in a role's jail. */
function tryIn(
  fixture: JailFixture,
  role: RoleName,
  acts: readonly HostileAct[],
  weakened: Weakened,
): Promise<readonly Attempt[]> {
  const jail = {
    ...fixture,
    manifests: ROLES,
    manifest: roleNamed(role),
    weakened,
  };
  const { libc } = fixture.installation;
  return new HostileProcess(jail, { libc, acts, bait: [], stay: false }).end();
}

const openFile = (path: string): HostileAct => ({
  act: path,
  deed: { do: "open", path, write: false },
});

Deno.test("enterJail", async (t) => {
  using fixture = await installForTests();
  const { site, installation, cover } = fixture;
  const libc = openLibc(installation.libc);

  await t.step("takes all privileges away", async () => {
    const manifest = roleNamed("spool");
    const hostile = new HostileProcess(
      { ...fixture, manifests: ROLES, manifest, weakened: {} },
      { libc: installation.libc, acts: [], bait: [], stay: true },
    );
    await hostile.ready();
    const status = Deno.readTextFileSync(`/proc/${hostile.pid}/status`);
    const limits = Deno.readTextFileSync(`/proc/${hostile.pid}/limits`);
    await hostile.end();
    const line = (name: string) =>
      new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status)?.[1];
    assert.equal(line("NoNewPrivs"), "1");
    assert.equal(line("Seccomp"), "2");
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapAmb"]) {
      assert.match(line(set)!, /^0+$/, set);
    }
    assert.match(limits, /Max core file size\s+0\s+0/);
    assert.match(
      limits,
      new RegExp(`Max open files\\s+${manifest.openFiles}\\s`),
    );
    if (!isRoot()) return;
    const { uid, gid } = installation.accounts!.get("spool")!;
    assert.equal(line("Uid"), `${uid}\t${uid}\t${uid}\t${uid}`);
    assert.equal(line("Gid"), `${gid}\t${gid}\t${gid}\t${gid}`);
    assert.equal(
      line("Groups")!.trim(),
      String(installation.groups.get("content")),
    );
    assert.match(line("CapBnd")!, /^0+$/);
  });

  await t.step("keeps only the descriptors of the plan", async () => {
    const kept = listenTcp(libc, "127.0.0.1", 0);
    const secret = listenTcp(libc, "127.0.0.1", 0);
    const role = startListening(fixture, "smtpd", kept);
    assert.equal(await role.says(), "listening");
    const inode = (fd: number) => Deno.readLinkSync(`/proc/self/fd/${fd}`);
    if (isRoot()) {
      const held = [...Deno.readDirSync(`/proc/${role.pid}/fd`)].map((one) =>
        Deno.readLinkSync(`/proc/${role.pid}/fd/${one.name}`)
      );
      assert.ok(held.includes(inode(kept)), held.join());
      assert.ok(!held.includes(inode(secret)), held.join());
    }
    await role.end();
    libc.close(kept);
    libc.close(secret);
  });

  // smtpc is the role with TCP whose descriptors the filter guards.
  await t.step("lets smtpc serve and close an edge", async () => {
    const path = `${site.runDir}/test.sock`;
    const fd = listenUnix(libc, path, { gid: null, mode: 0o600 });
    const role = startListening(fixture, "smtpc", fd);
    assert.equal(await role.says(), "listening");
    const client = await Deno.connect({ transport: "unix", path });
    assert.equal(await new Response(client.readable).text(), "hello");
    await role.writer.write(new Uint8Array(1));
    assert.equal(await role.says(), "closed");
    assert.equal((await role.end()).code, 0);
    libc.close(fd);
    Deno.removeSync(path);
  });

  await t.step("keeps Landlock up when Deno checks nothing", async () => {
    const [own, foreign] = await tryIn(fixture, "maildir", [
      openFile(`${site.mailDir}/.sync`),
      openFile("/etc/passwd"),
    ], { denoOff: true });
    assert.equal(own!.error, "");
    assert.equal(foreign!.error, "EACCES");
  });

  await t.step("hides what lies beside a home behind a veil", async () => {
    const acts = [
      openFile(`${site.mailDir}/.sync`),
      openFile(`${cover}/beside`),
      { act: "create", deed: { do: "create", path: `${cover}/new` } } as const,
    ];
    // Only the user and the veil: else Landlock would speak first.
    const [own, beside, create] = await tryIn(fixture, "maildir", acts, {
      denoOff: true,
      landlockOff: true,
      seccompOff: true,
    });
    assert.equal(own!.error, "");
    if (isRoot()) {
      assert.equal(installation.veil?.cover, cover);
      assert.equal(beside!.error, "ENOENT");
      assert.match(create!.error, /^(EROFS|EACCES|.*os error 30)/);
    } else assert.equal(installation.veil, null);
    assert.equal((Deno.statSync(cover).mode ?? 0) & 0o777, 0o700);
    assert.ok(Deno.statSync(`${cover}/beside`).isFile);
  });

  await t.step("does not start a role whose path is not there", async () => {
    const manifest = {
      ...roleNamed("dns"),
      needs: (): Needs => ({ read: ["/nowhere"], write: [], connect: [] }),
    };
    const hostile = new HostileProcess(
      { ...fixture, manifests: ROLES, manifest, weakened: {} },
      { libc: installation.libc, acts: [], bait: [], stay: true },
    );
    await assert.rejects(hostile.ready(), /open \/nowhere: ENOENT/);
  });
});

/** Starts a program in a role's jail that listens on `fd`. */
function startListening(fixture: JailFixture, role: RoleName, fd: number) {
  const { spec } = renderWalls(
    { manifest: roleNamed(role), instance: `${role}.0`, plugs: [], fds: [fd] },
    fixture.site,
    fixture.installation,
    ["listen", String(fd)],
  );
  const { command, args } = jailCommand(fixture.installation, spec);
  const child = new Deno.Command(command, {
    args,
    cwd: "/",
    clearEnv: true,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  return {
    pid: child.pid,
    writer,
    says: async () => (await reader.read()).value?.trim(),
    end: async () => {
      await writer.close();
      await reader.cancel();
      setTimeout(() => {
        try {
          child.kill("SIGTERM");
        } catch {
          // It has ended already.
        }
      }, 300);
      return await child.status;
    },
  };
}
