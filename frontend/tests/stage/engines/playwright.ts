// Chromium and Firefox, moved by Playwright: the DevTools protocol, and WebDriver BiDi.

import { type Browser, type BrowserType, type LaunchOptions, chromium, firefox } from "@playwright/test";
import { Witness } from "../witness.ts";
import type { Engine, Hand, Size } from "./hand.ts";

const BROWSERS: Record<"chromium" | "firefox", BrowserType> = { chromium, firefox };

export async function startPlaywright(name: "chromium" | "firefox", options: LaunchOptions): Promise<Engine> {
  const browser = await BROWSERS[name].launch(options);
  return { session: (size) => open(browser, size), end: () => browser.close() };
}

async function open(browser: Browser, viewport: Size): Promise<Hand> {
  const context = await browser.newContext({ viewport, locale: "fr-FR", timezoneId: "Europe/Paris" });
  const witness = new Witness();
  await witness.watch(context);
  const page = await context.newPage();
  return {
    go: async (address) => void (await page.goto(address)),
    // Not `goBack`: it waits for a page to load, which one out of the back-forward cache does not in Firefox.
    back: async () => void (await page.evaluate("void history.back()")),
    reload: async () => void (await page.reload()),
    // Of a page out of the back-forward cache Firefox tells Playwright no address.
    address: async () => String(await page.evaluate("location.href")),
    run: (look, ...given) => page.evaluate(`(${look})(...${JSON.stringify(given)})`),
    load: async (script) => void (await page.evaluate(script)),
    press: (x, y) => page.mouse.click(x, y),
    type: (text) => page.keyboard.type(text),
    picture: () => page.screenshot(),
    expects: (what) => witness.expects(what),
    end: async () => {
      await context.close();
      witness.testify();
    },
  };
}
