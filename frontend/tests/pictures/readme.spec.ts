// The pictures of README.md, taken from the product with its demo data. They are WebP, which Chromium writes itself.

import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { LEA } from "../stage/artist.ts";
import { somebody } from "../stage/client.ts";
import { expect, settled, test } from "../stage/story.ts";

const FOLDER = fileURLToPath(new URL("../../../docs/pictures", import.meta.url));
/** A picture that takes longer to load than the page around it is not worth it. */
const LARGEST = 150_000;

const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
const DESK = { viewport: { width: 1280, height: 860 }, deviceScaleFactor: 1.5, isMobile: false, hasTouch: false };
const ENGLISH = { locale: "en-GB", speaks: "en" } as const;

async function take(page: Page, name: string): Promise<void> {
  await page.waitForLoadState("networkidle");
  await page.evaluate(() =>
    Promise.all(
      [...document.images].filter((image) => image.complete).map((image) => image.decode().catch(() => undefined)),
    ),
  );
  await settled(page);
  const devtools = await page.context().newCDPSession(page);
  const { data } = await devtools.send("Page.captureScreenshot", { format: "webp", quality: 82 });
  const picture = Buffer.from(data, "base64");
  expect(picture.length, `the size of ${name}`).toBeLessThan(LARGEST);
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(`${FOLDER}/${name}.webp`, picture);
}

test("an artist's page", async ({ another }) => {
  const client = await another({ ...PHONE, ...ENGLISH });
  await client.visit();
  await take(client.page, "artist");
});

test("the booking dialog", async ({ another }) => {
  const client = await another({ ...PHONE, ...ENGLISH });
  await client.visit();
  await client.chooseFlash();
  await client.toSlots(somebody());
  await client.takeSlot(1);
  await take(client.page, "dialog");
});

test("the dashboard", async ({ another, artistIn, platform }) => {
  const names = ["Camille Robert", "Jo Martin", "Inès Lambert", "Sacha Petit", "Malik Benali"];
  for (const [nth, name] of names.entries()) await platform.bookedFor(name, { nth, paid: name !== "Sacha Petit" });
  const past = await platform.bookedFor("Alex Moreau", { nth: names.length });
  await platform.sql`update bookings set scheduled_at = now() - interval '3 hours', ends_at = now() - interval '1 hour', version = version + 1 where id = ${past}`;
  const client = await another({ ...DESK, ...ENGLISH });
  const artist = artistIn(client.page, "en");
  await artist.enter(LEA);
  await take(client.page, "dashboard");
});
