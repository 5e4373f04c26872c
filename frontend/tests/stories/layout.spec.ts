// What every page promises, whoever looks: it fits, it is barrier-free, it is strict, and it previews as a link.

import { gzipSync } from "node:zlib";
import type { Locator, Page, Response } from "@playwright/test";
import { somebody } from "../stage/client.ts";
import { barrierFree, expect, fits, test } from "../stage/story.ts";

const PAGES = [
  "/",
  "/en",
  "/artist/lea-marchetti",
  "/artist/noa-keller",
  "/booking/success",
  "/booking/cancel",
  "/problems",
  "/legal",
  "/en/legal",
];

test("the other pages are barrier-free, in both languages", async ({ page, witness }) => {
  witness.expects(/^404: GET .*\/nowhere/);
  for (const address of [
    "/",
    "/?lang=en",
    "/problems",
    "/legal",
    "/legal?lang=en",
    "/nowhere",
    "/nowhere?lang=en",
    "/artist/lea-marchetti?lang=en",
  ]) {
    await page.goto(address);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await barrierFree(page, address);
  }
});

test("who reads English gets English without asking, and the artist's words keep their own language", async ({
  another,
  witness,
}) => {
  witness.expects(/^404: GET .*\/nowhere/);
  const { page } = await another({ locale: "en-CA" });
  for (const address of ["/", "/legal", "/nowhere", "/artist/lea-marchetti", "/booking/success?id=x"]) {
    await page.goto(address);
    await expect(page.locator("html"), address).toHaveAttribute("lang", "en");
    const foot = page.locator(".site-foot");
    if ((await foot.count()) > 0) await expect(foot, address).not.toContainText("Mentions", { useInnerText: true });
  }
  await page.goto("/artist/lea-marchetti");
  await expect(page.locator(".bio")).toHaveAttribute("lang", "fr");
  await expect(page.getByRole("heading", { level: 3, name: "Hirondelle" })).toHaveAttribute("lang", "fr");
  // What was asked for in this tab goes before the browser's own wish.
  await page.getByRole("link", { name: "Français" }).click();
  await expect(page.locator("html")).toHaveAttribute("lang", "fr");
  await expect(page.locator(".bio")).not.toHaveAttribute("lang");
  await page.goto("/artist/noa-keller");
  await expect(page.locator("html")).toHaveAttribute("lang", "fr");
});

test("the first page shows who can be booked: a new artist too, and none who has closed", async ({
  page,
  platform,
  request,
  witness,
}) => {
  // Artists of a story before may stand there as well.
  const card = (slug: string): Locator => page.locator(`.artists li a[href="/artist/${slug}?lang=fr"]`);
  await page.goto("/?lang=fr");
  await expect(card("lea-marchetti")).toBeVisible();
  await expect(card("noa-keller")).toBeVisible();
  await barrierFree(page, "the first page with its artists");
  await fits(page, "the first page with its artists");
  await platform.sql`update artists set active = false where slug = 'noa-keller'`;
  try {
    await expect(async () => {
      await page.reload();
      await expect(card("lea-marchetti")).toBeVisible();
      await expect(card("noa-keller")).toBeHidden({ timeout: 2_000 });
    }).toPass();
    expect((await request.get("/api/artists")).status()).toBe(200);
  } finally {
    await platform.sql`update artists set active = true where slug = 'noa-keller'`;
  }

  const note = page.getByRole("status");
  await page.route("**/api/artists", (route) => route.fulfill({ json: { artists: [] } }));
  await page.reload();
  await expect(note).toHaveText("Personne n’a encore ouvert ses réservations.");
  await barrierFree(page, "nobody can be booked");
  witness.expects(/^503: GET .*\/api\/artists$/);
  await page.route("**/api/artists", (route) => route.fulfill({ status: 503, json: {} }));
  await page.reload();
  await expect(note).toContainText("ne se charge pas");
});

test("an artist who is not here is a page that says so", async ({ page, witness }) => {
  witness.expects(/^404: GET .*\/artist\/nobody/);
  const answer = await page.goto("/artist/nobody");
  expect(answer?.status()).toBe(404);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await barrierFree(page, "no such artist");
});

test("at 320 pixels nothing scrolls sideways", async ({ client, page, witness }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  witness.expects(/^404: GET .*\/nowhere/);
  for (const address of [...PAGES, "/nowhere"]) {
    await page.goto(address);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await fits(page, address);
  }
  await client.visit();
  await client.proposeProject();
  await client.next();
  await fits(page, "step 1 with its errors");
  await client.describe();
  await client.toSlots(somebody("Bartholomé-Alexandre de Rochechouart-Montmorency"));
  await fits(page, "step 2");
  await client.toSummary();
  await fits(page, "step 3");
  await client.pay();
  await page.getByRole("link", { name: /Revenir au site/ }).click();
  await client.sees("Paiement interrompu");
  await fits(page, "interrupted");
  await page.goBack();
  await client.choose("paid");
  await client.sees("C’est confirmé");
  await fits(page, "confirmed");
});

test("text at twice its size still fits", async ({ client, page }) => {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Page.setFontSizes", { fontSizes: { standard: 32, fixed: 26 } });
  for (const address of PAGES) {
    await page.goto(address);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await fits(page, `${address} at 200 %`);
  }
  await client.visit();
  await client.proposeProject();
  await fits(page, "step 1 at 200 %");
  await client.describe();
  await client.toSlots(somebody());
  await fits(page, "step 2 at 200 %");
  await client.toSummary();
  await fits(page, "step 3 at 200 %");
});

test("no figure is drawn in the display face, whose 1 is the letter l", async ({ client, page }) => {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("DOM.enable");
  await devtools.send("CSS.enable");
  let looked = 0;
  const figures = async (state: string): Promise<void> => {
    await page.evaluate(() => document.fonts.ready);
    const marked = await page.evaluate(() => {
      const shown = [...document.querySelectorAll<HTMLElement>("body *")].filter(
        (element) =>
          element.checkVisibility() &&
          getComputedStyle(element).fontFamily.includes("Instrument") &&
          [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && /\d/.test(node.textContent ?? "")),
      );
      for (const element of shown) {
        const figure = document.createElement("span");
        figure.textContent = "1";
        figure.dataset.figure = element.textContent ?? "";
        element.append(figure);
      }
      return shown.length;
    });
    looked += marked;
    const { root } = await devtools.send("DOM.getDocument");
    const { nodeIds } = await devtools.send("DOM.querySelectorAll", { nodeId: root.nodeId, selector: "[data-figure]" });
    expect(nodeIds.length, state).toBe(marked);
    for (const nodeId of nodeIds) {
      const { fonts } = await devtools.send("CSS.getPlatformFontsForNode", { nodeId });
      expect(
        fonts.map(({ familyName }) => familyName),
        state,
      ).not.toContain("Instrument Serif");
      expect(fonts.length, state).toBe(1);
    }
    await page.evaluate(() => document.querySelectorAll("[data-figure]").forEach((figure) => figure.remove()));
  };
  await client.visit();
  await figures("the artist's page");
  await client.proposeProject();
  await client.describe();
  await client.toSlots(somebody());
  await figures("step 2");
  await client.toSummary();
  await figures("step 3");
  await client.pay();
  await client.choose("paid");
  await client.sees("C’est confirmé");
  await figures("confirmed");
  expect(looked, "dates and hours in the display face").toBeGreaterThan(1);
});

test("every page comes with the strict policy", async ({ request }) => {
  for (const address of PAGES) {
    const policy = (await request.get(address)).headers()["content-security-policy"] ?? "";
    for (const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ]) {
      expect(policy.split(/;\s*/), address).toContain(rule);
    }
  }
});

test("a shared link previews, and the page reads without a script", async ({ another, request, platform }) => {
  const html = await (await request.get("/artist/lea-marchetti")).text();
  const meta = (property: string) => new RegExp(`<meta property="${property}" content="([^"]+)"`).exec(html)?.[1] ?? "";
  expect(meta("og:title")).toContain("Léa Marchetti");
  expect(meta("og:image"), "an absolute address").toMatch(new RegExp(`^${platform.site}/`));
  const picture = await request.get(meta("og:image"));
  expect(picture.status()).toBe(200);
  expect(picture.headers()["content-type"], "what link previews can draw").toMatch(/^image\/(png|jpeg|webp)$/);
  const facts = /<script type="application\/ld\+json">(.+?)<\/script>/s.exec(html)?.[1] ?? "null";
  expect(JSON.parse(facts)).toMatchObject({ "@context": "https://schema.org" });

  const { page } = await another({ javaScriptEnabled: false });
  await page.goto("/artist/lea-marchetti");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Léa Marchetti");
  await expect(page.getByRole("heading", { level: 3, name: "Hirondelle" })).toBeVisible();
});

/** What stands on an artist's page, as it was written. */
function whole(page: Page): Promise<string[]> {
  return page
    .locator("#app header, #app section")
    .evaluateAll((parts) => parts.filter((part) => !part.closest("dialog")).map((part) => part.outerHTML));
}

test("without a flash the page speaks of none, and asks for an idea only where one can be sent", async ({
  another,
  page,
  platform,
}) => {
  const slug = "lea-marchetti";
  const { page: still } = await another({ javaScriptEnabled: false });
  await platform.sql`update flashes set state = 'archived' where artist_id = (select id from artists where slug = ${slug})`;
  try {
    for (const open of [true, false]) {
      await platform.sql`update artists set takes_deposits = ${open} where slug = ${slug}`;
      for (const [lang, idea, link] of [
        ["fr", "Une idée à vous\u202f?", "Voir les flashs"],
        ["en", "An idea of your own?", "See the flashes"],
      ] as const) {
        for (const shown of [still, page]) {
          // The page of a moment ago may still be kept on the way.
          await expect(async () => {
            await shown.goto(`/artist/${slug}?lang=${lang}`);
            await expect(shown.getByRole("heading", { level: 2, name: idea })).toHaveCount(Number(open), {
              timeout: 500,
            });
            await expect(shown.getByRole("link", { name: link })).toHaveCount(0, { timeout: 500 });
          }).toPass();
          await expect(shown.getByRole("button")).toHaveCount(open ? 2 : 0);
          await expect(shown.getByRole("main")).not.toContainText(/flash|agenda|calendar/i);
        }
        await page.waitForLoadState("networkidle");
        expect(await whole(page), `${lang}, ${open}`).toEqual(await whole(still));
        await barrierFree(page, `no flash, ${lang}, ${open}`);
        await fits(page, `no flash, ${lang}, ${open}`);
      }
    }
  } finally {
    await platform.sql`update flashes set state = 'available' where artist_id = (select id from artists where slug = ${slug})`;
    await platform.sql`update artists set takes_deposits = true where slug = ${slug}`;
  }
});

test("what the server writes is what the script renders, so that nothing moves", async ({ another, page }) => {
  for (const address of ["/artist/lea-marchetti?lang=fr", "/artist/noa-keller?lang=en"]) {
    const { page: still } = await another({ javaScriptEnabled: false });
    await still.goto(address);
    // The next free slots are the script's own addition.
    await page.route("**/api/calendar/slots*", (route) =>
      route.fulfill({ json: { artist: "", timezone: "Europe/Paris", duration_minutes: 60, days: [] } }),
    );
    await page.goto(address);
    await page.waitForLoadState("networkidle");
    expect(await whole(page), address).toEqual(await whole(still));
  }
});

test("the vitrine stays light", async ({ client, page }) => {
  const loaded: Response[] = [];
  page.on("response", (response) => loaded.push(response));
  const scripts = async (): Promise<number> => {
    await page.waitForLoadState("networkidle");
    const bodies = await Promise.all(
      loaded.filter((response) => response.request().resourceType() === "script").map((response) => response.body()),
    );
    return bodies.reduce((sum, body) => sum + gzipSync(body, { level: 9 }).length, 0);
  };
  await client.visit();
  expect(await scripts(), "script before the dialog, gzipped").toBeLessThanOrEqual(12_000);
  expect(loaded.length, loaded.map((response) => response.url()).join("\n")).toBeLessThanOrEqual(12);
  await client.chooseFlash();
  expect(await scripts(), "script with the dialog, gzipped").toBeLessThanOrEqual(22_000);
});
