// What a mail is for: the way back to a payment, the appointment in any calendar, and lines that fit any screen.

import { LEA } from "../stage/artist.ts";
import { expect, test } from "../stage/story.ts";

test("a client who left the payment comes back by the mail, and pays", async ({ client, page, platform }) => {
  await platform.bookedFor("Camille Durand", { paid: false });
  await platform.wait(11);
  await platform.sweep();
  const mail = await platform.mail(
    "camille.durand@example.fr",
    /^Votre créneau vous attend jusqu’à \d+\sh\s\d\d, heure de Paris\s: Hirondelle/,
  );
  const back = /Reprendre le paiement\s: (\S+)/.exec(mail.text)?.[1] ?? "";
  await page.goto(back);
  await client.press(page.getByRole("button", { name: "Reprendre le paiement" }));
  await client.choose("paid");
  await client.sees("C’est confirmé");
});

test("an appointment opens in two other calendars and in a mail to the artist", async ({ page, platform }) => {
  const id = await platform.bookedFor("Camille Durand");
  await page.goto(`/booking/success?id=${id}`);
  const main = page.getByRole("main");
  const link = (name: string | RegExp) => main.getByRole("link", { name });
  await expect(link("Google Agenda")).toHaveAttribute(
    "href",
    /^https:\/\/calendar\.google\.com\/calendar\/render\?action=TEMPLATE&text=Hirondelle/,
  );
  await expect(link("Outlook")).toHaveAttribute(
    "href",
    /^https:\/\/outlook\.live\.com\/calendar\/0\/deeplink\/compose\?.*&startdt=\d{4}-/,
  );
  await expect(link("lea@marchetti.example")).toHaveAttribute("href", "mailto:lea@marchetti.example");
});

test("an address that holds a question mark begins no header of the artist's mail", async ({ artist, platform }) => {
  const id = await platform.bookedFor("Camille Durand");
  await platform.sql`update bookings set client_email = 'jo?bcc=zoe%40example.fr&body=x@example.fr' where id = ${id}`;
  await artist.enter(LEA, `#/bookings/${id}`);
  await expect(artist.page.getByRole("link", { name: "jo?bcc=" })).toHaveAttribute(
    "href",
    "mailto:jo%3Fbcc%3Dzoe%2540example.fr%26body%3Dx@example.fr",
  );
});

test("in the list of mails an address breaks before its @ and its dots, and not inside its words", async ({
  artist,
  platform,
}) => {
  const { page } = artist;
  const id = await platform.bookedFor("Camille Robert B5ynfm");
  await platform.mail("camille.robert.b5ynfm@example.fr", /confirm/i);
  await artist.enter(LEA, `#/bookings/${id}`);
  const line = page.locator(".lines small").filter({ hasText: "camille.robert.b5ynfm@example.fr" }).first();
  for (const width of [320, 342, 364, 390, 412]) {
    await page.setViewportSize({ width, height: 844 });
    const broken = await line.evaluate((small) => {
      const texts = document.createTreeWalker(small, NodeFilter.SHOW_TEXT);
      const found: string[] = [];
      for (let text = texts.nextNode(); text; text = texts.nextNode()) {
        const range = document.createRange();
        range.selectNodeContents(text);
        if (!/\s/.test(text.nodeValue ?? "") && range.getClientRects().length > 1) found.push(text.nodeValue ?? "");
      }
      return found;
    });
    expect(broken, `${width}`).toEqual([]);
    expect(await line.locator("wbr").count(), "the address is taken apart where it may break").toBe(4);
  }
});

test("a mail is as wide as the screen, whatever people are called", async ({ context, platform }) => {
  await platform.bookedFor("Camille Durand");
  const long = "W".repeat(100);
  for (const [to, name] of [
    ["camille.durand@example.fr", "Léa Marchetti"],
    ["lea@marchetti.example", "Camille Durand"],
  ] as const) {
    const mail = await platform.mail(to, /confirmé/i);
    expect(mail.html).toContain(name);
    const page = await context.newPage();
    await page.setViewportSize({ width: 390, height: 844 });
    await page.setContent(mail.html.replaceAll(name, long).replaceAll("camille.durand@", `${long.toLowerCase()}@`));
    expect(await page.evaluate(() => document.documentElement.scrollWidth), to).toBe(390);
    await page.close();
  }
});
