import assert from "node:assert/strict";
import {
  type DataMode,
  type DeviceFacts,
  type FileSystemFacts,
  guaranteeOf,
  type InPlace,
  journalBytesOf,
  worthOf,
} from "./file_system.ts";

const DRIVE: DeviceFacts = {
  isRotational: true,
  canDiscard: false,
  backingFile: null,
  isMapped: false,
};

function place(facts: Partial<FileSystemFacts>): FileSystemFacts {
  return {
    mountPoint: "/m",
    kind: "ext4",
    source: "/dev/sda1",
    options: new Map(),
    dataMode: null,
    isNoCow: null,
    isShared: null,
    device: DRIVE,
    ...facts,
  };
}

const WORTHS: {
  name: string;
  facts: Partial<FileSystemFacts>;
  want: InPlace;
  journal?: true;
  says: string;
}[] = [
  {
    name: "ext4, data=ordered",
    facts: { dataMode: "ordered" },
    want: "yes",
    says: "overwrite in place",
  },
  {
    name: "ext4, data=writeback",
    facts: { dataMode: "writeback" },
    want: "yes",
    says: "overwrite in place",
  },
  {
    name: "ext4 without a journal",
    facts: { dataMode: "none" },
    want: "yes",
    says: "overwrite in place",
  },
  {
    name: "ext4, data=journal",
    facts: { dataMode: "journal" },
    want: "yes",
    journal: true,
    says: "journal first",
  },
  {
    name: "ext4 in an unknown mode",
    facts: { dataMode: "unknown" },
    want: "unknown",
    says: "could not be found out",
  },
  {
    name: "xfs",
    facts: { kind: "xfs" },
    want: "yes",
    says: "unless blocks are shared",
  },
  {
    name: "xfs with shared blocks",
    facts: { kind: "xfs", isShared: true },
    want: "no",
    says: "shared with a copy",
  },
  {
    name: "btrfs",
    facts: { kind: "btrfs", isNoCow: false },
    want: "no",
    says: "erases nothing",
  },
  {
    name: "btrfs of which nothing is known",
    facts: { kind: "btrfs" },
    want: "unknown",
    says: "could not be found out",
  },
  {
    name: "btrfs with the attribute C",
    facts: { kind: "btrfs", isNoCow: true, isShared: false },
    want: "yes",
    says: "no snapshot",
  },
  {
    name: "btrfs with the attribute C, in a snapshot",
    facts: { kind: "btrfs", isNoCow: true, isShared: true },
    want: "no",
    says: "snapshot",
  },
  { name: "zfs", facts: { kind: "zfs" }, want: "no", says: "copy on write" },
  { name: "f2fs", facts: { kind: "f2fs" }, want: "no", says: "log" },
  {
    name: "an overlay",
    facts: { kind: "overlay" },
    want: "unknown",
    says: "upper file system",
  },
  { name: "tmpfs", facts: { kind: "tmpfs" }, want: "yes", says: "swap" },
  {
    name: "NFS",
    facts: { kind: "nfs4" },
    want: "unknown",
    says: "another machine",
  },
  {
    name: "what nobody knows",
    facts: { kind: "newfs" },
    want: "unknown",
    says: "newfs",
  },
];

for (const { name, facts, want, journal, says } of WORTHS) {
  Deno.test(`worthOf() judges ${name}`, () => {
    const worth = worthOf(place(facts));
    assert.equal(worth.overwritesInPlace, want);
    assert.equal(worth.journalKeepsCopies, journal ?? false);
    assert.ok(worth.sentence.includes(says), worth.sentence);
    assert.equal(worth.sentence.split(". ").length, 1, "one sentence");
    assert.ok(worth.sentence.endsWith("."));
  });
}

const DEVICES: { name: string; device: Partial<DeviceFacts>; says: string }[] =
  [
    { name: "a flash drive", device: { isRotational: false }, says: "flash" },
    { name: "a loop", device: { backingFile: "/x.img" }, says: "(loop)" },
    { name: "a mapped device", device: { isMapped: true }, says: "thin pool" },
    { name: "a drive", device: {}, says: "put aside" },
  ];

for (const { name, device, says } of DEVICES) {
  Deno.test(`worthOf() says what ${name} may keep`, () => {
    const { sentence } = worthOf(
      place({ dataMode: "ordered", device: { ...DRIVE, ...device } }),
    );
    assert.ok(sentence.includes(says), sentence);
  });
}

Deno.test("guaranteeOf() promises only what the keys' place allows", () => {
  const ordered = worthOf(place({ dataMode: "ordered" }));
  const journal = worthOf(place({ dataMode: "journal" }));
  const btrfs = worthOf(place({ kind: "btrfs", isNoCow: false }));
  const overlay = worthOf(place({ kind: "overlay" }));
  assert.match(
    guaranteeOf(ordered, ordered, true),
    /ciphertext is overwritten/,
  );
  assert.match(guaranteeOf(ordered, btrfs, false), /ciphertext may stay/);
  assert.match(guaranteeOf(journal, journal, true), /does by the way/);
  assert.match(guaranteeOf(journal, ordered, false), /nothing hastens/);
  assert.match(
    guaranteeOf(btrfs, ordered, false),
    /^Nothing is guaranteed.*keeps/,
  );
  assert.match(guaranteeOf(overlay, ordered, false), /^Nothing is .* may keep/);
});

// Journals that mke2fs 1.47.0 made, with what statfs(2) said; the last is by
// its table.
const JOURNALS: { blocks: number; blockBytes: number; made: number }[] = [
  { blocks: 21_623, blockBytes: 1_024, made: 1_024 * 1_024 },
  { blocks: 235_431, blockBytes: 1_024, made: 8_192 * 1_024 },
  { blocks: 296_847, blockBytes: 1_024, made: 8_192 * 1_024 },
  { blocks: 2_554_693, blockBytes: 4_096, made: 16_384 * 4_096 },
  { blocks: 100_000_000, blockBytes: 4_096, made: 262_144 * 4_096 },
];

for (const { blocks, blockBytes, made } of JOURNALS) {
  Deno.test(`journalBytesOf() covers a journal of ${made} octets in ${blocks} blocks`, () => {
    const bytes = journalBytesOf("journal", { blocks, blockBytes });
    assert.ok(bytes >= made, `${bytes}`);
    assert.ok(bytes <= 2 ** 30 && bytes <= 5 * made, `${bytes}`);
  });
}

Deno.test("journalBytesOf() is 0 where contents are not journalled", () => {
  const size = { blocks: 300_000, blockBytes: 4_096 };
  const modes: (DataMode | null)[] = ["ordered", "writeback", "none", null];
  for (const mode of modes) assert.equal(journalBytesOf(mode, size), 0);
  // In doubt it costs a write.
  assert.ok(journalBytesOf("unknown", size) > 0);
});
