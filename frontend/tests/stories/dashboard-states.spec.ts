// Every state of the dashboard, in both languages and at both widths: barrier-free, fitting, and true to its figures.

import { LEA, newcomer } from "../stage/artist.ts";
import { barrierFree, expect, fits, test } from "../stage/story.ts";
import { ARTISTS_MONEY, lay, layRows } from "./money.ts";

const SECTIONS = ["profile", "hours", "time-off", "flashes", "rules", "policy", "calendar", "account"];

for (const speaks of ["fr", "en"] as const) {
  test(`every state is barrier-free (${speaks})`, async ({ another, artistIn, platform }) => {
    const { page } = await another({ locale: speaks === "fr" ? "fr-FR" : "en-GB" });
    const artist = artistIn(page, speaks);
    await platform.bookedFor("Camille Robert", { nth: 0 });
    const id = await platform.bookedFor("Sacha Petit", { nth: 1, paid: false });
    await artist.arrive();
    await barrierFree(page, "the door");
    await artist.press(artist.button(artist.words.createAccount));
    await artist.press(artist.button(artist.words.createAccount));
    await barrierFree(page, "a new account with its errors");
    await page.reload();
    await artist.signIn(LEA);
    await artist.sees(artist.words.hello);
    await expect(page.locator("html")).toHaveAttribute("lang", speaks);
    await expect(artist.row("Sacha Petit")).toBeVisible();
    await artist.settled();
    await page.locator(".chart summary").click();
    await barrierFree(page, "the overview");
    if (speaks === "en") await expect(page.getByRole("main")).not.toContainText(/rendez-vous|acompte/i);
    await artist.open("#/bookings");
    await barrierFree(page, "the list");
    await artist.open("#/bookings?view=cancelled");
    await barrierFree(page, "nothing in the list");
    await artist.open(`#/bookings/${id}`);
    await barrierFree(page, "one booking");
    await artist.press(artist.button(artist.words.cancel("Sacha Petit")));
    await expect(artist.dialog().getByRole("button")).toHaveCount(2);
    await barrierFree(page, "before a cancellation");
    await page.keyboard.press("Escape");
    await expect(artist.dialog()).toBeHidden();
    await artist.open("#/settings");
    await barrierFree(page, "the settings");
    for (const section of SECTIONS) {
      await artist.open(`#/settings/${section}`);
      await barrierFree(page, section);
    }
  });
}

for (const speaks of ["fr", "en"] as const) {
  test(`wherever the money is, the page says so, barrier-free and at 320 pixels (${speaks})`, async ({
    another,
    artistIn,
    platform,
  }) => {
    // Some dozens of documents, each looked at twice and read by axe.
    test.setTimeout(300_000);
    const { page } = await another({ locale: speaks === "fr" ? "fr-FR" : "en-GB" });
    const artist = artistIn(page, speaks);
    const id = await platform.bookedFor("Camille Robert");
    await artist.enter();
    const main = page.getByRole("main");
    for (const { name, change, says, never, row } of ARTISTS_MONEY) {
      await lay(page, `**/api/dashboard/bookings/${id}`, change);
      await layRows(page, change);
      for (const [address, expected] of [
        [`#/bookings/${id}`, says],
        ["#/bookings", [row]],
      ] as const) {
        // Another document: what was read before is not shown for a moment.
        await page.goto("about:blank");
        await artist.open(address);
        if (speaks === "fr") for (const words of expected) await expect(main, name).toContainText(words);
        else await expect(main, name).not.toContainText(/acompte|remboursement|banque/i);
        if (speaks === "fr" && never) await expect(main, name).not.toContainText(never);
        await barrierFree(page, `${name}, ${address}`);
        await page.setViewportSize({ width: 320, height: 844 });
        await fits(page, `${name}, ${address}`);
        await page.setViewportSize({ width: 390, height: 844 });
      }
    }
  });
}

test("nothing scrolls sideways at 320 pixels, nor with letters twice their size", async ({ artist, platform }) => {
  const { page } = artist;
  await platform.bookedFor("Bartholomé-Alexandre de Rochechouart-Montmorency", { nth: 0 });
  const id = await platform.bookedFor("Sacha Petit", { nth: 1, paid: false });
  await artist.arrive();
  const devtools = await page.context().newCDPSession(page);
  const looks = [
    { width: 320, text: 16 },
    { width: 390, text: 32 },
  ];
  const look = async ({ width, text }: { width: number; text: number }, state: string): Promise<void> => {
    await page.setViewportSize({ width, height: 844 });
    await devtools.send("Page.setFontSizes", { fontSizes: { standard: text, fixed: text } });
    await fits(page, `${state} at ${width}, letters of ${text}`);
  };
  for (const each of looks) await look(each, "the door");
  await look({ width: 390, text: 16 }, "the door");
  await artist.signIn(LEA);
  await artist.sees(artist.words.hello);
  for (const address of [
    "#/",
    "#/bookings",
    `#/bookings/${id}`,
    "#/settings",
    ...SECTIONS.map((section) => `#/settings/${section}`),
  ]) {
    await artist.open(address);
    for (const each of looks) await look(each, address);
  }
});

test("an account with nothing in it invites instead of showing nothing", async ({ artist, platform }) => {
  const { page } = artist;
  await artist.signUp(newcomer(), platform);
  await barrierFree(page, "the first step");
  await artist.field("Nom d’artiste").fill(`Vide ${Math.random().toString(36).slice(2, 8)}`);
  await artist.field("Ville").fill("Nantes");
  await artist.field("Adresse de l’atelier").fill("3 rue Kervégan, 44000 Nantes");
  await artist.press(artist.button("Créer ma page"));
  await artist.sees("Quand travaillez-vous ?");

  await artist.open("#/");
  await expect(page.getByText("Encore 2 étapes avant d’ouvrir")).toBeVisible();
  await expect(page.getByText("Rien ne vous attend.")).toBeVisible();
  await expect(page.locator(".kpi.main .amount")).toHaveText(/^0\s€$/);
  await expect(page.locator(".months .value"), "a month without income is zero, not a hole").toHaveText(
    Array.from({ length: 12 }, () => /^0\s€$/),
  );
  await barrierFree(page, "an overview of nothing");
  await artist.open("#/bookings");
  await expect(page.getByText("Aucune réservation pour l’instant.")).toBeVisible();
  await barrierFree(page, "a list of nothing");
  await artist.open("#/settings/flashes");
  await expect(page.getByText("Ajoutez votre premier flash")).toBeVisible();
});

interface Box {
  text: string;
  left: number;
  right: number;
  top: number;
  bottom: number;
  cents: number;
}

test("the chart's labels say what its bars are", async ({ artist, platform }) => {
  const { page } = artist;
  const id = await platform.bookedFor("Camille Robert");
  // A year of movements: a large month, an odd one, and one that gave back more than it took.
  for (const [months, kind, cents] of [
    [1, "capture", 2_480_00],
    [3, "capture", 1_234_56],
    [5, "refund", -300_00],
    [11, "capture", 50_00],
  ] as const) {
    await platform.sql`
      insert into payments (id, booking_id, artist_id, kind, amount_cents, currency, stripe_id, stripe_payment_intent_id, occurred_at, recorded_at)
      select gen_random_uuid(), id, artist_id, ${kind}, ${cents}, 'eur', ${`chart_${months}`}, ${`chart_${months}`},
        date_trunc('month', now() at time zone 'Europe/Paris') - make_interval(months => ${months}) + interval '14 days', now()
      from bookings where id = ${id}`;
  }
  await artist.enter();
  await expect(page.locator(".months li")).toHaveCount(12);
  const stats = (await (await page.request.get("/api/dashboard/stats")).json()) as {
    curve: { month: string; revenue_cents: number }[];
  };
  const euros = (cents: number): string =>
    new Intl.NumberFormat("fr-FR", {
      style: "currency",
      currency: "EUR",
      minimumFractionDigits: cents % 100 === 0 ? 0 : 2,
      maximumFractionDigits: cents % 100 === 0 ? 0 : 2,
    }).format(cents / 100);
  const bare = (text: string): string => text.replace(/\s/g, " ");

  // Every amount, in the chart and in the table under it.
  const values = stats.curve.map((month) => month.revenue_cents);
  expect(values.filter((cents) => cents !== 0).length).toBeGreaterThanOrEqual(5);
  expect((await page.locator(".months .value").allTextContents()).map(bare)).toEqual(values.map(euros).map(bare));
  await page.locator(".chart summary").click();
  const told = await page.locator(".chart tbody tr td:last-child").allTextContents();
  expect(told.map(bare)).toEqual([...values].reverse().map(euros).map(bare));
  const names = stats.curve.map(({ month }) =>
    new Intl.DateTimeFormat("fr-FR", { month: "short", timeZone: "UTC" }).format(new Date(`${month}-15`)),
  );
  for (const [index, name] of names.entries())
    await expect(page.locator(".months .name").nth(index)).toContainText(name);
  await expect(page.getByRole("figure"), "the sentence is the figure's name").toHaveAccessibleName(
    /jusqu’ici.*Meilleur mois/s,
  );

  // The axis: whole labels, evenly spaced over zero, and no month beyond it.
  const boxes = await page.locator(".tick").evaluateAll((ticks) =>
    ticks.map((tick) => {
      const label = tick.firstElementChild as HTMLElement;
      const { left, right, top, bottom } = label.getBoundingClientRect();
      return {
        text: label.textContent ?? "",
        left,
        right,
        top,
        bottom,
        cents: Number((tick as HTMLElement).dataset["cents"]),
      };
    }),
  );
  for (const box of boxes) expect(bare(box.text)).toBe(bare(euros(box.cents)));
  const cents = boxes.map((box) => box.cents);
  expect(cents).toContain(0);
  expect(Math.max(...cents)).toBeGreaterThanOrEqual(Math.max(...values));
  expect(Math.min(...cents)).toBeLessThanOrEqual(Math.min(...values));
  const steps = cents.slice(1).map((cent, index) => cent - (cents[index] ?? 0));
  expect(new Set(steps).size, `even steps: ${cents}`).toBe(1);

  const figure = await page
    .getByRole("figure")
    .evaluate((element) => element.getBoundingClientRect().toJSON() as DOMRect);
  const shown = boxes.filter((box) => box.right > box.left);
  expect(shown.length).toBeGreaterThanOrEqual(2);
  for (const box of shown) {
    expect(box.left, `${box.text} is not cut off`).toBeGreaterThanOrEqual(figure.left - 1);
    expect(box.right, `${box.text} is not cut off`).toBeLessThanOrEqual(figure.right + 1);
  }
  const overlap = (a: Box, b: Box): boolean =>
    a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  expect(
    shown.flatMap((a, i) =>
      shown
        .slice(i + 1)
        .filter((b) => overlap(a, b))
        .map((b) => `${a.text} over ${b.text}`),
    ),
  ).toEqual([]);

  // The bars: as long as their amounts, on their side of zero.
  const bars = await page.locator(".months .column").evaluateAll((columns) =>
    columns.map((column) => {
      const { width, height } = column.getBoundingClientRect();
      const standing = getComputedStyle(column).height !== "auto" && matchMedia("(min-width: 48rem)").matches;
      return { length: standing ? height : width, below: column.classList.contains("below") };
    }),
  );
  const scale = Math.max(...bars.map((bar) => bar.length)) / Math.max(...values.map(Math.abs));
  for (const [index, bar] of bars.entries()) {
    expect(Math.abs(bar.length - Math.abs(values[index] ?? 0) * scale), `bar of ${names[index]}`).toBeLessThan(2);
    expect(bar.below).toBe((values[index] ?? 0) < 0);
  }
  await expect(page.locator(".months .now .name"), "this month is marked in words").toContainText("en cours");
  await fits(page, "the chart");
});

test("at a desk the hours of a day stand beside each other: the dashboard's own styles lie over the site's", async ({
  artist,
}) => {
  const { page } = artist;
  await page.setViewportSize({ width: 1280, height: 800 });
  await artist.enter(LEA, "#/settings/hours");
  const days = await page.locator(".weekday:not(.closed)").evaluateAll((all) =>
    all.map((day) => {
      const box = (part: string): DOMRect => (day.querySelector(part) ?? day).getBoundingClientRect();
      return {
        select: box("select").width,
        end: box(".close").right,
        add: box(".range-deeds").left,
        name: box(".name").right,
        begin: box(".range").left,
      };
    }),
  );
  expect(days.length).toBeGreaterThan(3);
  for (const day of days) {
    expect(day.select, "an hour can be read").toBeGreaterThan(80);
    expect(day.begin).toBeGreaterThanOrEqual(day.name);
    expect(day.add).toBeGreaterThanOrEqual(day.end);
  }
});
