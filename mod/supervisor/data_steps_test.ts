import assert from "node:assert/strict";
import { STEP_OCTETS } from "../shred/files.ts";
import { realFiles } from "../shred/files_io.ts";
import { overwrite, ShredError } from "../shred/overwrite.ts";
import { DataSteps } from "./data_steps.ts";

/** A sparse file: data in these steps, and an end of 100 octets. */
async function withSparse(
  steps: readonly number[],
  body: (path: string, size: number) => Promise<void>,
): Promise<void> {
  const dir = Deno.makeTempDirSync({ dir: "/var/tmp" });
  const path = `${dir}/sparse`;
  const size = 6 * STEP_OCTETS + 100;
  try {
    {
      using file = Deno.openSync(path, { write: true, createNew: true });
      file.truncateSync(size);
      for (const step of steps) {
        file.seekSync(step * STEP_OCTETS + 50, Deno.SeekMode.Start);
        file.writeSync(new TextEncoder().encode("secret"));
      }
    }
    await body(path, size);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

function textOf(path: string): string {
  return new TextDecoder("latin1").decode(Deno.readFileSync(path));
}

for (const steps of [[], [0], [6], [1, 3], [0, 5, 6]]) {
  Deno.test(`DataSteps has steps ${steps.join(", ") || "none"} overwritten, and no hole`, () =>
    withSparse(steps, async (path, size) => {
      const data = DataSteps.find(realFiles, path, size);
      const bytes = steps.reduce(
        (sum, step) => sum + (step === 6 ? 100 : STEP_OCTETS),
        0,
      );
      assert.equal(data.bytes, bytes);
      assert.equal(data.skippedBytes, size - bytes);
      const done = await overwrite(path, { files: data.files, passes: 2 });
      assert.equal(done.bytes, bytes);
      assert.equal(Deno.statSync(path).size, size);
      assert.ok(!textOf(path).includes("secret"));
      assert.ok(data.areHolesStillEmpty(path));
      const again = DataSteps.find(realFiles, path, size);
      assert.equal(again.bytes, bytes);
    }));
}

Deno.test("DataSteps notices what is written into a hole meanwhile", () =>
  withSparse([1], async (path, size) => {
    const data = DataSteps.find(realFiles, path, size);
    await overwrite(path, { files: data.files });
    {
      using file = Deno.openSync(path, { write: true });
      file.seekSync(4 * STEP_OCTETS, Deno.SeekMode.Start);
      file.writeSync(new TextEncoder().encode("new"));
    }
    assert.ok(!data.areHolesStillEmpty(path));
  }));

Deno.test("DataSteps lets a file that grows be noticed", () =>
  withSparse([1], async (path, size) => {
    const data = DataSteps.find(realFiles, path, size);
    await assert.rejects(
      overwrite(path, {
        files: data.files,
        onProgress: () => Deno.truncateSync(path, size + 2),
      }),
      (error: unknown) =>
        error instanceof ShredError && error.kind === "changed",
    );
    // Nor is it begun with a file that is another by now.
    await assert.rejects(
      overwrite(path, { files: data.files }),
      (error: unknown) => error instanceof ShredError && error.kind === "unfit",
    );
  }));
