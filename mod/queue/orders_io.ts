/**
 * Orders of an administrator to a running queue: files in its directory, one
 * an order, `order-NAME`; what came of it so far is `answer-NAME`. Whoever
 * gives one runs in the queue's own jail, for a moment (`inspect_main.ts`);
 * the queue looks for them twice a second, and an order that is given while
 * it is away waits for its start. There is no socket for it: who may write
 * here may do all that the queue may.
 *
 * A file appears whole, by a rename. An order goes only when it was carried
 * out: after a crash it is carried out again, and all of them can be.
 */
import fs from "node:fs";
import { randomBytes } from "node:crypto";
import { faultOf } from "./fault_io.ts";
import {
  type Order,
  order,
  type OrderAnswer,
  orderAnswer,
} from "./order_ipc.ts";

const ORDER = "order-";
const ANSWER = "answer-";
const NEW = "new-";
const NAME_PATTERN = /^[0-9a-f]{24}$/;
/** More than the largest order. */
const MAX_OCTETS = 1_048_576;
/** Orders seen at once; the others wait for the next look. */
const MAX_ORDERS = 100;
/** Nobody waits for an answer any longer. */
const ANSWER_KEPT_MS = 600_000;

/** Names of the orders that there are, oldest first. */
export function orderNames(dir: string): readonly string[] {
  try {
    return fs.readdirSync(dir)
      .filter((file) => file.startsWith(ORDER))
      .map((file) => file.slice(ORDER.length))
      .filter((name) => NAME_PATTERN.test(name))
      .sort()
      .slice(0, MAX_ORDERS);
  } catch (error) {
    faultOf(error);
    return [];
  }
}

/** Reads an order; undefined if there is none, or it is none of ours. */
export function readOrder(dir: string, name: string): Order | undefined {
  return order.safeParse(readJson(`${dir}/${ORDER}${name}`)).data;
}

/**
 * The last row that any order is about, 0 if none is. No later message may have
 * the number of a row up to it, or an order that a crash repeats meant it, too.
 */
export function lastMeant(dir: string): number {
  const rows = orderNames(dir).map((name) => readOrder(dir, name)?.upTo ?? 0);
  return Math.max(0, ...rows);
}

/** Writes an order, or in its place. */
export function writeOrder(dir: string, name: string, what: Order): void {
  writeWhole(dir, `${ORDER}${name}`, what);
}

/** Gives an order; returns its name. Later orders have greater names. */
export function giveOrder(dir: string, what: Order, nowMs: number): string {
  const name = Math.floor(nowMs).toString(16).padStart(12, "0") +
    randomBytes(6).toString("hex");
  writeOrder(dir, name, what);
  return name;
}

/** The order is carried out, or must not be. */
export function forgetOrder(dir: string, name: string): void {
  remove(`${dir}/${ORDER}${name}`);
}

/** Says what came of an order so far. */
export function answerOrder(
  dir: string,
  name: string,
  answer: OrderAnswer,
): void {
  try {
    writeWhole(dir, `${ANSWER}${name}`, answer);
  } catch (error) {
    faultOf(error); // it is carried out; who asked is told that it waits
  }
}

/** What came of an order so far; undefined if the queue has said nothing. */
export function readAnswer(
  dir: string,
  name: string,
): OrderAnswer | undefined {
  return orderAnswer.safeParse(readJson(`${dir}/${ANSWER}${name}`)).data;
}

/** The answer was heard. */
export function forgetAnswer(dir: string, name: string): void {
  remove(`${dir}/${ANSWER}${name}`);
}

/** Removes answers, and halves of orders, that nobody waits for any more. */
export function forgetOldAnswers(dir: string, nowMs: number): void {
  try {
    for (const file of fs.readdirSync(dir)) {
      if (!file.startsWith(ANSWER) && !file.startsWith(NEW)) continue;
      const found = fs.statSync(`${dir}/${file}`, { throwIfNoEntry: false });
      // A clock that was set back leaves files of the future.
      const ageMs = Math.abs(nowMs - (found?.mtimeMs ?? nowMs));
      if (ageMs > ANSWER_KEPT_MS) remove(`${dir}/${file}`);
    }
  } catch (error) {
    faultOf(error);
  }
}

function readJson(path: string): unknown {
  try {
    const found = fs.statSync(path, { throwIfNoEntry: false });
    if (found === undefined || found.size > MAX_OCTETS) return undefined;
    return JSON.parse(fs.readFileSync(path, "utf8"));
  } catch (error) {
    const isGone = (error as { code?: unknown }).code === "ENOENT";
    if (!(error instanceof SyntaxError) && !isGone) faultOf(error);
    return undefined;
  }
}

function writeWhole(dir: string, file: string, what: unknown): void {
  const path = `${dir}/${NEW}${file}`;
  const fd = fs.openSync(path, "w", 0o600);
  try {
    fs.writeSync(fd, JSON.stringify(what));
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
  fs.renameSync(path, `${dir}/${file}`);
}

function remove(path: string): void {
  try {
    fs.rmSync(path, { force: true });
  } catch (error) {
    faultOf(error); // it is found again, and does nothing
  }
}
