// Each button of the payment page: what the client reads afterwards is the truth, and they pay once.

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

test("the notification is lost: the page waits without a promise, and the sweeper finds the payment", async ({ client, page, platform }) => {
  const id = await client.reserve();
  await client.choose("webhook_lost");
  await client.sees("Paiement en cours de vérification");
  await barrierFree(page, "being verified");
  // A hold is left alone for its first seconds.
  await platform.wait(0.5);
  await platform.sweep();
  if ((await platform.booking(id)).status === "pending") await platform.sweep();
  await client.sees("C’est confirmé", 20_000);
  await paidOnce(platform, id);
});

test("the notification is late: the page finds out by itself", async ({ client, page, platform }) => {
  const id = await client.reserve();
  await client.choose("webhook_late");
  await client.sees("Paiement en cours de vérification");
  const address = page.url();
  await client.sees("C’est confirmé", 25_000);
  expect(page.url()).toBe(address);
  await paidOnce(platform, id);
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
