// What a person reads where a page cannot be drawn, on each root; and what the operator is told.

import type { Page } from "@playwright/test";
import { LEA } from "../stage/artist.ts";
import { somebody } from "../stage/client.ts";
import { barrierFree, expect, fits, test } from "../stage/story.ts";

/** From the next page on, something that every view needs fails, until it is mended. */
async function breaks(page: Page, what: "dates" | "ranges" | "amounts"): Promise<void> {
  await page.addInitScript((broken) => {
    if (sessionStorage.getItem("mended")) return;
    const fail = (): never => {
      throw new RangeError('Invalid "Camille" camille@example.fr');
    };
    if (broken === "dates") Intl.DateTimeFormat.prototype.formatToParts = fail;
    // Only the second step of the dialog names a range of days.
    else if (broken === "ranges") Intl.DateTimeFormat.prototype.formatRangeToParts = fail;
    else Object.defineProperty(Intl.NumberFormat.prototype, "format", { get: fail });
  }, what);
}

async function mend(page: Page): Promise<void> {
  await page.evaluate(() => sessionStorage.setItem("mended", "yes"));
}

test("the artist's page, and nothing of a person is told", async ({ page, witness, client }) => {
  witness.expects(/^told: .*"kind":"render","page":"\/artist\/lea-marchetti"/);
  await breaks(page, "amounts");
  const told = page.waitForRequest("**/api/page-errors");
  await page.goto("/artist/lea-marchetti?flash=1#x");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Cette page ne s’affiche pas");
  await expect(page.getByRole("alert")).toContainText("écrivez à l’artiste");
  const { page: path, error, at, browser } = (await told).postDataJSON();
  expect([path, error]).toEqual(["/artist/lea-marchetti", "RangeError"]);
  expect(at.length, "where in the script").toBeGreaterThan(0);
  expect(browser).toMatch(/^Chrome\/\d/);
  expect((await (await told).response())?.status()).toBe(202);
  await fits(page, "the artist's page failed");
  await barrierFree(page, "the artist's page failed");
  await mend(page);
  await client.press(page.getByRole("button", { name: "Recharger la page" }));
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Léa Marchetti");
});

test("a step of the dialog: it can be left, and what was typed is there again", async ({ page, witness, client }) => {
  witness.expects(/^told: .*"kind":"render"/);
  const person = somebody();
  await breaks(page, "ranges");
  await client.visit();
  await client.chooseFlash();
  await client.introduce(person);
  await client.next();
  await client.at("Cette étape ne s’affiche pas");
  await expect(client.dialog.getByRole("heading")).toBeFocused();
  await expect(client.alert).toContainText("ce que vous avez écrit est gardé");
  await fits(page, "a step failed");
  await barrierFree(page, "a step failed");
  await client.press(client.button("Fermer", client.dialog));
  await expect(client.dialog).toBeHidden();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Léa Marchetti");
  await client.chooseFlash();
  await expect(client.field(client.words.email)).toHaveValue(person.email);
});

test("the page after the payment", async ({ page, witness, platform }) => {
  witness.expects(/^told: .*"page":"\/booking\/success"/);
  const id = await platform.bookedFor("Camille Robert");
  await breaks(page, "dates");
  await page.goto(`/booking/success?id=${id}`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Cette page ne s’affiche pas");
  await expect(page.getByRole("alert")).toContainText("Votre rendez-vous et votre paiement n’en souffrent pas");
  await barrierFree(page, "the page after the payment failed");
});

test("a view of the dashboard: the others stay within reach", async ({ artist, witness }) => {
  const { page } = artist;
  await artist.enter(LEA);
  witness.expects(/^told: .*"page":"\/dashboard"/);
  await page.evaluate(() =>
    Object.defineProperty(Intl.NumberFormat.prototype, "format", {
      get: () => {
        throw new RangeError("no");
      },
      configurable: true,
    }),
  );
  await artist.press(artist.link("Rendez-vous").first());
  await artist.press(artist.link("Réglages").first());
  await artist.press(page.getByRole("navigation").getByRole("link").first());
  await expect(artist.heading()).toHaveText("Cette vue ne s’affiche pas");
  await expect(page.getByRole("alert").filter({ hasText: "Vos rendez-vous" })).toContainText("n’en souffrent pas");
  await fits(page, "a view failed");
  await barrierFree(page, "a view failed");
  await artist.press(artist.link("Réglages").first());
  await artist.sees("Réglages");
});

test("a script that does not arrive", async ({ page, witness }) => {
  witness.expects(/^failed: GET .*\/assets\/app-/);
  witness.expects(/^told: .*"page":"\/dashboard"/);
  await page.route("**/assets/app-*.js", (route) => route.abort());
  await page.goto("/dashboard");
  await expect(page.getByRole("main").getByRole("heading", { level: 1 })).toHaveText("Cette vue ne s’affiche pas");
  await barrierFree(page, "no script");
});

test("not even the words arrive", async ({ page, witness }) => {
  witness.expects(/^failed: GET .*\/assets\//);
  await page.route(/\/assets\/(page|failure)-.*\.js/, (route) => route.abort());
  await page.goto("/booking/success?id=1");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("La page ne répond pas");
  await expect(page.getByRole("button", { name: "Réessayer" })).toBeVisible();
});

test("an exception that nothing shows is told once, and a stranger's never", async ({ page, witness, client }) => {
  witness.expects(/^told: .*"kind":"error"/);
  witness.expects(/^exception: /);
  const requests: string[] = [];
  page.on("request", (request) => request.url().endsWith("/api/page-errors") && requests.push(request.url()));
  await client.visit();
  await page.evaluate(() => {
    const fail = (where: string): boolean => {
      const error = new TypeError("no");
      error.stack = `fail@${location.origin}${where}`;
      return dispatchEvent(new ErrorEvent("error", { error }));
    };
    fail("/elsewhere.js:1:2");
    for (let turn = 0; turn < 3; turn += 1) fail("/assets/site-x.js:1:2");
    setTimeout(() => {
      throw new Error("seen by the browser, and by nobody else");
    });
  });
  await expect.poll(() => requests.length).toBe(1);
  await page.waitForTimeout(300);
  expect(requests.length).toBe(1);
});
