/**
 * What a message says at its face value: for servers whose verdict is
 * believed, and where the configuration wants no validation.
 */
import type { Judgement } from "./judgement.ts";
import { type Message, type Question, RCODE, TYPE } from "./message.ts";
import { readTarget } from "./rdata.ts";
import { lastsUntilS, soaOf } from "./usable.ts";

/**
 * Reads one step: records, an alias, or a "no" with its SOA.
 *
 * @param security What it is worth, which is not looked for here
 */
export function plainJudgement(
  question: Question,
  message: Message,
  security: "secure" | "insecure",
): Judgement {
  const { name, type } = question;
  const at = message.answer.filter((record) => record.name === name);
  const untilS = lastsUntilS(question, message);
  const worth = { ...said(security), untilS };
  const records = at.filter((record) => record.type === type);
  if (records.length > 0) {
    return { ...worth, finding: { kind: "records", records } };
  }
  const alias = at.find((record) => record.type === TYPE.CNAME);
  const target = alias && readTarget(alias.data);
  if (target !== undefined) {
    return { ...worth, finding: { kind: "alias", target } };
  }
  if (soaOf(message, question) === undefined) {
    return {
      security: "indeterminate",
      finding: { kind: "nothing" },
      why: "the answer has neither records nor a SOA",
      proof: [],
    };
  }
  const kind = message.rcode === RCODE.NXDOMAIN ? "no-such-name" : "no-data";
  return { ...worth, finding: { kind } };
}

function said(security: "secure" | "insecure") {
  return {
    security,
    why: security === "secure" ? "" : "signatures were not looked at",
    proof: security === "secure" ? ["a trusted name server says so (AD)"] : [],
  };
}
