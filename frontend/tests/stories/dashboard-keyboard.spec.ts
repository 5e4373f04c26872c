// The dashboard with nothing but a keyboard, and where the focus is at each moment.

import type { Locator, Page } from "@playwright/test";
import { LEA } from "../stage/artist.ts";
import { expect, test } from "../stage/story.ts";

/** Presses Tab until the focus is there, and sees to it that a person would notice. */
async function tabTo(page: Page, what: Locator): Promise<void> {
  await expect(what).toBeVisible();
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press("Tab");
    if (!(await what.evaluate((element) => element === document.activeElement))) continue;
    const seen = await what.evaluate((element) => {
      const rings = [element, element.closest("li"), element.parentElement]
        .filter((place) => place !== null)
        .map((place) => getComputedStyle(place));
      return rings.some((style) => style.outlineStyle !== "none" && style.outlineWidth !== "0px");
    });
    expect(seen, "the focus can be seen").toBe(true);
    return;
  }
  throw new Error(`sixty presses of Tab do not lead to ${what}`);
}

test("in, confirm, take back, cancel, and a setting, by keyboard", async ({ artist, platform }) => {
  const { page } = artist;
  const id = await platform.bookedFor("Sacha Petit", { paid: false });
  await artist.arrive();
  await tabTo(page, artist.field(artist.words.email));
  await page.keyboard.type(LEA.email);
  await tabTo(page, artist.field(artist.words.password));
  await page.keyboard.type(LEA.password);
  await page.keyboard.press("Enter");
  await expect(artist.heading(), "the view is announced").toBeFocused();
  await artist.settled();

  await tabTo(page, artist.button(artist.words.confirm("Sacha Petit")));
  await page.keyboard.press("Enter");
  const row = artist.row("Sacha Petit");
  await expect(row.getByText("Confirmé.", { exact: true }), "what came of it has the focus").toBeFocused();
  await page.keyboard.press("Tab");
  await expect(artist.button(artist.words.undo("Sacha Petit")), "the way back is next").toBeFocused();
  await page.keyboard.press("Enter");
  await expect(row.getByText("La confirmation est reprise", { exact: false })).toBeFocused();
  expect((await platform.booking(id)).status).toBe("pending");

  await tabTo(page, artist.button(artist.words.cancel("Sacha Petit")));
  await page.keyboard.press("Enter");
  await expect(artist.dialog().getByRole("heading")).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(artist.dialog()).toBeHidden();
  await expect(artist.button(artist.words.cancel("Sacha Petit")), "the focus is back where it was").toBeFocused();
  await page.keyboard.press("Enter");
  await expect(artist.dialog()).toContainText("Rien n’a été payé");
  await tabTo(page, artist.button("Annuler le rendez-vous", artist.dialog()));
  await page.keyboard.press("Enter");
  await expect(artist.dialog()).toBeHidden();
  await expect.poll(async () => (await platform.booking(id)).status).toBe("cancelled");

  await page.goto("/dashboard?lang=fr#/settings/rules");
  await expect(artist.heading()).toBeFocused();
  const percent = artist.field(/^Acompte d’un flash/);
  await tabTo(page, percent);
  const stored = await percent.inputValue();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("abc");
  await page.keyboard.press("Enter");
  await expect(percent, "the mistake has the focus").toBeFocused();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type(stored);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("status").filter({ hasText: "Enregistré." })).toBeVisible();

  // Past the bar in one press.
  await page.goto("/dashboard?lang=fr#/bookings");
  await artist.settled();
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await tabTo(page, artist.link("Aller au contenu"));
  await page.keyboard.press("Enter");
  await expect(artist.heading()).toBeFocused();
});
