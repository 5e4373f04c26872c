// Whose clock a page tells: the studio's, as the API has it. Browsers have tables of zones of their own, years old in some.

import type { Page } from "@playwright/test";
import { LEA } from "../stage/artist.ts";
import { somebody } from "../stage/client.ts";
import { barrierFree, expect, fits, test } from "../stage/story.ts";

/** No zone was ever three hours and seventeen minutes ahead of UTC: what shows this clock cannot have computed it. */
const AHEAD = 3 * 60 + 17;
const told = (time: string): string =>
  new Date(Date.parse(time) + AHEAD * 60_000).toISOString().replace(/\.\d+Z$/, "+03:17");

/** Moves every time of the API's answers to that clock, whole answers of any shape. */
async function moveTheStudio(page: Page): Promise<void> {
  const moved = (value: unknown): unknown => {
    if (typeof value === "string")
      return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d$/.test(value) ? told(value) : value;
    if (Array.isArray(value)) return value.map(moved);
    return value !== null && typeof value === "object"
      ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, moved(each)]))
      : value;
  };
  await page.route(/\/api\//, async (route) => {
    const response = await route.fetch();
    if (!response.headers()["content-type"]?.includes("json")) return route.fulfill({ response });
    return route.fulfill({ response, json: moved(await response.json()) });
  });
}

/** An hour on that clock, which no hour of the demo's studios is on theirs. */
const HOUR = /\d+\sh\s(17|47)/;

test("picker, summary and success page print the hour that the API says, whatever the browser believes", async ({
  client,
  page,
  platform,
}) => {
  await moveTheStudio(page);
  await client.visit();
  await client.chooseFlash();
  await client.toSlots(somebody());
  await expect(client.dialog).toContainText("Heures de l’atelier\u00a0: heure de Paris.");
  const slot = await client.toSummary();
  expect(slot).toMatch(HOUR);
  await expect(client.dialog.locator(".when")).toHaveText(/\d+\sh\s(17|47)\s–\s\d+\sh\s(17|47)/);
  await client.pay();
  await client.choose("paid");
  await client.sees("C’est confirmé");
  const id = new URL(page.url()).searchParams.get("id") ?? "";
  const { start } = await platform.booking(id);
  const [, hour, minute] = /T(\d\d):(\d\d)/.exec(told(start)) ?? [];
  await expect(page.locator(".ticket")).toContainText(`${Number(hour)}\u00a0h\u00a0${minute}`);
  await expect(page.locator(".ticket")).toContainText("heure de Paris");
});

test("the dashboard prints the hour that the API says", async ({ artist, platform }) => {
  const { page } = artist;
  const id = await platform.bookedFor("Camille Robert", { nth: 0 });
  await moveTheStudio(page);
  await artist.arrive();
  await artist.signIn(LEA);
  await artist.sees(artist.words.hello);
  await expect(page.locator(".asides")).toContainText(HOUR);
  await artist.open("#/bookings");
  await expect(artist.row("Camille Robert").locator("time")).toHaveText(/\d+\sh\s(17|47)\s–\s\d+\sh\s(17|47)/);
  await artist.open(`#/bookings/${id}`);
  await expect(page.locator(".whole .when")).toContainText(HOUR);
});

test("the two turns of an hour that comes twice are told apart", async ({ client, page }) => {
  const [first, second, third] = [
    "2027-10-31T02:30:00+02:00",
    "2027-10-31T02:30:00+01:00",
    "2027-10-31T03:30:00+01:00",
  ];
  await page.route("**/api/calendar/slots*", async (route) => {
    const response = await route.fetch();
    const answer = await response.json();
    const slots = [
      { start: first, end: second, start_turn: "summer", end_turn: "winter" },
      { start: second, end: third, start_turn: "winter" },
    ];
    answer.days = answer.days.map((day: { date: string }, index: number) => ({
      ...day,
      slots: index === 0 ? slots : [],
    }));
    return route.fulfill({ response, json: answer });
  });
  await client.visit();
  await client.chooseFlash();
  await client.toSlots(somebody());
  await expect(client.times).toHaveCount(2);
  await expect(client.times.nth(0)).toHaveAttribute("aria-label", /2\sh\s30 heure d’été/);
  await expect(client.times.nth(1)).toHaveAttribute("aria-label", /2\sh\s30 heure d’hiver/);
  await fits(page, "two turns of an hour");
  await barrierFree(page, "two turns of an hour");
  await client.toSummary();
  await expect(client.dialog.locator(".when")).toContainText(/2\sh\s30 heure d’été – 2\sh\s30 heure d’hiver/);
  await expect(client.dialog.locator(".when"), "eleven months away").toContainText("dimanche 31 octobre 2027");
});
