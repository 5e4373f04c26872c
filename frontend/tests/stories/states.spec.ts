// The pages after the payment, in every state a booking can have: they say what the database knows.

import { barrierFree, expect, fits, test } from "../stage/story.ts";
import { CLIENTS_MONEY, lay } from "./money.ts";

const NOBODY = "019aa000-0000-7000-8000-0000000000ff";

test("an unknown booking", async ({ client, page, witness }) => {
  witness.expects(/^404: GET .*\/api\/bookings\//);
  await page.goto(`/booking/success?id=${NOBODY}`);
  await client.sees("Réservation introuvable");
  await barrierFree(page, "unknown booking");
  await page.goto("/booking/success?id=not-an-id");
  await client.sees("Réservation introuvable");
  await page.goto("/booking/cancel");
  await client.sees("Réservation introuvable");
});

test("an abandoned payment can be resumed", async ({ client, page }) => {
  const id = await client.reserve();
  const checkout = page.url();
  await client.press(page.getByRole("link", { name: /Revenir au site/ }));
  await client.sees("Paiement interrompu");
  expect(new URL(page.url()).searchParams.get("id")).toBe(id);
  await expect(page.getByRole("main")).toContainText(/gardé jusqu’à \d+\sh\s\d\d/);
  await barrierFree(page, "interrupted");
  await client.press(client.button("Reprendre le paiement"));
  await expect(page).toHaveURL(checkout);
  await client.choose("paid");
  await client.sees("C’est confirmé");
});

test("an abandoned payment can be given back", async ({ client, page, platform }) => {
  const id = await client.reserve();
  await page.goto(`/booking/cancel?id=${id}`);
  await client.press(client.button("Libérer le créneau"));
  await client.sees("Créneau libéré");
  await barrierFree(page, "given back");
  const given = await platform.booking(id);
  expect([given.status, given.checkout_url]).toEqual(["cancelled", null]);
});

test("a hold that runs out says so, first as overdue, then as given back", async ({ client, page, platform }) => {
  const id = await client.reserve();
  await page.goto(`/booking/success?id=${id}`);
  await client.sees("Paiement en cours de vérification");
  await platform.wait(31);
  await client.sees("Le délai de paiement est passé", 15_000);
  await barrierFree(page, "overdue");
  await platform.sweep();
  await page.reload();
  await client.sees("Le créneau a été rendu");
  await expect(page.getByRole("link", { name: "Choisir un autre créneau" })).toBeVisible();
});

test("money that comes after the slot is gone goes back, and the page says how much", async ({
  client,
  page,
  platform,
}) => {
  const id = await client.reserve();
  const checkout = page.url();
  // The hold is cancelled under the client's feet while the payment page is still open, and somebody takes the slot.
  await platform.sql`update bookings set status = 'cancelled', cancel_reason = 'hold_expired', hold_expires_at = null, version = version + 1 where id = ${id}`;
  await platform.bookElsewhere((await platform.booking(id)).start);
  await platform.settle(checkout, "paid");
  await expect.poll(async () => (await platform.booking(id)).payment_status, { timeout: 20_000 }).toBe("refunded");
  await page.goto(`/booking/success?id=${id}`);
  await client.sees("Paiement arrivé trop tard");
  await expect(page.getByRole("main")).toContainText(/50\s€ vous ont été rendus/);
  await barrierFree(page, "refunded");
});

test("an appointment that the artist cancels, and one that is over", async ({ client, page, platform }) => {
  const id = await client.reserve();
  await client.choose("paid");
  await client.sees("C’est confirmé");
  await platform.sql`update bookings set status = 'completed', version = version + 1 where id = ${id}`;
  await page.reload();
  await client.sees("Rendez-vous passé");
  await barrierFree(page, "over");

  const other = await client.reserve();
  await client.choose("paid");
  await client.sees("C’est confirmé");
  await platform.sql`update bookings set status = 'cancelled', cancel_reason = 'artist', payment_status = 'refund_pending', version = version + 1 where id = ${other}`;
  await page.reload();
  await client.sees("Rendez-vous annulé");
  await expect(page.getByRole("main"), "nothing has left yet").toContainText("Un remboursement vous est dû");
  await barrierFree(page, "cancelled");
});

test("the page says where the money is, whatever became of it", async ({ client, page }) => {
  const id = await client.reserve();
  await client.choose("paid");
  await client.sees("C’est confirmé");
  const main = page.getByRole("main");
  for (const { name, change, title, says, never } of CLIENTS_MONEY) {
    await lay(page, "**/api/bookings/*", change);
    await page.goto(`/booking/success?id=${id}`);
    await client.sees(title);
    for (const words of says) await expect(main, name).toContainText(words);
    if (never) await expect(main, name).not.toContainText(never);
    await barrierFree(page, name);
    await fits(page, name);
  }
});

test("a status that cannot be read is not taken for bad news", async ({ client, page, witness }) => {
  const id = await client.reserve();
  await client.choose("paid");
  await client.sees("C’est confirmé");
  witness.expects(/^failed: GET .*\/api\/bookings\//);
  await page.route("**/api/bookings/*", (route) => route.abort("connectionfailed"));
  await page.goto(`/booking/success?id=${id}`);
  await expect(page.getByRole("main")).toContainText("S’il y a eu un paiement, il n’est pas perdu");
  await barrierFree(page, "unread");
  await expect(client.button("Réessayer")).toBeVisible();
  // Pressed or not: the page looks again by itself.
  await page.unroute("**/api/bookings/*");
  await client.sees("C’est confirmé", 15_000);
});
