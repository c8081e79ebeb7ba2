/**
 * Prometheus' text format, version 0.0.4: families of samples, each with its
 * HELP and TYPE. Pure.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */

/** The content type of {@link formatFamilies}. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Labels of a sample; in this order. */
export type Labels = Readonly<Record<string, string>>;

/** One value. */
export interface Sample {
  /** Behind the family's name: `_bucket`, `_sum`, `_count`; mostly empty. */
  readonly suffix?: string;
  readonly labels: Labels;
  readonly value: number;
}

/** What is said of a family. */
export interface FamilyHead {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
}

/** Writes families; those without a sample are left out. */
export function formatFamilies(
  families: readonly (FamilyHead & { readonly samples: readonly Sample[] })[],
): string {
  return families.filter(({ samples }) => samples.length > 0).map((family) => {
    const { name, type, help, samples } = family;
    const lines = [
      `# HELP ${name} ${escaped(help, "help")}`,
      `# TYPE ${name} ${type}`,
      ...samples.map((one) => `${name}${one.suffix ?? ""}${line(one)}`),
    ];
    return lines.join("\n") + "\n";
  }).join("");
}

function line({ labels, value }: Sample): string {
  const pairs = Object.entries(labels).map(([name, text]) =>
    `${name}="${escaped(text, "label")}"`
  );
  const set = pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
  return `${set} ${numberText(value)}`;
}

/** As Go reads it. */
function numberText(value: number): string {
  if (value === Infinity) return "+Inf";
  if (value === -Infinity) return "-Inf";
  return Number.isNaN(value) ? "NaN" : String(value);
}

function escaped(text: string, where: "help" | "label"): string {
  const plain = text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return where === "help" ? plain : plain.replaceAll('"', '\\"');
}
