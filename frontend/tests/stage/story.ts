// The stage of every story: a platform with fresh data, a client in front of it, and a witness that fails the story for
// any wrong a page does in silence.

import { AxeBuilder } from "@axe-core/playwright";
import { type BrowserContextOptions, type Page, expect, test as base } from "@playwright/test";
import { Artist } from "./artist.ts";
import { Client } from "./client.ts";
import { Platform } from "./platform.ts";
import { Witness } from "./witness.ts";

interface Stage {
  witness: Witness;
  client: Client;
  /** The artist at their dashboard, in a browser of their own. */
  artist: Artist;
  /** The same for another browser or another language. */
  artistIn: (page: Page, speaks?: "fr" | "en") => Artist;
  /** A client with a browser of their own. */
  another: (options?: BrowserContextOptions & { speaks?: "fr" | "en" }) => Promise<Client>;
}

export const test = base.extend<Stage & { started: void }, { platform: Platform }>({
  platform: [
    // biome-ignore lint: Playwright wants the pattern.
    async ({}, use) => {
      const platform = await Platform.lent();
      await use(platform);
      await platform.end();
    },
    { scope: "worker", timeout: 60_000 },
  ],
  baseURL: async ({ platform }, use) => use(platform.site),
  started: [
    async ({ platform }, use) => {
      await platform.startOver();
      await use();
    },
    { auto: true },
  ],
  witness: async ({ started: _, browser: __ }, use) => {
    const witness = new Witness();
    await use(witness);
    witness.testify();
  },
  context: async ({ context, witness }, use) => {
    await witness.watch(context);
    await use(context);
  },
  client: async ({ page, hasTouch }, use) => use(new Client(page, { touches: hasTouch ?? false })),
  artistIn: async ({ hasTouch, witness }, use) =>
    use((page, speaks = "fr") => new Artist(page, { touches: hasTouch ?? false, witness, speaks })),
  artist: async ({ another, artistIn }, use) => use(artistIn((await another()).page)),
  another: async (
    { browser, contextOptions, baseURL, viewport, hasTouch, isMobile, locale, timezoneId, witness },
    use,
  ) => {
    const opened: Page[] = [];
    await use(async ({ speaks = "fr", ...options } = {}) => {
      const usual = {
        ...contextOptions,
        baseURL,
        viewport,
        hasTouch,
        isMobile,
        locale,
        timezoneId,
      } as BrowserContextOptions;
      const context = await browser.newContext({ ...usual, ...options });
      await witness.watch(context);
      const page = await context.newPage();
      opened.push(page);
      return new Client(page, { touches: options.hasTouch ?? hasTouch ?? false, speaks });
    });
    for (const page of opened) await page.context().close();
  },
});

export { expect };

/** No machine-findable barrier on the page as it stands. */
export async function barrierFree(page: Page, state: string): Promise<void> {
  await settled(page);
  // The site has no frames, and without them axe needs no second page to collect its findings.
  const { violations, passes } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  const found = violations.map(({ id, help, nodes }) => ({
    id,
    help,
    nodes: nodes.map((node) => `${node.target}: ${node.failureSummary}`),
  }));
  expect(found, `barriers: ${state}`).toEqual([]);
  expect(passes.length, `axe looked at ${state}`).toBeGreaterThan(10);
}

/** All that moves has arrived; what moves for ever does not count. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await document.fonts.ready;
    const finite = document
      .getAnimations()
      .filter((animation) => Number.isFinite(Number(animation.effect?.getComputedTiming().endTime)));
    await Promise.allSettled(finite.map((animation) => animation.finished));
  });
}

/** Runs in the page: what sticks out sideways, of the page or of its dialog. */
export function sideways(): string[] {
  const boxes = [document.documentElement, ...document.querySelectorAll("dialog[open]")];
  return boxes
    .filter((box) => box.scrollWidth > box.clientWidth)
    .map((box) => `${box.tagName}: ${box.scrollWidth} > ${box.clientWidth}`);
}

export async function fits(page: Page, state: string): Promise<void> {
  expect(await page.evaluate(sideways), `sideways scrolling: ${state}`).toEqual([]);
}
