/**
 * How TLS went with one domain in one day, in numbers: what a TLS report says
 * (RFC 8460 §4). Pure, and bounded: whoever has a domain chooses the names of
 * its hosts, and could have a different one for each message.
 */
import { type TlsResult } from "../smtpc/smtpc_ipc.ts";

/** Sessions that failed in the same way, at the same place. */
export interface Failure {
  readonly result: TlsResult["result"];
  /** Empty where there were too many different ones. */
  readonly mxHost: string;
  readonly ours: string;
  readonly theirs: string;
  count: number;
}

/** Sessions under one policy. */
export interface PolicyTally {
  readonly policy: TlsResult["policy"];
  /** Empty where there were too many different ones. */
  readonly lines: readonly string[];
  successes: number;
  readonly failures: Failure[];
}

/** All of a domain's day. */
export type DayTally = PolicyTally[];

/**
 * Different policies, and different failures under all of them, that are told
 * apart: a tally is read and written whole whenever something is added.
 */
export const MOST_POLICIES = 10;
/** See {@link MOST_POLICIES}. */
export const MOST_FAILURES = 100;

/** Adds one session. */
export function addResult(tally: DayTally, one: TlsResult): void {
  const policy = policyIn(tally, one.policy, one.policyLines);
  if (one.result === "") policy.successes++;
  else {
    addFailure(tally, policy, {
      result: one.result,
      mxHost: one.mxHost,
      ours: one.ourAddress,
      theirs: one.theirAddress,
      count: 1,
    });
  }
}

/** Adds all of `more`. */
export function addTally(tally: DayTally, more: DayTally): void {
  for (const one of more) {
    const policy = policyIn(tally, one.policy, one.lines);
    policy.successes += one.successes;
    for (const failure of one.failures) addFailure(tally, policy, failure);
  }
}

/** Sessions in all. */
export function sessionsOf(tally: DayTally): { good: number; bad: number } {
  let good = 0;
  let bad = 0;
  for (const { successes, failures } of tally) {
    good += successes;
    for (const { count } of failures) bad += count;
  }
  return { good, bad };
}

function policyIn(
  tally: DayTally,
  policy: PolicyTally["policy"],
  lines: readonly string[],
): PolicyTally {
  const find = (wanted: readonly string[]) =>
    tally.find((one) =>
      one.policy === policy && one.lines.length === wanted.length &&
      one.lines.every((line, i) => line === wanted[i])
    );
  const found = find(lines);
  if (found !== undefined) return found;
  // The one of each kind that is not told apart is beyond the limit.
  const isFull = tally.length >= MOST_POLICIES;
  const rest = isFull ? find([]) : undefined;
  if (rest !== undefined) return rest;
  const made = {
    policy,
    lines: isFull ? [] : lines,
    successes: 0,
    failures: [],
  };
  tally.push(made);
  return made;
}

function addFailure(
  tally: DayTally,
  { failures }: PolicyTally,
  more: Failure,
): void {
  const find = (wanted: Omit<Failure, "count">) =>
    failures.find((one) =>
      one.result === wanted.result && one.mxHost === wanted.mxHost &&
      one.ours === wanted.ours && one.theirs === wanted.theirs
    );
  const found = find(more);
  if (found !== undefined) {
    found.count += more.count;
    return;
  }
  const different = tally.reduce((sum, one) => sum + one.failures.length, 0);
  if (different < MOST_FAILURES) {
    failures.push({ ...more });
    return;
  }
  const rest = { ...more, mxHost: "", ours: "", theirs: "" };
  const others = find(rest);
  if (others === undefined) failures.push(rest);
  else others.count += more.count;
}

/** As the database keeps it. */
export function tallyText(tally: DayTally): string {
  return JSON.stringify(
    tally.map(({ policy, lines, successes, failures }) => [
      policy,
      lines,
      successes,
      failures.map((one) => [
        one.result,
        one.mxHost,
        one.ours,
        one.theirs,
        one.count,
      ]),
    ]),
  );
}

/** Reads {@link tallyText}; what is damaged is as if nothing were there. */
export function readTally(text: string): DayTally {
  try {
    const tally = JSON.parse(text) as [
      PolicyTally["policy"],
      string[],
      number,
      [Failure["result"], string, string, string, number][],
    ][];
    return tally.map(([policy, lines, successes, failures]) => ({
      policy,
      lines: lines.map(String),
      successes: Number(successes),
      failures: failures.map(([result, mxHost, ours, theirs, count]) => ({
        result,
        mxHost: String(mxHost),
        ours: String(ours),
        theirs: String(theirs),
        count: Number(count),
      })),
    }));
  } catch {
    return [];
  }
}
