// The stage of the stories that run in every engine: the same platform, and one visitor.

import { writeFile } from "node:fs/promises";
import { expect } from "@playwright/test";
import { test as story } from "../story.ts";
import { startChromium } from "./chromium.ts";
import { startFirefox } from "./firefox.ts";
import type { Engine, Size } from "./hand.ts";
import { Visitor } from "./visitor.ts";
import { startWebKit } from "./webkit.ts";

export type EngineName = "chromium" | "firefox" | "webkit";

export interface EngineOptions {
  engineName: EngineName;
}

interface Stage {
  visitor: Visitor;
  size: Size;
}

function must(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the stories with frontend/tests/run`);
  return value;
}

export const test = story.extend<Stage, EngineOptions & { engine: Engine }>({
  engineName: ["chromium", { option: true, scope: "worker" }],
  engine: [
    async ({ engineName, launchOptions }, use) => {
      const engine =
        engineName === "webkit"
          ? await startWebKit({ driver: must("WEBKIT_DRIVER"), locale: must("WEBKIT_LOCALE") })
          : engineName === "firefox"
            ? await startFirefox(must("FIREFOX_BIN"))
            : await startChromium(launchOptions);
      await use(engine);
      await engine.end();
    },
    { scope: "worker", timeout: 60_000 },
  ],
  size: async ({ viewport }, use) => use(viewport ?? { width: 390, height: 844 }),
  visitor: async ({ engine, platform, started: _, size }, use, info) => {
    const hand = await engine.session(size);
    const visitor = new Visitor(hand, platform.site);
    try {
      await use(visitor);
      if (info.status !== info.expectedStatus) await writeFile(info.outputPath("picture.png"), await hand.picture());
    } finally {
      // A story that has failed tells of its own failure, and its picture is not the page's doing.
      await hand.end().catch((error: unknown) => {
        if (info.status === info.expectedStatus) throw error;
      });
    }
    expect(visitor.complaints(), "what the pages did wrong").toEqual([]);
    const [told] =
      await platform.sql`select coalesce(sum(count), 0)::int as count from rate_limits where bucket like 'page-errors:%'`;
    expect(told?.count, "failures that pages told the operator of").toBe(visitor.told);
  },
});

export { expect };
