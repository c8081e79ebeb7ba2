/**
 * Plays every dialog of this folder against smtpd inside this process, with
 * fake roles behind it: a server for each, so that none sees another's
 * messages, and many at once. A test each and transport.
 */
import assert from "node:assert/strict";
import { PASS } from "../../mod/gate/gate_ipc.ts";
import { FakeGate } from "../../mod/smtpd/fake_gate.ts";
import type { Fixture } from "../../mod/smtpd/server_fixture.ts";
import {
  selfSigned,
  withGate,
  withServer,
  withSubmission,
} from "../../mod/smtpd/server_fixture.ts";
import { stageBackend } from "./backend.ts";
import type { Dialog, Test, Transport } from "./dialog.ts";
import { readDialogs } from "./library.ts";
import { type Message, play } from "./player.ts";

/** Dialogs under way at a time. */
const AT_ONCE = 16;

const DIALOGS = readDialogs();
const PEM = await selfSigned();
const SCENES = DIALOGS.flatMap((dialog) =>
  dialog.over.map((transport) => ({ dialog, transport }))
);

/** Starts all scenes, {@link AT_ONCE} at a time; what became of each. */
function playAll(): Promise<Error | undefined>[] {
  const ends = SCENES.map(() => Promise.withResolvers<Error | undefined>());
  let next = 0;
  const work = async () => {
    for (let i; (i = next++) < SCENES.length;) {
      const { dialog, transport } = SCENES[i]!;
      ends[i]!.resolve(await outcome(dialog, transport));
    }
  };
  for (let i = 0; i < AT_ONCE; i++) work();
  return ends.map(({ promise }) => promise);
}

async function outcome(
  dialog: Dialog,
  transport: Transport,
): Promise<Error | undefined> {
  try {
    const part = { tls: PEM, ...Object.fromEntries(dialog.settings) };
    const isTls = transport === "implicit" || dialog.port === "submissions";
    const test = async (fixture: Fixture) => {
      stageBackend(fixture.backend);
      const { port } = fixture;
      const taken = () => messages(fixture);
      // What may fail is not waited for as long.
      const replyMs = dialog.pending === undefined ? 5_000 : 1_000;
      await play(dialog, transport, { port, replyMs, taken });
    };
    switch (dialog.port) {
      case "smtp":
        if (dialog.tests === undefined) await withServer(part, test);
        else await withGate(gateThatAsks(dialog.tests), part, test);
        break;
      case "submission":
      case "submissions":
        await withSubmission(part, { isTls }, test);
        break;
    }
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

function gateThatAsks(tests: readonly Test[]): FakeGate {
  const gate = new FakeGate();
  gate.arriving = { verdict: PASS, tests: [...tests] };
  return gate;
}

function messages({ backend }: Fixture): Message[] {
  return backend.taken.map(({ ask, body }) => ({
    reversePath: utf8(ask.reversePath),
    recipients: ask.recipients.map(utf8),
    content: body,
  }));
}

/** Its octets as UTF-16 units, as dialogs have them. */
function utf8(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

let started: Promise<Error | undefined>[] | undefined;

for (const [i, { dialog, transport }] of SCENES.entries()) {
  Deno.test({
    name: `${dialog.file}: ${dialog.title} (${transport})`,
    // They run ahead of their tests, so their sockets come and go in others'.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      started ??= playAll();
      const error = await started[i];
      if (dialog.pending === undefined) {
        if (error !== undefined) throw error;
      } else if (error === undefined) {
        console.log(`no longer pending: ${dialog.file}:${dialog.line}`);
      }
    },
  });
}

Deno.test("dialogs() are many, each with a title of its own", () => {
  assert.ok(DIALOGS.length > 500, `${DIALOGS.length} dialogs`);
  const titles = DIALOGS.map(({ file, title }) => `${file}: ${title}`);
  assert.equal(new Set(titles).size, titles.length);
});

/** What EHLO announces, here or on submission, and what it all stands on. */
const RFCS = [1870, 1985, 2034, 2920, 3030, 3207, 3461, 4954, 5321, 6152, 6531]
  .concat([8689, 9422]);

for (const rfc of RFCS) {
  Deno.test(`dialogs() cite RFC ${rfc} more than once`, () => {
    const citing = DIALOGS.filter(({ cites }) =>
      cites.some((one) => one.startsWith(`RFC ${rfc} `))
    );
    assert.ok(citing.length > 1, `${citing.length} dialogs`);
  });
}
