// Very many slots of an artist are held unpaid: whoever books then does what they always do, and their browser a little more.

import { barrierFree, expect, test } from "../stage/story.ts";
import { LEA } from "../stage/artist.ts";
import type { Platform } from "../stage/platform.ts";
import { somebody } from "../stage/client.ts";

/** So many unpaid holds that the next one wants a proof: a thousand here, each in an hour of its own. */
async function crowd(platform: Platform, minutes = 30): Promise<void> {
  await platform.sql`
    insert into bookings (id, artist_id, type, status, scheduled_at, ends_at, acompte_amount, title, policy, project_description,
      project_body_zone, client_name, client_email, client_phone, hold_expires_at, checkout_expires_at, created_at, updated_at)
    select gen_random_uuid(), a.id, 'project', 'pending', now() + interval '400 days' + n * interval '1 hour',
      now() + interval '400 days' + n * interval '1 hour' + interval '30 minutes', 50, '', '{"full_refund_hours": 72, "late_refund_percent": 0, "free_moves": 1, "nature": "acompte"}',
      'Une pivoine au trait fin', 'avant-bras', 'Robin', 'robin' || n || '@example.com', '+336000' || n,
      now() + ${minutes} * interval '1 minute', now() + ${minutes + 5} * interval '1 minute', now(), now()
    from artists a, generate_series(1, 1000) n where a.slug = 'lea-marchetti'`;
}

test("where very many slots wait for their payment, one books with the presses of any other day", async ({
  client,
  page,
  platform,
  witness,
}) => {
  await crowd(platform);
  const answers: number[] = [];
  page.on("response", (response) => {
    if (response.url().endsWith("/api/bookings/create")) answers.push(response.status());
  });
  // What is said while the browser is at it, as a screen reader would hear it. Kept on this side: the page is soon left.
  const said: string[] = [];
  await page.exposeFunction("isSaid", (text: string) => void (said.at(-1) === text || said.push(text)));
  await page.addInitScript(() => {
    const { isSaid } = window as unknown as { isSaid(text: string): void };
    new MutationObserver(() => {
      for (const { textContent } of document.querySelectorAll("[role=status]")) if (textContent) isSaid(textContent);
    }).observe(document, { subtree: true, childList: true, characterData: true });
  });
  const person = somebody();
  await client.visit();
  await client.chooseFlash();
  await client.toSlots(person);
  await client.toSummary();
  // The browser says so of each answer that is no 2xx.
  witness.expects(/^403: POST .*\/api\/bookings\/create$/);
  // The second answer is held back for a moment, to see what the page is like meanwhile.
  let let_go = (): void => undefined;
  const gate = new Promise<void>((resolve) => (let_go = resolve));
  await page.route("**/api/bookings/create", async (route) => {
    if (route.request().headers()["x-proof"]) await gate;
    await route.continue();
  });
  await client.press(client.payButton);
  await expect.poll(() => said.join("\n")).toMatch(/Vérification…/);
  await barrierFree(page, "what is asked of the browser");
  let_go();
  await client.choose("paid");
  await client.sees("C’est confirmé");
  expect(said.join("\n")).toMatch(/gardé 10\sminutes/);
  expect(answers, "asked once, and answered with the proof").toEqual([403, 201]);
  await expect.poll(async () => (await platform.mail(person.email, /confirm/i)).text).toContain("Camille");
});

test("the artist sees which unpaid slots belong together, and frees them with one press and a question", async ({
  artist,
  platform,
}) => {
  const { page } = artist;
  await platform.sql`
    insert into bookings (id, artist_id, type, status, scheduled_at, ends_at, acompte_amount, title, policy, project_description,
      project_body_zone, client_name, client_email, client_phone, client_origin, client_wide, hold_expires_at, checkout_expires_at, created_at, updated_at)
    select gen_random_uuid(), a.id, 'project', 'pending', now() + n * interval '1 day', now() + n * interval '1 day' + interval '30 minutes', 50, '',
      '{"full_refund_hours": 72, "late_refund_percent": 0, "free_moves": 1, "nature": "acompte"}', 'Une pivoine au trait fin', 'avant-bras',
      'Robin ' || n, 'robin' || n || '@example.com', '+336000' || n, case when n < 4 then '\\x0a'::bytea else '\\x0b' end, '\\x0c',
      now() + interval '30 minutes', now() + interval '35 minutes', now(), now()
    from artists a, generate_series(1, 4) n where a.slug = 'lea-marchetti'`;
  await artist.arrive();
  await artist.signIn(LEA);
  await artist.sees("Bonjour Léa");
  const suspects = page.getByRole("region", { name: "Créneaux retenus sans suite ?" });
  await expect(suspects).toContainText("Ces 3 créneaux sont retenus depuis une même connexion.");
  await expect(suspects.getByRole("link")).toHaveCount(3);
  await barrierFree(page, "suspicious holds");
  await artist.press(suspects.getByRole("button", { name: "Libérer ces 3 créneaux" }));
  const question = page.getByRole("dialog", { name: "Libérer 3 créneaux ?" });
  await expect(question.getByRole("heading")).toBeFocused();
  await barrierFree(page, "before suspicious holds end");
  await artist.press(question.getByRole("button", { name: "Laisser" }));
  await expect(question).toBeHidden();
  const statuses = async (): Promise<string[]> =>
    (await platform.sql<{ status: string }[]>`select status from bookings order by scheduled_at`).map(
      ({ status }) => status,
    );
  expect(await statuses()).toEqual(["pending", "pending", "pending", "pending"]);
  await artist.press(suspects.getByRole("button", { name: "Libérer ces 3 créneaux" }));
  await artist.press(question.getByRole("button", { name: "Libérer" }));
  await expect(suspects.getByRole("status")).toContainText("3 créneaux sont de nouveau libres.");
  await expect(suspects.getByRole("link")).toHaveCount(0);
  expect(await statuses(), "the one of another connection stays").toEqual([
    "cancelled",
    "cancelled",
    "cancelled",
    "pending",
  ]);
});
