import assert from "node:assert/strict";
import { mountOf, parseMounts } from "./mount_table.ts";

// Recorded on Linux 6.18; `/srv/a b` is a bind mount of a directory.
const RECORDED = `22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:1 / / rw,relatime - ext4 /dev/vda rw,discard,resuid=65534
52 27 7:4 / /mnt/ordered rw,relatime shared:1 master:2 - ext4 /dev/loop4 rw
53 27 7:5 / /mnt/journal rw,noatime - ext4 /dev/loop5 rw,nodelalloc,data=journal
54 27 7:6 / /mnt/xfs rw,relatime - xfs /dev/loop6 rw,inode64,noquota
56 27 0:44 / /mnt/btrfs rw,relatime - btrfs /dev/loop7 rw,discard=async,subvol=/
55 27 7:4 /a\\040b /srv/a\\040b rw,relatime - ext4 /dev/loop4 rw
60 27 0:50 / /merged rw - overlay overlay rw,lowerdir=/l,upperdir=/u
`;

const MOUNTS = parseMounts(RECORDED);

Deno.test("parseMounts() reads every field of a line", () => {
  const { options, ...journal } = MOUNTS.find((one) =>
    one.mountPoint === "/mnt/journal"
  )!;
  assert.deepEqual(journal, {
    device: "7:5",
    root: "/",
    mountPoint: "/mnt/journal",
    kind: "ext4",
    source: "/dev/loop5",
  });
  assert.deepEqual([...options], [
    ["rw", ""],
    ["noatime", ""],
    ["nodelalloc", ""],
    ["data", "journal"],
  ]);
});

Deno.test("parseMounts() skips any number of tags before the hyphen", () => {
  assert.equal(
    MOUNTS.find((one) => one.mountPoint === "/mnt/ordered")!.kind,
    "ext4",
  );
});

const NAMES: { name: string; line: string; point: string }[] = [
  { name: "a blank", line: "/a\\040b", point: "/a b" },
  { name: "a backslash", line: "/a\\134040", point: "/a\\040" },
  { name: "a line feed", line: "/a\\012b", point: "/a\nb" },
  { name: "a tab and a hash", line: "/a\\011\\043", point: "/a\t#" },
  { name: "octets of UTF-8", line: "/\\303\\244ü", point: "/äü" },
  { name: "a stray backslash", line: "/a\\04", point: "/a\\04" },
  { name: "what is no octet", line: "/a\\777", point: "/a\\777" },
];

for (const { name, line, point } of NAMES) {
  Deno.test(`parseMounts() reads a mount point with ${name}`, () => {
    const mounts = parseMounts(`1 0 8:1 / ${line} rw - ext4 /dev/sda1 rw`);
    assert.deepEqual(mounts.map((one) => one.mountPoint), [point]);
  });
}

Deno.test("parseMounts() leaves out lines that make no sense", () => {
  for (
    const line of ["", "garbage", "1 0 8:1 / /x rw", "1 0 8:1 / /x rw - ext4"]
  ) {
    assert.deepEqual(parseMounts(line), [], line);
  }
});

Deno.test("parseMounts() reads a line cut anywhere, or leaves it out", () => {
  const line = "53 27 7:5 / /m rw shared:9 - ext4 /dev/loop5 rw,data=journal";
  for (let cut = 0; cut <= line.length; cut++) {
    for (const { mountPoint } of parseMounts(line.slice(0, cut))) {
      assert.equal(mountPoint, "/m", `cut at ${cut}`);
    }
  }
});

const PLACES: { path: string; device?: string; want: string }[] = [
  { path: "/", want: "/" },
  { path: "/mnt", want: "/" },
  { path: "/mnt/journal", want: "/mnt/journal" },
  { path: "/mnt/journal/x/y", want: "/mnt/journal" },
  // A name that only begins like a mount point.
  { path: "/mnt/journals/x", want: "/" },
  { path: "/srv/a b/x", want: "/srv/a b" },
  { path: "/merged/x", want: "/merged" },
  // btrfs gives its files a number that no mount has.
  { path: "/mnt/btrfs/x", device: "0:43", want: "/mnt/btrfs" },
];

for (const { path, device, want } of PLACES) {
  Deno.test(`mountOf() finds the mount of ${path}`, () => {
    assert.equal(mountOf(MOUNTS, path, device)?.mountPoint, want);
  });
}

Deno.test("mountOf() takes the later of two mounts on one point", () => {
  const mounts = parseMounts(
    "1 0 8:1 / /x rw - ext4 /dev/sda1 rw\n2 1 8:2 / /x rw - xfs /dev/sdb rw",
  );
  assert.equal(mountOf(mounts, "/x/y")?.kind, "xfs");
});

Deno.test("mountOf() is not deceived by a mount that a later one hides", () => {
  const mounts = parseMounts(
    "1 0 8:1 / /x/y rw - ext4 /dev/sda1 rw\n2 0 8:2 / /x rw - xfs /dev/sdb rw",
  );
  assert.equal(mountOf(mounts, "/x/y/z", "8:2")?.kind, "xfs");
});

Deno.test("mountOf() knows nothing where nothing is mounted", () => {
  assert.equal(mountOf([], "/x"), undefined);
});
