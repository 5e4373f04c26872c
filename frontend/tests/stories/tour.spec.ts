// The page that a newcomer of `make dev` opens first: its way through the product, and its switches.

import { barrierFree, expect, fits, test } from "../stage/story.ts";

test("the tour leads everywhere it says, and its switches are pulled", async ({ page, platform }) => {
  await page.goto("/dev");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("InkFlow sur cette machine");
  await expect(page.getByRole("status").filter({ hasText: "Tout fonctionne depuis" })).toBeVisible();
  expect(
    await page
      .getByRole("button", { name: "Balayer maintenant" })
      .evaluate((button) => getComputedStyle(button).borderRadius),
    "it has the look of the site",
  ).toBe("3px");
  await expect(page.getByRole("row", { name: /^create-booking/ })).toBeVisible();
  await fits(page, "the tour");
  await barrierFree(page, "the tour");
  for (const link of await page.getByRole("main").getByRole("link").all()) {
    const address = await link.evaluate((anchor: HTMLAnchorElement) => anchor.href);
    expect((await page.request.get(address)).status(), address).toBe(200);
  }

  await page.getByRole("button", { name: "Balayer maintenant" }).click();
  await expect(page.getByText(/^Balayage fait/)).toBeVisible();
  await page.getByRole("group", { name: "API de Stripe" }).getByRole("radio", { name: "en panne" }).check();
  await expect.poll(async () => (await page.request.get("/dev/switches")).json()).toMatchObject({ stripe: "down" });
  await platform.turn({ stripe: "ok" });

  await page.getByRole("button", { name: "Entrer comme Léa" }).click();
  await expect(page.getByText("Bonjour Léa")).toBeVisible();
});

test.describe("in English", () => {
  test.use({ locale: "en-GB" });

  test("the tour speaks it", async ({ page }) => {
    await page.goto("/dev");
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("InkFlow on this machine");
    await expect(page.getByText("€150")).toBeVisible();
    await expect(page.getByRole("button", { name: "Reset everything" })).toBeVisible();
  });
});
