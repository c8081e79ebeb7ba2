/** What was measured on. */
import { attempt } from "./command.ts";

/** The machine, in words. */
export function describeMachine(): string {
  const cpu = /^model name\s*:\s*(.+)$/m.exec(
    Deno.readTextFileSync("/proc/cpuinfo"),
  )?.[1] ?? Deno.build.arch;
  const gib = Deno.systemMemoryInfo().total / 2 ** 30;
  const cores = navigator.hardwareConcurrency;
  return `${cores} cores (${cpu}), ${gib.toFixed(0)} GiB, Linux ` +
    `${Deno.osRelease()}, Deno ${Deno.version.deno}`;
}

/** Whether the programs that a run needs are there. */
export async function missingPrograms(
  programs: readonly string[],
): Promise<string[]> {
  const missing: string[] = [];
  for (const program of programs) {
    const { ok } = await attempt(["which", program]);
    if (!ok) missing.push(program);
  }
  return missing;
}

/** Time that all processors together worked since the machine started. */
export function busyMs(): number {
  const line = Deno.readTextFileSync("/proc/stat").split("\n", 1)[0]!;
  const [user, nice, system, , , irq, softirq, steal] = line.split(/\s+/)
    .slice(1).map(Number);
  return (user! + nice! + system! + irq! + softirq! + steal!) * 10;
}
