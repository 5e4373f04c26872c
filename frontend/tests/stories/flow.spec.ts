// The way from the vitrine to the confirmed appointment, by finger on the phone and by mouse at the desk.

import { readFile } from "node:fs/promises";
import ICAL from "ical.js";
import { somebody } from "../stage/client.ts";
import { barrierFree, expect, fits, test } from "../stage/story.ts";

test("a client books a flash, pays, and takes the appointment along", async ({ client, page, platform }) => {
  const person = somebody();
  await client.visit();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Léa Marchetti");
  await barrierFree(page, "the vitrine");

  await client.chooseFlash("Hirondelle");
  await barrierFree(page, "step 1");
  await client.next();
  await expect(client.field(client.words.name)).toBeFocused();
  await expect(client.field(client.words.email)).toHaveAccessibleDescription(/@/);
  await barrierFree(page, "step 1 with its errors");

  await client.toSlots(person);
  await barrierFree(page, "step 2");
  await client.next();
  await expect(client.alert).toContainText("Choisissez un créneau");
  const slot = await client.toSummary();
  expect(slot, "a whole name").toMatch(
    /^(lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche) \d+.* \S+, \d+\sh\s\d\d/,
  );
  await expect(client.dialog).toContainText("150");
  await expect(client.payButton).toHaveText(/Payer l’acompte de 50\s€/);
  await expect(client.dialog).toContainText(
    /Remboursable jusqu’au \S+ \d+ \S+, \d+\sh\s\d\d|l’acompte n’est plus remboursable/,
  );
  await expect(client.dialog).toContainText("Pour annuler, répondez à l’e-mail de confirmation.");
  await expect(client.dialog).not.toContainText("déplacer");
  await barrierFree(page, "step 3");

  await client.pay();
  const until = /gardé jusqu’à (\d+\sh\s\d\d)/.exec(
    (await page.locator("main").innerText()).replace(/\u00a0/g, " "),
  )?.[1];
  const id =
    new URL((await page.getByRole("link", { name: /Revenir au site/ }).getAttribute("href")) ?? "").searchParams.get(
      "id",
    ) ?? "";
  const [row] =
    await platform.sql`select to_char(hold_expires_at at time zone 'Europe/Paris', 'FMHH24 "h" MI') as until from bookings where id = ${id}`;
  expect(until, "the hour on Stripe's page is the end of the hold").toBe(row?.until);
  await client.choose("paid");
  await client.sees("C’est confirmé");
  await expect(page).toHaveURL(/\/booking\/success\?id=/);
  await expect(page.getByRole("main")).toContainText("14 montée de la Grande-Côte");
  await expect(page.getByRole("main")).toContainText(/50\s€/);
  await barrierFree(page, "confirmed");

  const download = page.waitForEvent("download");
  await client.press(page.getByRole("link", { name: "Ajouter à mon agenda" }));
  const file = await (await download).path();
  const event = new ICAL.Event(
    new ICAL.Component(ICAL.parse(await readFile(file, "utf8"))).getFirstSubcomponent("vevent") ?? undefined,
  );
  const booked = await platform.booking(new URL(page.url()).searchParams.get("id") ?? "");
  expect(event.startDate.toJSDate().toISOString()).toBe(new Date(booked.start).toISOString());
  expect(event.summary).toContain("Hirondelle");
  expect(event.location).toContain("Lyon");

  const mail = await platform.mail(person.email, /confirm/i);
  expect(mail.invitation?.content_type).toContain("method=REQUEST");
  expect(mail.attachments.map((attachment) => attachment.filename)).toEqual(["rendez-vous.ics"]);
});

test("the street is told from when the artist chose, and nobody else reads it", async ({ client, page, platform }) => {
  const street = "14 montée de la Grande-Côte";
  await client.visit();
  await client.chooseFlash();
  await client.toSlots(somebody());
  await client.toSummary();
  await expect(client.dialog, "by default not before the payment").toContainText("quand le rendez-vous est confirmé");
  await expect(client.dialog).not.toContainText(street);
  expect(await page.content()).not.toContain("Grande-Côte");

  await platform.sql`update artists set address_shown = 'with_summary'`;
  try {
    await page.goto("/artist/lea-marchetti");
    await client.chooseFlash();
    await client.next();
    await client.toSummary();
    await expect(client.dialog).toContainText("dès que le créneau est retenu");
    await expect(client.dialog).not.toContainText(street);
    await client.press(client.button("Retenir le créneau", client.dialog));
    await expect(client.dialog, "the hold is the price of the street").toContainText(street);
    await barrierFree(page, "step 3 with the street");
    await client.pay();
    await client.choose("paid");
    await client.sees("C’est confirmé");
    await expect(page.getByRole("link", { name: "Voir sur la carte" })).toHaveAttribute(
      "href",
      /openstreetmap\.org\/search\?query=14\+mont/,
    );

    await platform.sql`update artists set address_shown = 'public'`;
    await client.visit();
    await expect(page.getByRole("main")).toContainText(`${street}, 69001 Lyon, sur rendez-vous. Voir sur la carte`);
    await barrierFree(page, "the vitrine with the street");
  } finally {
    await platform.sql`update artists set address_shown = 'after_payment'`;
  }
});

test("a Saturday two months ahead is three presses away, and nothing lies beyond the horizon", async ({
  client,
  page,
}) => {
  await client.visit();
  await client.proposeProject();
  await client.describe();
  await client.toSlots(somebody());
  const dialog = client.dialog;
  const today = new Date();
  const wanted = new Date(today.getFullYear(), today.getMonth() + 2, 1, 12);
  const month = new Intl.DateTimeFormat("fr-FR", { month: "long", year: "numeric" }).format(wanted);
  await client.press(dialog.getByRole("button", { name: /choisir dans un mois/ }));
  await client.press(dialog.getByRole("button", { name: month, exact: true }));
  await expect(dialog.getByRole("grid", { name: month })).toBeVisible();
  const saturday = dialog.getByRole("button", { name: /^samedi .*, \d+ créneaux?$/ }).first();
  await expect(saturday).toBeVisible();
  await barrierFree(page, "a month");
  await fits(page, "a month");
  const dot = await dialog
    .locator(".month td .free")
    .first()
    .evaluate((day) => getComputedStyle(day, "::after").backgroundColor);
  const name = ((await saturday.getAttribute("aria-label")) ?? "").split(",")[0] ?? "";
  await client.press(saturday);
  await expect(client.days.first(), "seven days from there").toBeChecked();
  await expect(client.days.first()).toBeFocused();
  const small = dialog.locator(".days input:not(:checked) + label .free").first();
  expect(
    await small.evaluate((day) => getComputedStyle(day).backgroundColor),
    "free is one colour, of a month and of its days",
  ).toBe(dot);
  await client.toSummary();
  await expect(dialog).toContainText(new RegExp(name, "i"));

  // The last month, and its last day.
  await client.press(client.button("Retour", dialog));
  await client.press(dialog.getByRole("button", { name: /choisir dans un mois/ }));
  await client.press(dialog.getByRole("group", { name: "Mois" }).getByRole("button").last());
  await expect(dialog.getByRole("grid")).toHaveAttribute("aria-busy", "false");
  const last = /jusqu’au (\d+)/.exec((await dialog.textContent()) ?? "")?.[1];
  await expect(
    dialog
      .getByRole("gridcell")
      .filter({ hasText: new RegExp(`^${last}$`) })
      .getByRole("button"),
  ).not.toHaveAccessibleName(/pas encore ouvert/);
  const beyond = dialog
    .getByRole("gridcell")
    .filter({ hasText: new RegExp(`^${Number(last) + 1}$`) })
    .getByRole("button");
  if ((await beyond.count()) > 0) await expect(beyond).toHaveAccessibleName(/pas encore ouvert/);
});

test("a client proposes a project to an artist on Cal.com", async ({ client, page, platform }) => {
  const person = somebody("Sacha Petit");
  await client.visit("noa-keller");
  await client.proposeProject();
  await client.next();
  await expect(client.field(client.words.description), "the first mistake has the focus").toBeFocused();
  await client.describe();
  await client.toSlots(person);
  await client.toSummary();
  await expect(client.dialog).toContainText("Votre projet");
  await expect(client.payButton).toHaveText(/100\s€/);
  await client.pay();
  await client.choose("paid");
  await client.sees("C’est confirmé");

  await platform.mail(person.email, /confirm/i);
  const link = page.getByRole("link", { name: /Cal\.com|agenda de/ });
  await expect(async () => {
    await page.reload();
    await expect(link).toBeVisible({ timeout: 1_000 });
  }, "the calendar is told by a job").toPass();
  const calendar = await page.request.get((await link.getAttribute("href")) ?? "");
  expect(calendar.status()).toBe(200);
  await barrierFree(page, "confirmed, with a calendar");
});

test("the whole way in English", async ({ another, platform }) => {
  const client = await another({ locale: "en-GB", speaks: "en" });
  const { page } = client;
  const person = somebody("Alex Smith");
  await client.visit();
  await expect(page.locator("html")).toHaveAttribute("lang", "en");
  await client.chooseFlash("Hirondelle");
  await client.toSlots(person);
  const slot = await client.toSummary();
  expect(slot).toMatch(/^(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day/);
  await expect(client.payButton).toHaveText(/Pay the €50 deposit/);
  await barrierFree(page, "step 3 in English");
  await client.pay();
  await client.choose("paid");
  await client.sees("It is confirmed");
  await expect(page.locator("html")).toHaveAttribute("lang", "en");
  await expect(page.getByRole("main")).not.toContainText(/acompte|créneau|Artiste/);
  const mail = await platform.mail(person.email, /confirm/i);
  expect(mail.text).toContain("deposit");
});

test("a link into the dialog opens it, and closing it stays on the page", async ({ client, page }) => {
  await page.goto("/artist/lea-marchetti?flash=019aa000-0000-7000-8000-0000000000f1");
  await client.at("Vos coordonnées");
  await expect(client.dialog).toContainText("Hirondelle");
  await client.press(client.button("Fermer", client.dialog));
  await expect(client.dialog).toBeHidden();
  await expect(page).toHaveURL(/\/artist\/lea-marchetti$/);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Léa Marchetti");
});

test("a visitor from another zone reads studio time, and their own beside it", async ({ another }) => {
  const client = await another({ timezoneId: "America/Montreal" });
  await client.visit();
  await client.chooseFlash();
  await client.toSlots(somebody());
  await expect(client.dialog).toContainText("Heures de l’atelier");
  // Which hours are left of the first day depends on the hour the test runs at.
  const first = client.dialog.getByRole("radio", { name: /, \d+\sh\s\d\d, soit .*chez vous$/ }).first();
  await expect(first).toBeAttached();
  const label =
    (await first.evaluate(
      (radio: HTMLInputElement) => radio.getAttribute("aria-label") ?? radio.labels?.[0]?.textContent,
    )) ?? "";
  const [studio, own] = [...label.matchAll(/(\d+)\sh\s\d\d/g)].map((hour) => Number(hour[1]));
  expect(
    (Number(studio) + 24 - Number(own)) % 24,
    `Paris is ahead of Montréal by six hours, five for some days in spring and autumn: ${label}`,
  ).toBeGreaterThanOrEqual(5);
  expect((Number(studio) + 24 - Number(own)) % 24, label).toBeLessThanOrEqual(6);
});

test("however a locale writes a date, the whole way stands", async ({ client, page, platform }) => {
  // Between two releases of ICU `en-CA` changed from 2026-11-30 to 11/30/2026, and back.
  await page.addInitScript(() => {
    const texts = Object.getOwnPropertyDescriptor(Intl.DateTimeFormat.prototype, "format")?.get;
    Object.defineProperty(Intl.DateTimeFormat.prototype, "format", {
      get() {
        const write = texts?.call(this) as (at: Date) => string;
        return (at: Date) => Array.from(write(at)).reverse().join("");
      },
    });
  });
  const id = await client.reserve();
  await client.choose("paid");
  await client.sees("C’est confirmé");
  expect((await platform.booking(id)).status).toBe("confirmed");
});
