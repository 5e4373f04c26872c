// How the stories run: two workers, each with a platform of its own, a phone that is only touched and a desk.

import { defineConfig } from "@playwright/test";
import type { Size } from "./stage/engines/hand.ts";
import type { EngineName, EngineOptions } from "./stage/engines/story.ts";

const inCI = Boolean(process.env.CI);
const isRoot = process.getuid?.() === 0;

const PHONE = { width: 390, height: 844 };
const DESK = { width: 1280, height: 800 };

// Neither pictures nor traces of Playwright, which moves one of these engines only: a story that fails takes a picture itself.
const engine = (name: string, engineName: EngineName, viewport: Size) => ({
  name,
  use: { engineName, viewport, screenshot: "off" as const, trace: "off" as const },
  testMatch: /engines\.spec\.ts/,
  timeout: 150_000,
});

/** An engine that is not on this machine has no stories; `run` has said so. */
const engines = [
  engine("chromium", "chromium", PHONE),
  ...(process.env.FIREFOX_BIN
    ? [
        engine("firefox", "firefox", PHONE),
        { ...engine("firefox-desk", "firefox", DESK), grep: /books a flash|signs in/ },
      ]
    : []),
  ...(process.env.WEBKIT_DRIVER ? [engine("webkit", "webkit", PHONE)] : []),
];

export default defineConfig<object, EngineOptions>({
  testDir: "stories",
  fullyParallel: true,
  // A platform that is given (SITE_URL) is one for all.
  workers: process.env.SITE_URL ? 1 : 2,
  forbidOnly: inCI,
  // A story that passes the second time is a story that fails sometimes: CI names it as flaky and goes on.
  retries: inCI ? 2 : 0,
  timeout: 90_000,
  expect: { timeout: 15_000 },
  outputDir: "../../.inkflow/frontend-tests",
  reporter: inCI ? [["list"], ["github"]] : [["list"]],
  use: {
    locale: "fr-FR",
    timezoneId: "Europe/Paris",
    actionTimeout: 20_000,
    navigationTimeout: 30_000,
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: process.env.CHROMIUM_BIN ?? "/usr/bin/chromium",
      chromiumSandbox: !isRoot,
      args: [
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  projects: [
    // The phone also asks for less motion, the desk does not: both are lived in.
    {
      name: "phone",
      use: { viewport: PHONE, hasTouch: true, isMobile: true, contextOptions: { reducedMotion: "reduce" } },
      testIgnore: /(keyboard|engines)\.spec\.ts/,
    },
    { name: "desk", use: { viewport: DESK }, testMatch: /(flow|keyboard|states|layout)\.spec\.ts/ },
    ...engines,
  ],
});
