/**
 * A machine for tests that change one: namespaces of its own for mounts,
 * network and processes; /etc, /usr and /var are overlays that vanish with
 * it. What ends it ends every process in it.
 */
import assert from "node:assert/strict";
import { BULKHEAD, delay, IS_ROOT, type Ran, run } from "./server_fixture.ts";

/** Public addresses that it has. */
export const ADDRESSES = ["198.51.100.7", "2001:db8:5::7"] as const;

const SETUP = `set -e
ip link set lo up
ip addr add ${ADDRESSES[0]}/32 dev lo
ip addr add ${ADDRESSES[1]}/128 dev lo nodad 2>/dev/null || true
mount -t tmpfs none /mnt
for dir in etc usr var; do
  mkdir -p /mnt/$dir/upper /mnt/$dir/work
  mount -t overlay none -o \\
    lowerdir=/$dir,upperdir=/mnt/$dir/upper,workdir=/mnt/$dir/work /$dir
done
mount -t tmpfs none /run
echo nameserver 127.0.0.1 >/mnt/resolv.conf
[ -e /etc/resolv.conf ] && mount --bind /mnt/resolv.conf /etc/resolv.conf
rm -f /usr/sbin/sendmail /usr/lib/sendmail /usr/bin/mailq /usr/bin/newaliases
rm -rf /var/lib/bulkhead /etc/bulkhead /usr/local/bin/bulkhead
mkdir /mnt/bin
touch /mnt/ready
# The first process takes in what others leave behind.
while :; do sleep 1000 & wait; done
`;

/** True where such a machine can be had. */
export const CAN_MAKE_MACHINES = IS_ROOT && await canOverlay();

async function canOverlay(): Promise<boolean> {
  try {
    const { code } = await run("unshare", [
      ...["-mnpf", "--mount-proc", "/bin/sh", "-ec"],
      "mount -t tmpfs none /mnt; mkdir /mnt/u /mnt/w; mount -t overlay none " +
      "-o lowerdir=/etc,upperdir=/mnt/u,workdir=/mnt/w /etc; ip link set lo up",
    ]);
    return code === 0;
  } catch {
    return false;
  }
}

/** One machine. */
export class TestMachine {
  readonly #child: Deno.ChildProcess;
  readonly #pid: number;

  private constructor(child: Deno.ChildProcess, pid: number) {
    this.#child = child;
    this.#pid = pid;
  }

  /** Makes it. */
  static async make(): Promise<TestMachine> {
    const child = new Deno.Command("unshare", {
      args: [
        ...["-mnpf", "--mount-proc", "--kill-child", "--propagation"],
        ...["private", "/bin/sh", "-c", SETUP],
      ],
      stdin: "null",
    }).spawn();
    const until = Date.now() + 10_000;
    for (;;) {
      const pid = firstChild(child.pid);
      if (pid !== undefined && isReady(pid)) {
        return new TestMachine(child, pid);
      }
      assert.ok(Date.now() < until, "the machine is made");
      await delay(20);
    }
  }

  /** Runs a shell script on it; `bulkhead` is this checkout's. */
  sh(script: string, withinMs = 60_000): Promise<Ran> {
    const prelude = "export HOME=/root NO_COLOR=1 " +
      "PATH=/mnt/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n" +
      `bulkhead() { ${BULKHEAD.map((one) => `'${one}'`).join(" ")} "$@"; }\n`;
    return run("nsenter", [
      ...["-t", String(this.#pid), "-m", "-n", "-p"],
      ...["/bin/sh", "-c", prelude + script],
    ], { withinMs });
  }

  /** Runs one that must succeed; what it printed. */
  async good(script: string): Promise<string> {
    const { code, out, errors } = await this.sh(script);
    assert.equal(code, 0, `${script}: ${out}${errors}`);
    return out;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }
}

function firstChild(pid: number): number | undefined {
  try {
    const path = `/proc/${pid}/task/${pid}/children`;
    const [first] = Deno.readTextFileSync(path).trim().split(" ");
    return first ? Number(first) : undefined;
  } catch {
    return undefined;
  }
}

function isReady(pid: number): boolean {
  try {
    return Deno.statSync(`/proc/${pid}/root/mnt/ready`).isFile;
  } catch {
    return false;
  }
}
