// A picture of every state of every page, in both languages and every way of looking, for eyes and not for gates:
// fonts differ between machines.

import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { CDPSession, Page } from "@playwright/test";
import { LEA, newcomer } from "../stage/artist.ts";
import { type Client, somebody } from "../stage/client.ts";
import { settled, test } from "../stage/story.ts";
import { ARTISTS_MONEY, CLIENTS_MONEY, lay, layRows } from "../stories/money.ts";

const SHOTS = fileURLToPath(new URL("../../../.inkflow/report/shots", import.meta.url));

interface Look {
  name: string;
  width: number;
  height: number;
  text?: number;
  forced?: boolean;
  still?: boolean;
}

const LOOKS: Look[] = [
  { name: "390", width: 390, height: 844 },
  { name: "1280", width: 1280, height: 800 },
  { name: "320", width: 320, height: 640 },
  { name: "390 at 200 %", width: 390, height: 844, text: 2 },
  { name: "390 forced colours", width: 390, height: 844, forced: true },
  { name: "1280 forced colours", width: 1280, height: 800, forced: true },
  { name: "390 reduced motion", width: 390, height: 844, still: true },
];

class Photographer {
  readonly #page: Page;
  readonly #lang: string;
  readonly #devtools: CDPSession;

  private constructor(page: Page, lang: string, devtools: CDPSession) {
    this.#page = page;
    this.#lang = lang;
    this.#devtools = devtools;
  }

  static async of(client: Client, lang: string): Promise<Photographer> {
    return new Photographer(client.page, lang, await client.page.context().newCDPSession(client.page));
  }

  async take(state: string): Promise<void> {
    const page = this.#page;
    for (const look of LOOKS) {
      await page.emulateMedia({
        forcedColors: look.forced ? "active" : "none",
        reducedMotion: look.still ? "reduce" : "no-preference",
      });
      await this.#size(look, look.height);
      // Pictures that wait for the scroll are part of the page, too.
      await page.evaluate(async () => {
        for (const image of document.images) image.loading = "eager";
        await Promise.all([...document.images].map((image) => image.decode().catch(() => undefined)));
      });
      // A window as high as the page: Playwright's own whole-page picture forgets the size of the text.
      const height = await page.evaluate(() =>
        document.querySelector("dialog[open]") ? 0 : document.documentElement.scrollHeight,
      );
      if (height > look.height) await this.#size(look, height);
      mkdirSync(`${SHOTS}/${state}`, { recursive: true });
      await page.screenshot({ path: `${SHOTS}/${state}/${this.#lang} ${look.name}.png`, animations: "disabled" });
    }
    await page.emulateMedia({ forcedColors: "none", reducedMotion: "no-preference" });
    await this.#size({ width: 390 }, 844);
  }

  async #size({ width, text = 1 }: { width: number; text?: number }, height: number): Promise<void> {
    await this.#page.setViewportSize({ width, height });
    await this.#devtools.send("Page.setFontSizes", { fontSizes: { standard: 16 * text, fixed: 13 * text } });
    await settled(this.#page);
  }
}

for (const lang of ["fr", "en"] as const) {
  const locale = lang === "fr" ? "fr-FR" : "en-GB";
  const q = `?lang=${lang}`;

  test(`pages (${lang})`, async ({ another, witness }) => {
    witness.expects(/^404: GET/);
    const client = await another({ locale, speaks: lang });
    const { page } = client;
    const photographer = await Photographer.of(client, lang);
    for (const [state, address] of [
      ["01 home", lang === "fr" ? "/" : "/en"],
      ["02 artist", `/artist/lea-marchetti${q}`],
      ["03 artist on Cal.com", `/artist/noa-keller${q}`],
      ["04 no such page", "/nowhere"],
      ["05 no such artist", `/artist/nobody${q}`],
      ["06 legal", "/legal"],
      ["07 problems", "/problems"],
    ] as const) {
      await page.goto(address);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await photographer.take(state);
    }
  });

  test(`the dialog (${lang})`, async ({ another, platform, witness }) => {
    witness.expects(/^409: POST .*\/create/);
    witness.expects(/^502: POST .*\/create/);
    const client = await another({ locale, speaks: lang });
    const photographer = await Photographer.of(client, lang);
    const { page, words } = client;
    await client.visit();
    await client.chooseFlash();
    await photographer.take("10 details");
    await client.next();
    await photographer.take("11 details, wrong");
    await client.toSlots(somebody());
    await photographer.take("12 slots");
    await client.takeSlot(1);
    await photographer.take("13 slots, one chosen");
    const wanted = Number(
      (await client.dialog.getByRole("radio", { checked: true }).last().getAttribute("id"))?.replace("slot-", ""),
    );
    await client.next();
    await client.at(words.summary);
    await photographer.take("14 summary");
    await platform.turn({ stripe: "down" });
    await client.press(client.payButton);
    await client.alert.getByText(/\w/).first().waitFor();
    await photographer.take("15 the payment does not open");
    await platform.turn({ stripe: "ok" });
    await platform.startOver();
    await platform.bookElsewhere(new Date(wanted).toISOString());
    await client.press(client.payButton);
    await client.at(words.slot);
    await client.alert.getByText(/\w/).first().waitFor();
    await photographer.take("16 the slot was taken");
    await page.goto(`/artist/lea-marchetti${q}`);
    await client.proposeProject();
    await client.describe();
    await photographer.take("17 details of a project");
  });

  test(`the dialog in trouble (${lang})`, async ({ another, platform, witness }) => {
    witness.expects(/^503: GET .*slots/);
    const client = await another({ locale, speaks: lang });
    const photographer = await Photographer.of(client, lang);
    const { page, words } = client;
    await platform.turn({ calendar: "down" });
    await client.visit("noa-keller");
    await client.chooseFlash("Dague et ruban");
    await client.introduce(somebody());
    await client.next();
    await client.at(words.slot);
    await client.dialog
      .getByText(/agenda de l’artiste|artist’s calendar/)
      .first()
      .waitFor();
    await photographer.take("18 the calendar is down");
    await platform.turn({ calendar: "ok" });
    await page.route("**/api/calendar/slots*", async (route) => {
      const answer = await route.fetch();
      const body = (await answer.json()) as { days: { slots: unknown[] }[] };
      for (const day of body.days) day.slots = [];
      await route.fulfill({ response: answer, json: body });
    });
    await page.goto(`/artist/lea-marchetti${q}`);
    await client.chooseFlash();
    await client.introduce(somebody());
    await client.next();
    await client.at(words.slot);
    await client.dialog.getByRole("button").nth(2).waitFor();
    await page.waitForTimeout(300);
    await photographer.take("19 a full week");
  });

  test(`after the payment (${lang})`, async ({ another, platform, witness }) => {
    witness.expects(/^404: GET .*bookings/);
    const client = await another({ locale, speaks: lang });
    const photographer = await Photographer.of(client, lang);
    const { page } = client;
    const heading = page.getByRole("heading", { level: 1 });
    const look = async (state: string): Promise<void> => {
      await heading.waitFor();
      await page.waitForLoadState("networkidle");
      await photographer.take(state);
    };
    await page.goto(`/artist/lea-marchetti${q}`);
    const id = await client.reserve(somebody(), "Phalène de nuit");
    const checkout = page.url();
    await page.goto(`/artist/lea-marchetti${q}`);
    await look("20 a slot is held");
    await page.goto(`/booking/cancel?id=${id}`);
    await look("21 interrupted");
    await page.goto(`/booking/success?id=${id}`);
    await look("22 being verified");
    await platform.settle(checkout, "paid");
    await page.goto(`/booking/success?id=${id}`);
    await look("23 confirmed");
    await page.goto(`/artist/lea-marchetti${q}`);
    await look("24 artist, a flash gone");
    for (const { name, change } of CLIENTS_MONEY) {
      await lay(page, "**/api/bookings/*", change);
      await page.goto(`/booking/success?id=${id}`);
      await look(`25 ${name}`);
    }
    await page.unroute("**/api/bookings/*");
    const lapsing = await client.reserve();
    await platform.wait(31);
    await page.goto(`/booking/success?id=${lapsing}`);
    await look("27 overdue");
    await platform.sweep();
    await page.goto(`/booking/success?id=${lapsing}`);
    await look("28 given back");
    await page.goto("/booking/success?id=019aa000-0000-7000-8000-0000000000ff");
    await look("29 unknown");
  });

  test(`the dashboard (${lang})`, async ({ another, artistIn, platform, witness }) => {
    witness.expects(/^409: POST .*\/confirm/);
    const client = await another({ locale, speaks: lang });
    const artist = artistIn(client.page, lang);
    const photographer = await Photographer.of(client, lang);
    const { page, words } = artist;
    await platform.bookedFor("Camille Robert", { nth: 0 });
    const waiting = await platform.bookedFor("Sacha Petit", { nth: 1, paid: false });
    const over = await platform.bookedFor("Alex Martin", { nth: 2 });
    await platform.sql`update bookings set scheduled_at = now() - interval '3 hours', ends_at = now() - interval '1 hour', version = version + 1 where id = ${over}`;
    await artist.arrive();
    await photographer.take("40 the door");
    await artist.press(artist.button(words.createAccount));
    await artist.press(artist.button(words.createAccount));
    await photographer.take("41 a new account, wrong");
    await page.reload();
    await artist.signIn(LEA);
    await artist.sees(words.hello);
    await artist.settled();
    await photographer.take("42 overview");
    await artist.open("#/bookings");
    await photographer.take("43 bookings");
    await artist.open("#/bookings?view=cancelled");
    await photographer.take("44 bookings, none");
    await artist.open(`#/bookings/${waiting}`);
    await photographer.take("45 a booking");
    await artist.press(artist.button(words.cancel("Sacha Petit")));
    await artist.dialog().getByRole("button").nth(1).waitFor();
    await photographer.take("46 before a cancellation");
    await page.keyboard.press("Escape");
    await platform.sql`update bookings set version = version + 1 where id = ${waiting}`;
    await artist.press(artist.button(words.confirm("Sacha Petit")));
    await page.getByRole("main").getByRole("alert").getByText(/\w/).first().waitFor();
    await photographer.take("47 changed in the meantime");
    for (const [state, section] of [
      ["50 settings", ""],
      ["51 profile", "/profile"],
      ["52 hours", "/hours"],
      ["53 time off", "/time-off"],
      ["54 flashes", "/flashes"],
      ["55 rules", "/rules"],
      ["56 policy", "/policy"],
      ["57 calendar", "/calendar"],
      ["58 account", "/account"],
    ] as const) {
      await artist.open(`#/settings${section}`);
      await photographer.take(state);
    }
  });

  test(`the dashboard's money (${lang})`, async ({ another, artistIn, platform }) => {
    test.setTimeout(600_000);
    const client = await another({ locale, speaks: lang });
    const artist = artistIn(client.page, lang);
    const photographer = await Photographer.of(client, lang);
    const { page } = artist;
    const id = await platform.bookedFor("Camille Robert");
    await artist.enter();
    for (const { name, change } of ARTISTS_MONEY) {
      await lay(page, `**/api/dashboard/bookings/${id}`, change);
      await layRows(page, change);
      for (const [state, address] of [
        ["48 a booking", `#/bookings/${id}`],
        ["48 a row", "#/bookings"],
      ] as const) {
        await page.goto("about:blank");
        await artist.open(address);
        await photographer.take(`${state}, ${name}`);
      }
    }
    await page.unrouteAll();
    await artist.open(`#/bookings/${id}`);
    await artist.press(artist.button(/^(Rendre de l’argent à|Give money back to) Camille Robert$/));
    await photographer.take("49 before a refund");
    await artist.dialog().getByRole("textbox").fill("60");
    await artist.press(artist.dialog().getByRole("button").last());
    await photographer.take("49 before a refund, wrong");
  });

  test(`the first steps (${lang})`, async ({ another, artistIn, platform }) => {
    const client = await another({ locale, speaks: lang });
    const artist = artistIn(client.page, lang);
    const photographer = await Photographer.of(client, lang);
    const { page, words } = artist;
    await artist.signUp(newcomer(), platform);
    await photographer.take("60 first steps, page");
    await page
      .getByRole("textbox")
      .first()
      .fill(`Atelier ${Math.random().toString(36).slice(2, 8)}`);
    await artist.field(lang === "fr" ? "Ville" : "Town").fill("Nantes");
    await artist
      .field(lang === "fr" ? "Adresse de l’atelier" : "Address of the studio")
      .fill("3 rue Kervégan, 44000 Nantes");
    await artist.press(artist.button(lang === "fr" ? "Créer ma page" : "Create my page"));
    await artist.sees(lang === "fr" ? "Quand travaillez-vous ?" : "When do you work?");
    await photographer.take("61 first steps, hours");
    await artist.press(artist.button(lang === "fr" ? "Continuer" : "Continue"));
    await artist.sees(lang === "fr" ? "Un premier flash" : "A first flash");
    await photographer.take("62 first steps, flash");
    await artist.open("#/");
    await photographer.take("63 overview, empty");
  });
}
