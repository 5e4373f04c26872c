// The whole way with nothing but a keyboard, and where the focus is at each moment of it.

import type { Locator, Page } from "@playwright/test";
import { somebody } from "../stage/client.ts";
import { expect, test } from "../stage/story.ts";

/** Presses Tab until the focus is there, and sees to it that a person would notice. */
async function tabTo(page: Page, what: Locator): Promise<void> {
  await expect(what).toBeAttached();
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press("Tab");
    if (!(await what.evaluate((element) => element === document.activeElement))) continue;
    // The ring may be drawn around the tile of a radio button rather than around the button itself.
    const seen = await what.evaluate((element) => {
      const own = element instanceof HTMLInputElement ? (element.labels?.[0] ?? null) : null;
      const rings = [element, own, element.parentElement]
        .filter((place) => place !== null)
        .map((place) => getComputedStyle(place));
      return rings.some(
        (style) => (style.outlineStyle !== "none" && style.outlineWidth !== "0px") || style.boxShadow !== "none",
      );
    });
    expect(seen, "the focus can be seen").toBe(true);
    return;
  }
  throw new Error(`sixty presses of Tab do not lead to ${what}`);
}

test("the whole way by keyboard", async ({ client, page }) => {
  const person = somebody();
  await client.visit();
  await tabTo(page, client.button(client.words.bookFlash("Hirondelle")).first());
  await page.keyboard.press("Enter");
  await client.at("Vos coordonnées");
  await expect(client.dialog.getByRole("heading", { name: "Vos coordonnées" }), "the step is announced").toBeFocused();
  for (const [field, text] of [
    [client.words.name, person.name],
    [client.words.email, person.email],
    [client.words.phone, person.phone],
  ] as const) {
    await tabTo(page, client.field(field));
    await page.keyboard.type(text);
  }
  await page.keyboard.press("Enter");
  await client.at("Votre créneau");
  await expect(client.dialog.getByRole("heading", { name: "Votre créneau" })).toBeFocused();
  await expect(client.times.first()).toBeAttached();

  // The days first: the checked one has the focus, an arrow takes the next one that can be booked.
  const checked = client.dialog.getByRole("group", { name: client.words.day }).getByRole("radio", { checked: true });
  const before = await checked.getAttribute("id");
  await tabTo(page, checked);
  await page.keyboard.press("ArrowRight");
  await expect(checked).not.toHaveAttribute("id", before ?? "");
  await expect(checked, "redrawing the slots leaves the focus where it was").toBeFocused();
  await expect(client.times.first()).toBeAttached();
  await tabTo(page, client.times.first());
  await page.keyboard.press("Space");
  await expect(client.times.first()).toBeChecked();
  await page.keyboard.press("ArrowRight");
  if ((await client.times.count()) > 1) await expect(client.times.nth(1)).toBeChecked();
  await tabTo(page, client.button("Continuer", client.dialog));
  await page.keyboard.press("Enter");
  await client.at("Récapitulatif");
  await tabTo(page, client.payButton);
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/c\/pay\//);
  await tabTo(page, client.button(/^Payer \d/));
  await page.keyboard.press("Enter");
  await client.sees("C’est confirmé");
  await tabTo(page, page.getByRole("link", { name: /Retour chez Léa/ }));
});

test("Escape closes the dialog, and the focus returns to what opened it", async ({ client, page }) => {
  await client.visit();
  const opener = client.button(client.words.bookFlash("Hirondelle")).first();
  await tabTo(page, opener);
  await page.keyboard.press("Space");
  await client.at("Vos coordonnées");
  await page.keyboard.press("Escape");
  await expect(client.dialog).toBeHidden();
  await expect(opener).toBeFocused();
  await expect(page).toHaveURL(/\/artist\/lea-marchetti$/);
});

test("Tab stays inside the dialog", async ({ client, page }) => {
  await client.visit();
  await client.chooseFlash();
  for (let presses = 0; presses < 15; presses += 1) {
    await page.keyboard.press("Tab");
    const where = await page.evaluate(() => {
      const place = document.activeElement;
      return place === document.body || place === null
        ? "the browser"
        : place.closest("dialog")
          ? "the dialog"
          : place.outerHTML;
    });
    expect(["the dialog", "the browser"]).toContain(where);
  }
});

test("the month by keyboard: arrows by days and weeks, Escape back to the seven days", async ({ client, page }) => {
  await client.visit();
  await client.proposeProject();
  await client.describe();
  await client.toSlots(somebody());
  const opener = client.dialog.getByRole("button", { name: /choisir dans un mois/ });
  await tabTo(page, opener);
  await page.keyboard.press("Enter");
  const grid = client.dialog.getByRole("grid");
  await expect(grid).toHaveAttribute("aria-busy", "false");
  const reached = grid.locator("button:focus");
  await expect(reached, "the grid has one stop, and it has the focus").toHaveCount(1);
  await page.keyboard.press("PageDown");
  await expect(grid).toHaveAttribute("aria-busy", "false");
  await page.keyboard.press("Home");
  await expect(reached).toHaveAccessibleName(/^lundi/);
  const monday = Number(await reached.textContent());
  await page.keyboard.press("ArrowRight");
  await expect(reached).toHaveAccessibleName(/^mardi/);
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowDown");
  await expect(reached).toHaveAccessibleName(/^lundi/);
  expect(Number(await reached.textContent()), "a week later, in this month or the next").not.toBe(monday);
  await page.keyboard.press("Escape");
  await expect(grid).toHaveCount(0);
  await expect(client.dialog, "Escape left the month, not the dialog").toBeVisible();
  await expect(opener).toBeFocused();
});
