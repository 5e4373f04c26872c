// What a client holds unpaid is theirs in every tab of their browser, in the next one, and in another browser.

import { somebody } from "../stage/client.ts";
import type { Platform } from "../stage/platform.ts";
import { barrierFree, expect, fits, test } from "../stage/story.ts";

const PIECE = "Phalène de nuit";

/** Lets time pass until a hold that begins now ends a little before nine in the evening in Paris: an hour of two wide digits. */
async function untilTheEvening(platform: Platform): Promise<void> {
  const [hour = 0, minute = 0] = new Date()
    .toLocaleTimeString("en-GB", { timeZone: "Europe/Paris" })
    .split(":")
    .map(Number);
  await platform.wait((20 * 60 + 20 - hour * 60 - minute + 1440) % 1440);
}

test("one's own flash in a second tab, and after the first one is closed: it is you, and it goes on to the payment", async ({
  client,
  page,
  platform,
}) => {
  const id = await client.reserve(somebody(), PIECE);
  const checkout = page.url();
  const second = await page.context().newPage();
  await page.close();
  await second.goto("/artist/lea-marchetti");
  const sheet = second.getByRole("listitem").filter({ has: second.getByRole("heading", { level: 3, name: PIECE }) });
  await expect(sheet).toContainText("C’est vous qui le retenez.");
  await expect(sheet).not.toContainText("Quelqu’un paie");
  const bar = second.getByRole("complementary", { name: "Votre créneau" });
  await expect(bar).toContainText(/Gardé jusqu’à \d+\sh\s\d\d/);
  await expect(bar, "on the reader's own clock it needs no name").not.toContainText("heure");
  expect((await bar.boundingBox())?.height, "one line").toBeLessThan(64);
  await fits(second, "a slot is held");
  await barrierFree(second, "one's own flash");
  await sheet.getByRole("button", { name: `Reprendre le paiement de ${PIECE}` }).click();
  await expect(second).toHaveURL(checkout);

  // A third tab lives through what the second does.
  const third = await second.context().newPage();
  await third.goto("/artist/lea-marchetti");
  await expect(third.getByRole("button", { name: "Payer l’acompte" })).toBeVisible();
  await second.getByRole("button", { name: /^Payer \d/ }).click();
  await expect(second.getByRole("heading", { level: 1, name: "C’est confirmé" })).toBeVisible();
  await expect(third.getByRole("button", { name: "Payer l’acompte" })).toHaveCount(0);
  expect((await platform.booking(id)).status).toBe("confirmed");
});

test("the bar of a hold is one line on the narrowest telephones, at any hour", async ({ client, page, platform }) => {
  await untilTheEvening(platform);
  await client.reserve(somebody(), PIECE);
  for (const [language, name, told] of [
    ["fr", "Votre créneau", /Gardé jusqu’à 20\sh\s\d\d/],
    ["en", "Your slot", /Held until 20:\d\d/],
  ] as const) {
    await page.goto(`/artist/lea-marchetti?lang=${language}`);
    const bar = page.getByRole("complementary", { name });
    await expect(bar).toContainText(told);
    for (const width of [320, 360, 375, 390]) {
      await page.setViewportSize({ width, height: 700 });
      const whole = await bar.boundingBox();
      expect(whole?.height, `one line, ${language}, ${width}`).toBeLessThan(64);
      const hour = await bar.locator(".until").boundingBox();
      for (const button of await bar.getByRole("button").all()) {
        const box = await button.boundingBox();
        expect(
          Math.min(box?.height ?? 0, box?.width ?? 0),
          `as large as a finger, ${language}, ${width}`,
        ).toBeGreaterThanOrEqual(44);
        expect(box?.x, `beside the hour, ${language}, ${width}`).toBeGreaterThanOrEqual(
          (hour?.x ?? 0) + (hour?.width ?? Infinity),
        );
      }
      await fits(page, `a slot is held, ${language}, ${width}`);
    }
  }
});

test("the end of a hold names the studio's clock wherever the reader's own shows another hour", async ({
  client,
  page,
  platform,
}) => {
  const until = /jusqu’à \d+\sh\s\d\d, heure de la Martinique/;
  const person = somebody();
  await platform.sql`update artists set timezone = 'America/Martinique', address_shown = 'with_summary' where slug = 'lea-marchetti'`;
  try {
    await client.visit();
    await client.chooseFlash(PIECE);
    await client.toSlots(person);
    await client.toSummary();
    await client.press(client.button("Retenir le créneau", client.dialog));
    await expect(client.dialog).toContainText(until);
    await barrierFree(page, "a hold on another clock, the summary");
    const [row] = await platform.sql`select id from bookings where client_email = ${person.email}`;

    await client.visit();
    const bar = page.getByRole("complementary", { name: "Votre créneau" });
    await expect(bar).toContainText(until);
    for (const width of [320, 390]) {
      await page.setViewportSize({ width, height: 700 });
      expect((await bar.boundingBox())?.height, `the clock stands under its hour, ${width}`).toBeLessThan(64);
      await fits(page, `a hold on another clock, ${width}`);
    }
    await barrierFree(page, "a hold on another clock, the bar");

    await page.goto(`/booking/cancel?id=${row?.id}`);
    await expect(page.getByRole("main")).toContainText(until);
    await platform.wait(11);
    await platform.sweep();
    const mail = await platform.mail(person.email, /^Votre créneau vous attend/);
    for (const told of [mail.subject, mail.text, mail.html]) expect(told).toMatch(until);
  } finally {
    await platform.sql`update artists set timezone = 'Europe/Paris', address_shown = 'after_payment' where slug = 'lea-marchetti'`;
  }
});

test("another browser, the same person: the flash they hold leads back to its payment, and the slot can be swapped", async ({
  client,
  page,
  another,
  platform,
  witness,
}) => {
  const person = somebody();
  const id = await client.reserve(person, PIECE);
  const checkout = page.url();

  const other = await another();
  await other.visit();
  await other.press(other.button(`C’est vous\u202f? Retrouver votre réservation de ${PIECE}`));
  await other.at(other.words.contact);
  await expect(other.dialog).toContainText("Si c’est vous");
  await barrierFree(other.page, "a held flash, step 1");
  await other.toSlots(person);
  await other.toSummary();
  witness.expects(/^409: POST .*\/create/);
  await other.press(other.payButton);
  await expect(other.alert).toContainText(/Vous retenez déjà ce flash.*gardé pour vous jusqu’à \d+\sh\s\d\d/);
  await barrierFree(other.page, "one's own hold stands in the way");
  await fits(other.page, "one's own hold stands in the way");
  await other.press(other.button("Reprendre le paiement", other.dialog));
  await expect(other.page).toHaveURL(checkout);

  await other.page.goBack();
  await expect(other.button("Payer l’acompte")).toBeVisible();
  await other.visit();
  await other.press(other.button(`Reprendre le paiement de ${PIECE}`));
  await expect(other.page).toHaveURL(checkout);
  await other.choose("paid");
  await other.sees("C’est confirmé");
  expect((await platform.booking(id)).status).toBe("confirmed");
});

test("one's own hold stands in the way, and the line is too bad for what could be done about it: words at least", async ({
  client,
  another,
  witness,
}) => {
  const person = somebody();
  await client.reserve(person, PIECE);
  const other = await another();
  await other.page.route(/\/assets\/rival-[^/]*\.js$/, (route) => route.abort());
  await other.visit();
  await other.press(other.button(`C’est vous\u202f? Retrouver votre réservation de ${PIECE}`));
  await other.at(other.words.contact);
  await other.toSlots(person);
  await other.toSummary();
  witness.expects(/^409: POST .*\/create/);
  witness.expects(/rival-/);
  await other.press(other.payButton);
  await expect(other.alert).toContainText(/\S/);
  await expect(other.payButton, "the button can be pressed again").toBeEnabled();
});

test("the slot of a flash that is held is swapped for another", async ({ client, another, platform, witness }) => {
  const person = somebody();
  const id = await client.reserve(person, PIECE);
  const other = await another();
  await other.visit();
  await other.press(other.button(`C’est vous\u202f? Retrouver votre réservation de ${PIECE}`));
  await other.at(other.words.contact);
  await other.toSlots(person);
  await other.toSummary();
  witness.expects(/^409: POST .*\/create/);
  await other.press(other.payButton);
  await other.press(other.button("Échanger le créneau", other.dialog));
  await other.page.waitForURL(/\/c\/pay\//);
  expect((await platform.booking(id)).status).toBe("cancelled");
  const [row] = await platform.sql`select count(*)::int as count from bookings where status = 'pending'`;
  expect(row?.count).toBe(1);
});

test("a browser whose clock is ahead is not told that its time is over", async ({ client, page }) => {
  await client.reserve();
  await page.clock.install({ time: Date.now() + 40 * 60_000 });
  await page.clock.resume();
  await client.visit();
  await expect(client.button("Payer l’acompte")).toBeVisible();
  await page.waitForTimeout(3_000);
  await expect(page.getByText("Le délai de paiement est passé")).toHaveCount(0);
  await expect(client.button("Payer l’acompte")).toBeVisible();
});

test("what ended long ago leaves the browser with the next visit", async ({ client, page }) => {
  await client.visit("noa-keller");
  const hold = {
    id: "019aa000-0000-7000-8000-00000000dead",
    artist: "lea-marchetti",
    flash: null,
    start: "",
    end: "",
    refundable_until: null,
    until: new Date(Date.now() - 2 * 3_600_000).toISOString(),
  };
  await page.evaluate((kept) => localStorage.setItem("inkflow:holds", JSON.stringify([kept])), hold);
  await client.visit("noa-keller");
  await expect.poll(() => page.evaluate(() => localStorage.getItem("inkflow:holds"))).toBeNull();
});
