/**
 * Prints a message's octets, for `bulkhead queue cat`: in the spool's jail,
 * where a segment may be read and nothing else. The key comes by standard
 * input, because everybody on the machine may read a command line.
 */
import { DamagedError, readContent } from "../content/reader.ts";
import { contentAsk } from "./erasure_ipc.ts";

/** As the command line understands it: it needs a person. */
const UNUSABLE = 78;

/** Writes the whole message to standard output, or says why it cannot. */
export async function printContent(dir: string): Promise<void> {
  const asked = await new Response(Deno.stdin.readable).json();
  const { ref, key } = contentAsk.parse(asked);
  try {
    for (const octets of readContent(dir, ref, key)) writeAll(octets);
  } catch (error) {
    if (
      !(error instanceof DamagedError) &&
      !(error instanceof Deno.errors.NotFound)
    ) throw error;
    console.error(error.message);
    Deno.exit(UNUSABLE);
  }
}

function writeAll(octets: Uint8Array): void {
  for (let at = 0; at < octets.length;) {
    at += Deno.stdout.writeSync(octets.subarray(at));
  }
}
