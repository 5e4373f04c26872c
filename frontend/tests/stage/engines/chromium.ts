// Chromium, moved by Playwright over the DevTools protocol.

import { type Browser, type LaunchOptions, chromium } from "@playwright/test";
import { Witness } from "../witness.ts";
import type { Engine, Hand, Size } from "./hand.ts";

export async function startChromium(options: LaunchOptions): Promise<Engine> {
  const browser = await chromium.launch(options);
  return { session: (size) => open(browser, size), end: () => browser.close() };
}

async function open(browser: Browser, viewport: Size): Promise<Hand> {
  const context = await browser.newContext({ viewport, locale: "fr-FR", timezoneId: "Europe/Paris" });
  const witness = new Witness();
  await witness.watch(context);
  const page = await context.newPage();
  return {
    go: async (address) => void (await page.goto(address)),
    // Not `goBack`: it waits for a page to load, which one out of the back-forward cache does not.
    back: async () => void (await page.evaluate("void history.back()")),
    reload: async () => void (await page.reload()),
    address: async () => page.url(),
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
