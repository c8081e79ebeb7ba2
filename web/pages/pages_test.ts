import assert from "node:assert/strict";
import type { PageInput } from "../page.ts";
import { SCRIPT } from "../script.ts";
import { STYLE } from "../style.ts";
import { EVIL, type Mood, MOODS, samplePage } from "./fixture.ts";
import { niceTop } from "./plots.ts";
import { BROKEN, NO_SUCH_PAGE, OUTDATED, PAGES, SIGN_IN } from "./pages.ts";
import { worries } from "./worries.ts";

const PARAMS = new Map([["id", "19AB3F00C2D10000"], ["name", "queue"]]);

const ALL = [
  ...PAGES,
  { path: "instead", page: SIGN_IN },
  { path: "nothing", page: NO_SUCH_PAGE },
  { path: "broken", page: BROKEN },
  { path: "outdated", page: OUTDATED },
];

async function textOf(
  { page }: typeof ALL[number],
  mood: Mood,
  over: Partial<PageInput> = {},
): Promise<string> {
  const rendered = await page(
    samplePage(mood, {
      params: PARAMS,
      query: new Map([["q", mood === "hostile" ? EVIL[2]! : "eva"]]),
      ...over,
    }),
  );
  return String(
    await (typeof rendered === "object" && "status" in rendered
      ? rendered.html
      : rendered),
  );
}

for (const mood of MOODS) {
  Deno.test(`pages of a ${mood} server are whole and small`, async (t) => {
    for (const one of ALL) {
      await t.step(one.path, async () => {
        const text = await textOf(one, mood);
        assert.match(text, /^\s*<!DOCTYPE html>/);
        assert.match(text, /<\/html>\s*$/);
        assert.equal(text.match(/<h1/g)?.length, 1);
        assert.doesNotMatch(text, /undefined|\[object|NaN|\\n/);
        assert.doesNotMatch(text, /style="|\son[a-z]+="[^"]|<script>/);
        const octets = new TextEncoder().encode(text).length;
        assert.ok(octets < 60 * 1_024, `${octets} octets`);
        const ids = [...text.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id);
        assert.equal(new Set(ids).size, ids.length, `ids: ${ids}`);
      });
    }
  });
}

Deno.test("pages make nothing of what strangers wrote", async (t) => {
  for (const one of ALL) {
    await t.step(one.path, async () => {
      const text = await textOf(one, "hostile", { flash: EVIL[0]! });
      const evil = await textOf(one, "hostile", {
        flash: EVIL[0]!,
        params: new Map([["id", EVIL[1]!], ["name", EVIL[2]!]]),
        query: new Map(
          ["q", "state", "domain", "after", "client"].map((name, at) => [
            name,
            EVIL[at]!,
          ]),
        ),
        here: `/?q=${encodeURIComponent(EVIL[0]!)}`,
      });
      for (const page of [text, evil]) {
        // Our own pages have one script, no picture and no frame.
        assert.doesNotMatch(page, /<(img|iframe|b>evil|script>|svg onload)/i);
        assert.equal(page.match(/<script/g)?.length, 1);
        assert.doesNotMatch(page, /href="javascript:/i);
        assert.doesNotMatch(
          page,
          // deno-lint-ignore no-control-regex
          /[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/,
        );
      }
    });
  }
});

Deno.test("pages have no form of an action for who is not signed in", async () => {
  for (const one of ALL.filter(({ path }) => path !== "/in")) {
    if (one.page === SIGN_IN) continue;
    const text = await textOf(one, "calm", { session: null });
    assert.doesNotMatch(text, /method="post"/i, one.path);
    assert.doesNotMatch(text, /name="csrf"/, one.path);
    assert.match(text, /href="\/in"/, one.path);
  }
});

Deno.test("pages give every form of an action the token and the way back", async () => {
  for (const one of ALL) {
    const text = await textOf(one, "calm", { here: "/queue?state=hold" });
    for (
      const [form] of text.matchAll(/<form[^>]*method="post"[^]*?<\/form>/g)
    ) {
      if (form.includes('action="/in"')) continue;
      assert.match(form, /name="csrf" value="the-token"/, one.path);
      if (form.includes('action="/out"')) continue;
      assert.match(form, /name="back" value="\/queue\?state=hold"/, one.path);
    }
  }
});

Deno.test("pages say what a look-alike is", async () => {
  const queue = ALL.find(({ path }) => path === "/queue")!;
  const text = await textOf(queue, "hostile");
  assert.match(text, /mixes Latin and Cyrillic/);
});

Deno.test("worries() has nothing where all is well, else what the supervisor warns of", () => {
  assert.deepEqual(worries(samplePage("calm").sources), []);
  const { sources } = samplePage("hostile");
  const found = worries(sources);
  assert.ok(found.length >= sources.facts()!.warnings.length);
  assert.ok(sources.facts()!.warnings.length > 0);
});

Deno.test("niceTop() is 1, 2 or 5 of a power of ten", () => {
  const rows = [[0, 1], [1, 1], [3, 5], [11, 20], [5_001, 10_000]] as const;
  for (const [most, want] of rows) assert.equal(niceTop(most), want);
});

Deno.test("script and style sheet are small, and name nothing elsewhere", () => {
  assert.ok(SCRIPT.length < 10 * 1_024, `${SCRIPT.length}`);
  assert.ok(STYLE.length < 16 * 1_024, `${STYLE.length}`);
  assert.doesNotMatch(
    SCRIPT + STYLE,
    /https?:|url\(|@import|eval|innerHTML\s*=[^=]/,
  );
});

const pageOf = (path: string) => ALL.find((one) => one.path === path)!;

Deno.test("a journey takes no order when the message is gone", async () => {
  const { sources } = samplePage("calm", {});
  const journey = await sources.journey("19AB3F00C2D10000");
  const gone = { ...journey!, isQueued: false };
  const over = { journey: () => Promise.resolve(gone) };
  const text = await textOf(pageOf("/message/:id"), "calm", {
    sources: { ...sources, ...over },
  });
  assert.doesNotMatch(text, /action="\/queue\//);
  const here = await textOf(pageOf("/message/:id"), "calm");
  assert.match(here, /action="\/queue\/19AB3F00C2D10000\/delete"/);
});

Deno.test("lists say when there is more than they show", async () => {
  const { sources } = samplePage("calm", {});
  const [one] = (await sources.find("eva"))!;
  const [there] = (await sources.destinations())!;
  const [said] = (await sources.clients({ client: "" }))!.said;
  const many = {
    ...sources,
    find: () => Promise.resolve(Array.from({ length: 51 }, () => one!)),
    destinations: () =>
      Promise.resolve(
        Array.from({ length: 41 }, () => ({ ...there!, waiting: 7 })),
      ),
    clients: () =>
      Promise.resolve({
        verdicts: [],
        said: Array.from({ length: 31 }, () => said!),
      }),
  };
  for (
    const [path, words] of [
      ["/search", /More than 50 messages/],
      ["/destinations", /1 more, where less waits/],
      ["/clients", /31 networks .*; the first 30 are shown/],
    ] as const
  ) {
    assert.match(await textOf(pageOf(path), "calm", { sources: many }), words);
  }
});
