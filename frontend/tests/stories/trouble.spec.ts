// What goes wrong between two people, two networks and two systems, and what the client reads and keeps.

import { type Browser, chromium } from "@playwright/test";
import { Client, somebody } from "../stage/client.ts";
import { barrierFree, expect, test } from "../stage/story.ts";

test("two people want one slot: one gets it, the other keeps every answer and reads what is left", async ({
  client,
  another,
  page,
  platform,
  witness,
}) => {
  const other = await another();
  const people = [somebody("Ana Costa"), somebody("Ben Roux")] as const;
  for (const [who, person] of [
    [client, people[0]],
    [other, people[1]],
  ] as const) {
    await who.visit();
    await who.chooseFlash();
    await who.toSlots(person);
  }
  const wanted = await client.toSummary();
  expect(await other.toSummary(), "both see the same first slot").toBe(wanted);
  await other.pay();

  witness.expects(/^409: POST .*\/api\/bookings\/create$/);
  await client.press(client.payButton);
  await client.at("Votre créneau");
  await expect(client.alert).toContainText("vient d’être pris");
  await expect(client.times.first()).toBeAttached();
  await expect(client.dialog.getByRole("radio", { name: wanted, exact: true })).toHaveCount(0);
  await expect(
    client.dialog.getByRole("radio", { name: wanted.split(",")[0] ?? "" }).first(),
    "near the wanted one",
  ).toBeAttached();
  await barrierFree(page, "the slot was taken");

  const next = await client.toSummary();
  expect(next).not.toBe(wanted);
  await client.pay();
  await client.choose("paid");
  await client.sees("C’est confirmé");
  const mail = await platform.mail(people[0].email, /confirm/i);
  expect(mail.text, "the name typed before the refusal").toContain("Ana");
});

test("on a slow line a press is answered before the dialog has come", async ({ client, page }) => {
  let send = (): void => undefined;
  const kept = new Promise<void>((resolve) => {
    send = resolve;
  });
  await page.route(/\/assets\/dialog-[^/]*\.js$/, async (route) => {
    await kept;
    await route.continue();
  });
  await client.visit();
  await client.press(client.button(client.words.proposeProject));
  const waiting = page.getByText("Un instant, la réservation s’ouvre…");
  await expect(waiting).toBeVisible();
  await barrierFree(page, "the dialog is on its way");
  send();
  await client.at(client.words.contact);
  await expect(waiting).toHaveCount(0);
});

test("each step is one Back away, and nothing typed is lost on the way", async ({ client, page }) => {
  const person = somebody();
  await client.visit();
  await client.chooseFlash();
  await client.toSlots(person);
  await client.toSummary();
  await page.goBack();
  await client.at("Votre créneau");
  await expect(client.times.first(), "the slot stays chosen").toBeChecked();
  await page.goBack();
  await client.at("Vos coordonnées");
  await expect(client.field(client.words.email)).toHaveValue(person.email);
  await page.goForward();
  await client.at("Votre créneau");
  await page.goBack();
  await client.at("Vos coordonnées");
  await page.goBack();
  await expect(client.dialog).toBeHidden();
  await expect(page).toHaveURL(/\/artist\/lea-marchetti$/);
});

test("a reload keeps the answers", async ({ client, page }) => {
  const person = somebody();
  await client.visit();
  await client.proposeProject();
  await client.describe();
  await client.introduce(person);
  await page.reload();
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  // The dialog comes back by itself where the address still names it; that takes a moment.
  const reopened = await client.dialog.waitFor({ timeout: 3_000 }).then(
    () => true,
    () => false,
  );
  if (!reopened) await client.proposeProject();
  await client.at("Vos coordonnées");
  await expect(client.field(client.words.name)).toHaveValue(person.name);
  await expect(client.field(client.words.zone)).toHaveValue("Avant-bras gauche");
});

test("back from the payment page, the slot is still held: resume it, or give it back", async ({
  client,
  page,
  platform,
}) => {
  const id = await client.reserve();
  const checkout = page.url();
  await page.goBack();
  const resume = client.button("Payer l’acompte");
  await expect(resume).toBeVisible();
  await barrierFree(page, "a slot is held");
  await client.press(resume);
  await expect(page).toHaveURL(checkout);
  await page.goBack();
  await client.press(client.button("Libérer le créneau"));
  await expect(resume).toBeHidden();
  await expect(page.getByText("Le créneau est libéré.")).toBeVisible();
  expect((await platform.booking(id)).status).toBe("cancelled");
});

test("one's own hold never hides the slot from oneself", async ({ client, page, platform }) => {
  const person = somebody();
  await client.visit();
  await client.chooseFlash();
  await client.toSlots(person);
  const wanted = await client.toSummary();
  await client.pay();
  const checkout = page.url();
  for (let turn = 0; turn < 2; turn += 1) {
    await page.goBack();
    await expect(client.button("Payer l’acompte")).toBeVisible();
    if (!(await client.dialog.isVisible())) await client.chooseFlash();
    await client.at("Vos coordonnées");
    await client.next();
    await client.at("Votre créneau");
    await client.pick(client.dialog.getByRole("radio", { name: wanted }));
    await client.next();
    await client.at("Récapitulatif");
    await client.press(client.dialog.getByRole("button", { name: /^Payer l’acompte de/ }));
    await page.waitForURL(/\/c\/pay\//);
    expect(page.url(), "the same payment").toBe(checkout);
  }
  const [row] = await platform.sql`select count(*)::int as count from bookings`;
  expect(row?.count).toBe(1);
});

test.describe("a browser with a back-forward cache", () => {
  let browser: Browser;
  test.beforeAll(async ({ launchOptions }) => {
    browser = await chromium.launch({ ...launchOptions, ignoreDefaultArgs: ["--disable-back-forward-cache"] });
  });
  test.afterAll(() => browser.close());

  test("a page that comes back from the cache is awake, and paying again is the same booking", async ({
    baseURL,
    hasTouch,
    viewport,
    isMobile,
    locale,
    witness,
    platform,
  }) => {
    const context = await browser.newContext({
      baseURL: baseURL ?? "",
      viewport,
      hasTouch,
      isMobile,
      locale: locale ?? "fr-FR",
    });
    await witness.watch(context);
    const page = await context.newPage();
    const client = new Client(page, { touches: hasTouch ?? false });
    await page.addInitScript(() =>
      addEventListener("pageshow", (event) => (document.documentElement.dataset["cached"] = String(event.persisted))),
    );
    await client.visit();
    await client.chooseFlash();
    await client.toSlots(somebody());
    await client.toSummary();
    await client.pay();
    const checkout = page.url();
    await page.goBack({ waitUntil: "commit" });
    await expect(page.locator("html"), "it came from the cache").toHaveAttribute("data-cached", "true");
    await client.press(page.getByRole("button", { name: /^Payer l’acompte/ }).last());
    await page.waitForURL(/\/c\/pay\//);
    expect(page.url()).toBe(checkout);
    await client.choose("paid");
    await client.sees("C’est confirmé");
    const [row] = await platform.sql`select count(*)::int as count from bookings`;
    expect(row?.count).toBe(1);
    await context.close();
  });
});

test("offline at the payment: said so, kept, and the next try goes through", async ({
  client,
  page,
  platform,
  witness,
}) => {
  witness.expects(/^failed: POST .*\/api\/bookings\/create net::ERR_INTERNET_DISCONNECTED$/);
  await client.visit();
  await client.chooseFlash();
  await client.toSlots(somebody());
  await client.toSummary();
  await page.context().setOffline(true);
  await client.press(client.payButton);
  await expect(client.dialog.getByText(/réseau|hors ligne/i).first()).toBeVisible();
  await barrierFree(page, "offline");
  await page.context().setOffline(false);
  await client.pay();
  const [row] = await platform.sql`select count(*)::int as count from bookings`;
  expect(row?.count).toBe(1);
});

test("an answer that gets lost on its way is asked for again, and is the same booking", async ({
  client,
  page,
  platform,
  witness,
}) => {
  witness.expects(/^failed: POST .*\/api\/bookings\/create/);
  await client.visit();
  await client.chooseFlash();
  await client.toSlots(somebody());
  await client.toSummary();
  await page.route(
    "**/api/bookings/create",
    async (route) => {
      await route.fetch();
      await route.abort("connectionreset");
    },
    { times: 1 },
  );
  await client.press(client.payButton);
  await expect(client.alert).toContainText("Pas de réponse du réseau");
  await client.pay();
  const [row] = await platform.sql`select count(*)::int as count from bookings`;
  expect(row?.count).toBe(1);
});

test("the artist's calendar does not answer: no guess, a word, and a way to try again", async ({
  client,
  page,
  platform,
  witness,
}) => {
  witness.expects(/^503: GET .*\/api\/calendar\/slots/);
  await platform.turn({ calendar: "down" });
  await client.visit("noa-keller");
  await client.chooseFlash("Dague et ruban");
  await client.introduce(somebody());
  await client.next();
  await client.at("Votre créneau");
  await expect(client.dialog.getByText(/L’agenda de l’artiste ne répond pas/)).toBeVisible();
  await expect(client.times).toHaveCount(0);
  await barrierFree(page, "the calendar is down");
  await platform.turn({ calendar: "ok" });
  await client.press(client.button("Réessayer", client.dialog));
  await expect(client.times.first()).toBeAttached();
  await client.toSummary();
  await client.pay();
});

test("the payment service does not answer: the slot is kept, and the next try opens it", async ({
  client,
  platform,
  witness,
}) => {
  witness.expects(/^502: POST .*\/api\/bookings\/create/);
  await client.visit();
  await client.chooseFlash();
  await client.toSlots(somebody());
  await client.toSummary();
  await platform.turn({ stripe: "down" });
  await client.press(client.payButton);
  await expect(client.alert).toContainText("La page de paiement ne s’ouvre pas");
  await platform.turn({ stripe: "ok" });
  await client.pay();
  const [row] = await platform.sql`select count(*)::int as count from bookings`;
  expect(row?.count).toBe(1);
});

test("a unique flash that somebody pays right now is marked, and refused with a reason", async ({
  client,
  another,
  page,
  witness,
}) => {
  const other = await another();
  await client.visit();
  await client.chooseFlash("Phalène de nuit");
  await client.toSlots(somebody());
  await client.toSummary(1);
  await other.reserve(somebody(), "Phalène de nuit");
  witness.expects(/^409: POST .*\/api\/bookings\/create$/);
  await client.press(client.payButton);
  await expect(client.alert).toContainText("vient d’être retenu");
  await client.press(client.button("Fermer", client.dialog));
  await expect(client.button(/^Réserver Phalène/)).toHaveCount(0);
  await expect(page.getByText("Retenu", { exact: true })).toBeVisible();
  await barrierFree(page, "a flash is held");
});

test("the sentence that fields are wrong leaves with the last of them", async ({ client }) => {
  const person = somebody();
  await client.visit();
  await client.chooseFlash();
  await client.next();
  await expect(client.alert).toContainText("Quelques champs sont à revoir.");
  await client.field(client.words.name).fill(person.name);
  await client.field(client.words.email).fill(person.email);
  await expect(client.alert, "one is left").toContainText("Quelques champs sont à revoir.");
  await client.field(client.words.phone).fill(person.phone);
  await expect(client.alert).not.toContainText("Quelques champs");
});

test("what the server finds wrong comes back to the field it is about", async ({ client, page, witness }) => {
  witness.expects(/^422: POST .*\/api\/bookings\/create$/);
  // Without the reading beside the fields, which would say it before.
  await page.route("**/api/contact/read", (route) => route.fulfill({ json: { phone: null, email: null } }));
  await client.visit();
  await client.chooseFlash();
  // Passes the page's own look, not the server's.
  await client.toSlots({ ...somebody(), email: "camille@exemple..fr" });
  await client.toSummary();
  await client.press(client.payButton);
  await client.at("Vos coordonnées");
  await expect(client.field(client.words.email)).toBeFocused();
  await expect(client.field(client.words.email)).toHaveAttribute("aria-invalid", "true");
});
