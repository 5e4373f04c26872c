// Each button of the payment page: what the client reads afterwards is the truth, and they pay once.

import type { Page } from "@playwright/test";
import { somebody } from "../stage/client.ts";
import type { Platform } from "../stage/platform.ts";
import { barrierFree, expect, test } from "../stage/story.ts";

async function paidOnce(platform: Platform, id: string): Promise<void> {
  const ledger = await platform.sql`select kind, amount_cents from payments where booking_id = ${id}`;
  expect(ledger.map((row) => [row.kind, Number(row.amount_cents)])).toEqual([["capture", 5000]]);
}

test("paid", async ({ client, platform }) => {
  const id = await client.reserve();
  await client.choose("paid");
  await client.sees("C’est confirmé");
  await paidOnce(platform, id);
});

test("declined, then paid on the same page", async ({ client, page, platform }) => {
  const id = await client.reserve();
  await client.choose("declined");
  await expect(page.getByRole("alert")).toContainText("refusée");
  expect((await platform.booking(id)).status).toBe("pending");
  await client.choose("paid");
  await client.sees("C’est confirmé");
  await paidOnce(platform, id);
});

/** Whatever asked the client to pay, at any moment of the page's life. */
async function askedToPay(page: Page): Promise<() => Promise<string[]>> {
  await page.addInitScript(() => {
    const asked = /Reprendre le paiement|Libérer le créneau|pas encore payé|terminé le paiement/;
    const seen: string[] = JSON.parse(sessionStorage.getItem("asked") ?? "[]");
    new MutationObserver(() => {
      const found = asked.exec(document.body?.innerText ?? "")?.[0];
      if (found && location.pathname.startsWith("/booking/success"))
        sessionStorage.setItem("asked", JSON.stringify([...seen, found]));
    }).observe(document, { subtree: true, childList: true, characterData: true });
  });
  return () => page.evaluate(() => JSON.parse(sessionStorage.getItem("asked") ?? "[]") as string[]);
}

for (const outcome of ["webhook_lost", "webhook_late"] as const) {
  test(`${outcome}: Stripe is asked at once, and who has paid is never asked to pay again`, async ({
    client,
    page,
    platform,
  }) => {
    const asked = await askedToPay(page);
    const id = await client.reserve();
    await client.choose(outcome);
    await client.sees("C’est confirmé", 8_000);
    const address = page.url();
    if (outcome === "webhook_late") {
      // The message comes after all, and changes nothing.
      await expect
        .poll(async () => (await platform.sql`select id from stripe_events where booking_id = ${id}`).length, {
          timeout: 20_000,
        })
        .toBeGreaterThan(0);
      await page.reload();
      await client.sees("C’est confirmé");
    }
    expect([await asked(), page.url()]).toEqual([[], address]);
    await paidOnce(platform, id);
  });
}

test("neither the message nor Stripe's answer comes: the page waits without a promise, until the sweeper finds the payment", async ({
  client,
  page,
  platform,
  witness,
}) => {
  const asked = await askedToPay(page);
  const id = await client.reserve();
  await page.route("**/api/bookings/*/check", (route) => route.abort("connectionfailed"));
  witness.expects(/^failed: POST .*\/check/);
  await client.choose("webhook_lost");
  await client.sees("Paiement en cours de vérification");
  await barrierFree(page, "being verified");
  // A hold is left alone for its first seconds.
  await platform.wait(0.5);
  await platform.sweep();
  if ((await platform.booking(id)).status === "pending") await platform.sweep();
  await client.sees("C’est confirmé", 20_000);
  expect(await asked()).toEqual([]);
  await paidOnce(platform, id);
});

test("who has paid and comes back to the vitrine is not asked to pay again", async ({ client, page, platform }) => {
  const id = await client.reserve();
  await platform.settle(page.url(), "webhook_lost");
  await client.visit();
  await expect.poll(async () => (await platform.booking(id)).status).toBe("confirmed");
  await expect(client.button("Payer l’acompte")).toHaveCount(0);
  await page.goto(`/booking/cancel?id=${id}`);
  await client.sees("C’est confirmé");
});

test("the page after the payment, without a payment: Stripe's word, and the way back to where it can be paid", async ({
  client,
  page,
}) => {
  const id = await client.reserve();
  await page.goto(`/booking/success?id=${id}`);
  await expect(page.getByRole("main")).toContainText("Stripe n’a reçu aucun paiement", { timeout: 25_000 });
  await expect(client.button("Reprendre le paiement")).toHaveCount(0);
  await barrierFree(page, "not paid");
  await client.press(page.getByRole("link", { name: "Je n’ai pas terminé le paiement" }));
  await client.sees("Paiement interrompu");
  await expect(client.button("Reprendre le paiement")).toBeVisible();
});

test("the notification is doubled: one payment, one mail", async ({ client, platform }) => {
  const person = somebody();
  const id = await client.reserve(person);
  await client.choose("webhook_doubled");
  await client.sees("C’est confirmé");
  await platform.mail(person.email, /confirm/i);
  await paidOnce(platform, id);
});

test("the payment page expires: the slot is given back, and said so", async ({ client, page, platform }) => {
  const id = await client.reserve();
  await client.choose("expire");
  await client.sees("Le créneau a été rendu", 15_000);
  await barrierFree(page, "expired");
  expect((await platform.booking(id)).status).toBe("cancelled");
  await client.press(page.getByRole("link", { name: "Choisir un autre créneau" }));
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Léa Marchetti");
});
