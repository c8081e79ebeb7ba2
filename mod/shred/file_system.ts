/**
 * What an overwrite in place is worth on each file system, in one table. Pure;
 * `file_system_io.ts` finds the facts.
 *
 * Nothing here promises what nobody can see: a drive moves blocks without
 * telling, and a snapshot below the file system keeps what the file system
 * believes overwritten. The sentences say so.
 */

/** ext4's way with contents; `none` without a journal. */
export type DataMode = "ordered" | "writeback" | "journal" | "none" | "unknown";

/** What is known of the block device. */
export interface DeviceFacts {
  /** Null if there is no one device, or it does not say. */
  readonly isRotational: boolean | null;
  /** It can be told which blocks are free. */
  readonly canDiscard: boolean | null;
  /** The file behind a loop device. */
  readonly backingFile: string | null;
  /** Made by the device mapper: snapshots and thin pools are possible. */
  readonly isMapped: boolean;
}

/** What is known of the place where a file or directory lies. */
export interface FileSystemFacts {
  readonly mountPoint: string;
  readonly kind: string;
  readonly source: string;
  readonly options: ReadonlyMap<string, string>;
  /** Of ext3 and ext4; null elsewhere. */
  readonly dataMode: DataMode | null;
  /** The attribute C of chattr(1) on the file or directory; null: not known. */
  readonly isNoCow: boolean | null;
  /** Blocks are shared with another file or a snapshot; null: not known. */
  readonly isShared: boolean | null;
  readonly device: DeviceFacts;
}

/** Whether new octets replace the old ones on the device. */
export type InPlace = "yes" | "no" | "unknown";

/** What an overwrite is worth. */
export interface Worth {
  readonly overwritesInPlace: InPlace;
  /** A copy of what is written stays in the journal for a while. */
  readonly journalKeepsCopies: boolean;
  /** One sentence for people. */
  readonly sentence: string;
}

interface Row {
  readonly kinds: readonly string[];
  readonly when?: (facts: FileSystemFacts) => boolean;
  readonly inPlace: InPlace;
  readonly journal?: true;
  /** True if blocks of a device hold it: then the device is spoken of, too. */
  readonly onDevice: boolean;
  readonly says: string;
}

const EXT = ["ext2", "ext3", "ext4"];
const isSharedFile = (facts: FileSystemFacts) => facts.isShared === true;

// The first row that fits is the answer.
const ROWS: readonly Row[] = [
  {
    kinds: EXT,
    when: (facts) => facts.dataMode === "journal",
    inPlace: "yes",
    journal: true,
    onDevice: true,
    says: "ext4 with data=journal overwrites in place, but writes every " +
      "octet to its journal first, where old contents and old keys stay " +
      "until later writes have gone round it",
  },
  {
    kinds: EXT,
    when: (facts) => facts.dataMode === "unknown",
    inPlace: "unknown",
    onDevice: true,
    says: "this file system overwrites in place unless it is set to journal " +
      "contents (data=journal), which could not be found out",
  },
  {
    kinds: EXT,
    inPlace: "yes",
    onDevice: true,
    says: "ext4 and its elders overwrite in place and journal no contents in " +
      "this mode, so what was synced has replaced the old octets",
  },
  {
    kinds: ["xfs"],
    when: isSharedFile,
    inPlace: "no",
    onDevice: true,
    says: "blocks of this file are shared with a copy (cp --reflink), so xfs " +
      "writes new octets to other blocks and the old ones stay",
  },
  {
    kinds: ["xfs"],
    inPlace: "yes",
    onDevice: true,
    says: "xfs overwrites in place and journals no contents, unless blocks " +
      "are shared with a copy made by reflink",
  },
  {
    kinds: ["btrfs"],
    when: isSharedFile,
    inPlace: "no",
    onDevice: true,
    says: "blocks of this file are shared with a snapshot or a copy, so " +
      "btrfs writes new octets to other blocks and the old ones stay",
  },
  {
    kinds: ["btrfs"],
    when: (facts) => facts.isNoCow === true,
    inPlace: "yes",
    onDevice: true,
    says: "btrfs overwrites in place here, because copying on write is " +
      "switched off (attribute C), as long as no snapshot is taken of it",
  },
  {
    kinds: ["btrfs"],
    when: (facts) => facts.isNoCow === null,
    inPlace: "unknown",
    onDevice: true,
    says: "btrfs writes new octets to other blocks unless the attribute C is " +
      "set, which could not be found out, so old octets may stay",
  },
  {
    kinds: ["btrfs"],
    inPlace: "no",
    onDevice: true,
    says: "btrfs writes new octets to other blocks (copy on write), so " +
      "overwriting erases nothing and old octets stay until their blocks " +
      "are used again",
  },
  {
    kinds: ["zfs", "bcachefs"],
    inPlace: "no",
    onDevice: false,
    says: "this file system writes new octets to other blocks (copy on " +
      "write), so overwriting erases nothing and old octets stay until " +
      "their blocks are used again, and in every snapshot",
  },
  {
    kinds: ["f2fs", "nilfs2", "jffs2", "ubifs"],
    inPlace: "no",
    onDevice: false,
    says: "this file system writes new octets to the end of a log, so " +
      "overwriting erases nothing and old octets stay until it cleans up",
  },
  {
    kinds: ["overlay"],
    inPlace: "unknown",
    onDevice: false,
    says: "an overlay's upper file system decides what an overwrite is " +
      "worth and cannot be seen from here, and a file that came with a " +
      "lower layer stays whole there",
  },
  {
    kinds: ["tmpfs", "ramfs"],
    inPlace: "yes",
    onDevice: false,
    says: "this file system is memory: an overwrite replaces the octets at " +
      "once, nothing of it outlives the power, but pages that went to swap " +
      "may stay on that disk",
  },
  {
    kinds: ["vfat", "msdos", "exfat"],
    inPlace: "yes",
    onDevice: true,
    says: "this file system overwrites in place and has no journal of " +
      "contents",
  },
  {
    kinds: ["nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "virtiofs"],
    inPlace: "unknown",
    onDevice: false,
    says: "another machine keeps these files, and what an overwrite is worth " +
      "there cannot be seen from here",
  },
];

/** The judgement on a place. */
export function worthOf(facts: FileSystemFacts): Worth {
  const row = ROWS.find(({ kinds, when }) =>
    kinds.includes(facts.kind) && (when?.(facts) ?? true)
  );
  if (row === undefined) {
    return {
      overwritesInPlace: "unknown",
      journalKeepsCopies: false,
      sentence: `nothing is known of what an overwrite is worth on ` +
        `${facts.kind}, so it may be worth nothing.`,
    };
  }
  return {
    overwritesInPlace: row.inPlace,
    journalKeepsCopies: row.journal === true,
    sentence: `${row.says}${row.onDevice ? deviceClause(facts) : ""}.`,
  };
}

/** What the device below may keep: the half of the truth below the blocks. */
function deviceClause({ device }: FileSystemFacts): string {
  if (device.backingFile !== null) {
    return "; its device is a file (loop), so the file system that holds " +
      "that one decides";
  }
  if (device.isMapped) {
    return "; a snapshot or a thin pool below it may keep old blocks";
  }
  if (device.isRotational === false) {
    return "; a flash drive may keep old octets in cells that no program " +
      "reaches until it erases them itself";
  }
  return "; out of reach are blocks that the drive itself put aside, and " +
    "snapshots below it";
}

/**
 * What all of it means for mail, in one sentence.
 *
 * @param keys Of the queue's directory, where the keys are
 * @param contents Of the directory of spent segments
 * @param isOneDisk Both lie on one file system, and so share its journal
 */
export function guaranteeOf(
  keys: Worth,
  contents: Worth,
  isOneDisk: boolean,
): string {
  const overwritten = contents.overwritesInPlace === "yes" &&
    !contents.journalKeepsCopies;
  if (keys.overwritesInPlace === "yes" && !keys.journalKeepsCopies) {
    return "A delivered message is unreadable because its key was " +
      "overwritten in place" +
      (overwritten
        ? ", and its ciphertext is overwritten as well, as far as the drive " +
          "does what it is told."
        : "; its ciphertext may stay, as far as the drive does what it is " +
          "told with the key.");
  }
  if (keys.overwritesInPlace === "yes") {
    return "A delivered message's key is overwritten in place, but the " +
      "journal holds a copy until it has been written round, " +
      (isOneDisk
        ? "which erasing contents does by the way."
        : "which nothing hastens here: put the queue and the spool on one " +
          "file system, or mount this one with data=ordered.");
  }
  return "Nothing is guaranteed here: the key of a delivered message is " +
    "overwritten, but this file system " +
    (keys.overwritesInPlace === "no" ? "keeps" : "may keep") +
    " the old key in another block; put the queue's directory on ext4 or xfs.";
}

// mke2fs's default size of a journal, by blocks of the file system:
// ext2fs_default_journal_size() in lib/ext2fs/mkjournal.c, in blocks.
const JOURNAL_BLOCKS: readonly (readonly [below: number, blocks: number])[] = [
  [32_768, 1_024],
  [256 * 1_024, 4_096],
  [512 * 1_024, 8_192],
  [4_096 * 1_024, 16_384],
  [8_192 * 1_024, 32_768],
  [16_384 * 1_024, 65_536],
  [32_768 * 1_024, 131_072],
  [Infinity, 262_144],
];
const MOST_JOURNAL_BYTES = 2 ** 30;

/**
 * What must be written so that an ext4 journal holds nothing older: its
 * default size and a quarter more, at most 1 GiB. An administrator may have
 * made a larger one (`mke2fs -J size=`), which cannot be seen from here.
 *
 * @returns Octets; 0 unless contents are journalled, or might be
 */
export function journalBytesOf(
  dataMode: DataMode | null,
  size: { readonly blocks: number; readonly blockBytes: number },
): number {
  if (dataMode !== "journal" && dataMode !== "unknown") return 0;
  // statfs(2) leaves out what the file system uses for itself: in a small one
  // a fifth, most of it the journal.
  const all = size.blocks * 1.25;
  const blocks = JOURNAL_BLOCKS.find(([below]) => all < below)![1];
  return Math.min(MOST_JOURNAL_BYTES, blocks * size.blockBytes * 1.25);
}
