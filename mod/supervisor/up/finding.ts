/** One thing that `check` says. */
export interface Finding {
  /**
   * - `fault`: the server cannot work
   * - `wrong`: it works, and mail is lost, refused or open to others
   * - `warning`: it may come to that
   * - `hint`: it would be better otherwise
   * - `good`
   */
  readonly kind: "fault" | "wrong" | "warning" | "hint" | "good";
  readonly area: Area;
  readonly what: string;
  /** A command, or a record to set; none where `what` has it. */
  readonly mend?: string;
}

/** What a finding is about. */
export type Area =
  | "configuration"
  | "walls"
  | "permissions"
  | "ports"
  | "disk"
  | "queue"
  | "tls"
  | "service"
  | "clock"
  | "resolver"
  | "dns"
  | "way in"
  | "way out";

/** Findings of one area, made shorter. */
export function finding(
  area: Area,
  kind: Finding["kind"],
  what: string,
  mend?: string,
): Finding {
  return { kind, area, what, ...mend === undefined ? {} : { mend } };
}
