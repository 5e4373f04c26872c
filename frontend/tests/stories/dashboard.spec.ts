// The artist's day: coming in, confirming, cancelling with the money going back, and two tabs that do not fight.

import { LEA, NOA, linkFor } from "../stage/artist.ts";
import { barrierFree, expect, fits, test } from "../stage/story.ts";

const DAGUE = "019aa000-0000-7000-8000-0000000000f6";

test("the door opens for the right password, stays open over a reload, and closes", async ({ artist, witness }) => {
  const { page } = artist;
  await artist.arrive();
  await artist.press(artist.button(artist.words.enter));
  await expect(artist.field(artist.words.email), "the first mistake has the focus").toBeFocused();
  witness.expects(/^401: POST .*\/api\/session$/);
  await artist.signIn({ ...LEA, password: "pas la bonne" });
  await expect(page.getByRole("alert").filter({ hasText: "incorrects" })).toBeVisible();
  await barrierFree(page, "a wrong password");
  await artist.signIn(LEA);
  await artist.sees("Bonjour Léa");
  await page.reload();
  await artist.sees("Bonjour Léa");

  await artist.open("#/settings/account");
  await artist.press(artist.button("Se déconnecter"));
  await expect(artist.button(artist.words.enter)).toBeVisible();
  await page.reload();
  await expect(artist.button(artist.words.enter)).toBeVisible();
});

test("signing out while the accounts do not answer says so, and is finished by a press", async ({
  artist,
  platform,
  witness,
}) => {
  const { page } = artist;
  await artist.enter(LEA, "#/settings/account");
  witness.expects(/^503: DELETE .*\/api\/session$/);
  await platform.turn({ accounts: "down" });
  await artist.press(artist.button("Se déconnecter"));
  await artist.sees("Déconnexion inachevée");
  await barrierFree(page, "signed out here only");
  await platform.turn({ accounts: "ok" });
  await artist.press(artist.button("Terminer la déconnexion"));
  await expect(artist.button(artist.words.enter)).toBeVisible();
  await page.reload();
  await expect(artist.button(artist.words.enter)).toBeVisible();
});

test("a link from a mail opens the door, once", async ({ artist, platform, witness }) => {
  const { page } = artist;
  await artist.arrive();
  await artist.field(artist.words.email).fill(LEA.email);
  await artist.press(artist.button("Recevoir un lien de connexion par e-mail"));
  await expect(page.getByRole("status").filter({ hasText: "Si un compte existe" })).toBeVisible();
  const link = await linkFor(LEA, platform);
  expect(link).toContain("/dashboard?");
  // A program that looks through mails opens it in a browser of its own, and runs its scripts.
  const scanner = await page.context().browser()?.newContext();
  const scan = await scanner?.newPage();
  await scan?.goto(link);
  await expect(scan!.getByRole("button", { name: "Entrer" })).toBeVisible();
  await scanner?.close();

  await page.goto(link);
  await artist.sees("Votre lien de connexion");
  await barrierFree(page, "a link");
  await artist.press(artist.button("Entrer"));
  await artist.sees("Bonjour Léa");
  expect(page.url(), "the token is gone from the address").not.toContain("token_hash");

  await page.context().clearCookies();
  witness.expects(/^401: POST .*\/api\/session\/verify/);
  await page.goto(link);
  await artist.press(artist.button("Entrer"));
  await expect(page.getByRole("alert").filter({ hasText: "a déjà servi ou a expiré" })).toBeVisible();
});

test("somebody else's link asks before it takes the place of a session", async ({ artist, platform }) => {
  const { page } = artist;
  await artist.arrive();
  await artist.field(artist.words.email).fill(NOA.email);
  await artist.press(artist.button("Recevoir un lien de connexion par e-mail"));
  const link = await linkFor(NOA, platform);
  await artist.signIn(LEA);
  await artist.sees("Bonjour Léa");
  await page.goto(link);
  await expect(page.getByRole("main")).toContainText(`connecté avec ${LEA.email}`);
  await barrierFree(page, "another link");
  await artist.press(artist.button("Garder cette session"));
  await artist.sees("Bonjour Léa");
  expect(page.url()).not.toContain("token_hash");
  await page.goto(link);
  await artist.press(artist.button("Entrer avec ce lien"));
  await artist.sees("Bonjour Noa");
});

test("a session is renewed without a word, and when it is over nothing typed is lost", async ({
  artist,
  platform,
  witness,
}) => {
  const { page } = artist;
  const id = await platform.bookedFor("Camille Robert");
  await artist.enter(LEA, `#/bookings/${id}`);
  await page.context().clearCookies({ name: "__Host-inkflow_session" });
  await page.reload();
  await artist.sees("Camille Robert");

  const note = page.getByRole("textbox");
  await note.fill("Préfère l’après-midi.");
  await page.context().clearCookies();
  witness.expects(/^401: POST .*\/note/);
  await artist.press(artist.button("Enregistrer la note"));
  await expect(artist.dialog().getByRole("heading", { name: "Votre session est terminée" })).toBeFocused();
  await barrierFree(page, "the session is over");
  await artist.dialog().getByLabel(artist.words.password).fill(LEA.password);
  await artist.press(artist.button(artist.words.enter, artist.dialog()));
  await expect(artist.dialog()).toBeHidden();
  await expect(page.getByRole("status").filter({ hasText: "Enregistré." })).toBeVisible();
  await expect(note).toHaveValue("Préfère l’après-midi.");
});

for (const decision of ["back", "off"] as const) {
  test(`a booking that Cal.com called off waits for the artist, who ${decision === "back" ? "puts it back there" : "cancels it and sees the euros on the button"}`, async ({
    artist,
    platform,
  }) => {
    const { page } = artist;
    const id = await platform.bookedFor("Inès Roy", { artist: "noa-keller", flash: DAGUE });
    // What Cal.com has is not yet what is written down here; and what is read there takes its time to be.
    const state = async (): Promise<unknown> =>
      (await platform.sql`select calendar_state from bookings where id = ${id}`)[0]?.calendar_state;
    await expect.poll(state).toBe("synced");
    await platform.callOff("reschedule");
    // Heard of while the job of the payment is just ending, it is looked at by the next sweep, which is a minute away elsewhere.
    const swept = async (): Promise<unknown> => {
      await platform.sweep();
      return state();
    };
    await expect.poll(swept, { intervals: [0, 1000] }).toBe("called_off");
    await artist.enter(NOA);
    const row = artist.row("Inès Roy");
    await expect(row).toContainText("n’est plus dans Cal.com");
    const back = artist.button("Remettre dans Cal.com le rendez-vous de Inès Roy", row);
    const off = artist.button(artist.words.cancel("Inès Roy"), row);
    await expect(back).toBeVisible();
    await expect(off).toHaveText("Annuler…");
    expect((await platform.booking(id)).status, "nothing is decided by itself").toBe("confirmed");
    expect(await platform.refunds()).toEqual([]);
    await barrierFree(page, "called off in Cal.com");
    await fits(page, "called off in Cal.com");
    if (decision === "back") {
      await artist.press(back);
      await expect(row.getByRole("status")).toBeVisible();
      await expect
        .poll(() => platform.calendar().then((statuses) => statuses.filter((status) => status === "accepted").length))
        .toBe(1);
      expect((await platform.booking(id)).status).toBe("confirmed");
      expect(await platform.refunds()).toEqual([]);
    } else {
      await artist.open(`#/bookings/${id}`);
      const offHere = artist.button(artist.words.cancel("Inès Roy"));
      await expect(offHere).toHaveText(/^Annuler et rendre \d+\s€$/);
      await artist.press(offHere);
      await expect(artist.dialog()).toBeVisible();
      await barrierFree(page, "calling off what Cal.com called off");
      await artist.press(artist.dialog().getByText("Moi", { exact: true }));
      const said = (await artist.button(/^Annuler et rendre/, artist.dialog()).textContent()) ?? "";
      await artist.press(artist.button(/^Annuler et rendre/, artist.dialog()));
      await expect(artist.dialog()).toBeHidden();
      await expect.poll(async () => (await platform.booking(id)).status).toBe("cancelled");
      await expect
        .poll(() => platform.refunds().then((cents) => cents.map((cent) => `Annuler et rendre ${cent / 100}\u00a0€`)))
        .toEqual([said]);
    }
  });
}

test("a request is confirmed at once, and taken back", async ({ artist, platform }) => {
  const id = await platform.bookedFor("Sacha Petit", { paid: false });
  await artist.enter();
  const row = artist.row("Sacha Petit");
  await expect(row).toContainText("En attente de l’acompte");
  await artist.press(artist.button(artist.words.confirm("Sacha Petit"), row));
  await expect(row.getByRole("status")).toHaveText("Confirmé.");
  expect((await platform.booking(id)).status).toBe("confirmed");
  await barrierFree(artist.page, "confirmed, and can be taken back");
  await artist.press(artist.button(artist.words.undo("Sacha Petit"), row));
  await expect(row).toContainText("La confirmation est reprise");
  expect((await platform.booking(id)).status).toBe("pending");

  await artist.press(artist.button(artist.words.confirm("Sacha Petit"), row));
  await expect(row).toContainText("Confirmé, sans acompte");
  // After ten seconds the way back is closed, and the row goes on by itself.
  await expect(artist.button(artist.words.undo("Sacha Petit"))).toBeHidden();
  expect((await platform.booking(id)).status).toBe("confirmed");
});

test("a paid appointment is cancelled: the money, the mails, the calendar and the month agree", async ({
  artist,
  platform,
}) => {
  const { page } = artist;
  const id = await platform.bookedFor("Inès Belkacem", { artist: "noa-keller", flash: DAGUE });
  await expect
    .poll(() => platform.calendar(), { message: "written to Cal.com", timeout: 15_000 })
    .toEqual(["accepted"]);
  await artist.enter(NOA);
  const revenue = page.locator(".kpi.main .amount");
  const before = await revenue.innerText();
  expect(before).toMatch(/^[1-9]\d*(,\d\d)?\s€$/);

  await artist.open(`#/bookings/${id}`);
  await artist.press(artist.button(artist.words.cancel("Inès Belkacem")));
  await expect(artist.dialog().getByRole("heading")).toBeFocused();
  await artist.press(artist.dialog().getByRole("radio", { name: "Moi" }));
  await expect(artist.dialog()).toContainText(`${before} seront rendus à Inès Belkacem`);
  await barrierFree(page, "before the cancellation");
  await artist.press(artist.button(artist.words.keep, artist.dialog()));
  await expect(artist.button(artist.words.cancel("Inès Belkacem")), "the focus is back where it was").toBeFocused();
  expect((await platform.booking(id)).status).toBe("confirmed");

  await artist.press(artist.button(artist.words.cancel("Inès Belkacem")));
  await expect(artist.button(/^Annuler et rendre/, artist.dialog()), "nobody has said who cancels").toHaveCount(0);
  await artist.press(artist.dialog().getByRole("radio", { name: "Moi" }));
  await artist.press(artist.button(`Annuler et rendre ${before}`, artist.dialog()));
  await expect(artist.dialog()).toBeHidden();
  await expect(page.getByRole("main")).toContainText("est annulé");
  await barrierFree(page, "cancelled");

  const euros = Number(before.replace(/\s€/, "").replace(",", "."));
  await expect
    .poll(() => platform.refunds(), { message: "refunded at Stripe, once", timeout: 20_000 })
    .toEqual([Math.round(euros * 100)]);
  await expect
    .poll(() => platform.calendar(), { message: "gone from Cal.com", timeout: 20_000 })
    .toEqual(["cancelled"]);
  const mail = await platform.mail("belkacem@example.fr", /annul/i);
  expect(mail.text.replace(/\s/g, " ")).toContain(before.replace(/\s/g, " "));
  await expect.poll(async () => (await platform.booking(id)).payment_status, { timeout: 20_000 }).toBe("refunded");

  await artist.open("#/");
  await expect(revenue).toHaveText(/^0\s€$/);
  await expect(page.locator(".months .now .value")).toHaveText(/^0\s€$/);
});

test("a client calls off late: the rule that they accepted is carried out by a button", async ({
  artist,
  platform,
}) => {
  const { page } = artist;
  const id = await platform.bookedFor("Maël Prigent");
  await platform.sql`update bookings set scheduled_at = now() + interval '20 hours', ends_at = now() + interval '22 hours', version = version + 1 where id = ${id}`;
  await artist.enter(LEA, `#/bookings/${id}`);
  await artist.press(artist.button(artist.words.cancel("Maël Prigent")));
  await expect(artist.dialog().getByRole("radio", { name: "Moi" })).toHaveAccessibleDescription(/^50\s€ rendus$/);
  await expect(artist.dialog().getByRole("radio", { name: "Mon client" })).toHaveAccessibleDescription(
    /^0\s€ rendus, vous gardez 50\s€$/,
  );
  await artist.press(artist.dialog().getByRole("radio", { name: "Mon client" }));
  await expect(artist.dialog()).toContainText(/Rien n’est rendu\s: vous gardez 50\s€/);
  await barrierFree(page, "who cancels");
  await artist.press(artist.button("Annuler le rendez-vous", artist.dialog()));
  await expect(artist.dialog()).toBeHidden();
  await expect(page.getByRole("main")).toContainText("Annulé, par le client");
  const mail = await platform.mail("prigent@example.fr", /annul/i);
  expect(mail.text).toMatch(/Comme vous l’avez demandé[^]*garde 50\s€/);
  expect(await platform.refunds()).toEqual([]);
  const [line] =
    await platform.sql`select actor, data->>'on_behalf_of' as of from booking_events where booking_id = ${id} and kind = 'cancelled'`;
  expect(line).toEqual({ actor: "artist", of: "client" });
});

test("a disputed payment waits for the artist until the bank has decided", async ({ artist, platform }) => {
  const { page } = artist;
  const id = await platform.bookedFor("Dominique Arnaud");
  const dispute = await platform.contest(id);
  await expect.poll(async () => (await platform.booking(id)).payment_status, { timeout: 20_000 }).toBe("disputed");
  await artist.enter();
  await expect(artist.row("Dominique Arnaud")).toContainText("paiement contesté");
  await artist.open(`#/bookings/${id}`);
  await expect(page.getByText(/Répondez dans Stripe avant/)).toBeVisible();
  await expect(artist.link("Répondre dans Stripe")).toHaveAttribute("href", new RegExp(`/disputes/${dispute}$`));
  // The client paid before the artist had heard of the request: that mail was dropped, which is no failure.
  await expect(page.getByRole("heading", { name: "Envois en échec" })).toHaveCount(0);
  await platform.mail(LEA.email, /contest/i);

  await platform.lose(dispute);
  await expect.poll(async () => (await platform.booking(id)).payment_status, { timeout: 20_000 }).toBe("lost");
  await artist.open("#/");
  await expect(artist.row("Dominique Arnaud"), "nothing is left to do").toHaveCount(0);
  await artist.open(`#/bookings/${id}`);
  await expect(page.getByText("La banque a donné raison à votre client")).toBeVisible();
  await expect(page.getByText("Répondez dans Stripe")).toHaveCount(0);
  await expect(page.getByRole("main")).toContainText("Contestation perdue");
  await barrierFree(page, "a lost dispute");
});

test("a part of the deposit goes back: the button says the euros, and the client's page the same", async ({
  artist,
  client,
  platform,
}) => {
  const { page } = artist;
  const id = await platform.bookedFor("Nour Haddad");
  await artist.enter(LEA, `#/bookings/${id}`);
  const opener = artist.button("Rendre de l’argent à Nour Haddad");
  await artist.press(opener);
  await expect(artist.dialog().getByRole("heading")).toBeFocused();
  const amount = artist.dialog().getByLabel("Montant à rendre, en euros");
  await expect(amount, "all of it, to begin with").toHaveValue("50");
  await expect(artist.button(/^Rendre 50\s€$/, artist.dialog())).toBeVisible();
  await amount.fill("50,01");
  await artist.press(artist.button("Rendre", artist.dialog()));
  await expect(amount, "more than is here").toBeFocused();
  await expect(amount).toHaveAccessibleDescription(/Un montant de 0,01\s€ à 50\s€/);
  await barrierFree(page, "a wrong amount");
  expect(await platform.refunds()).toEqual([]);
  await amount.fill("20,5");
  await artist.press(artist.button(/^Rendre 20,50\s€$/, artist.dialog()));
  await expect(artist.dialog()).toBeHidden();
  await expect(page.getByRole("main")).toContainText(/20,50\s€ sont en route vers la carte de Nour Haddad/);
  await expect(opener, "the focus is back where it was").toBeFocused();
  await expect.poll(() => platform.refunds(), { message: "refunded at Stripe, once", timeout: 20_000 }).toEqual([2050]);
  const mail = await platform.mail("haddad@example.fr", /rembours/i);
  expect(mail.text).toMatch(/20,50\s€/);
  await expect
    .poll(() => platform.sql`select sum(amount_cents)::int as left from payments where booking_id = ${id}`, {
      timeout: 20_000,
    })
    .toEqual([{ left: 2950 }]);
  await page.reload();
  await artist.settled();
  await expect(page.getByRole("main")).toContainText(/En main\s*29,50\s€/);
  expect((await platform.booking(id)).status, "and nothing is called off").toBe("confirmed");

  await client.page.goto(`/booking/success?id=${id}`);
  await client.sees("Rendez-vous confirmé");
  await expect(client.page.getByRole("main")).toContainText(/20,50\s€ vous ont été rendus/);
  await expect(client.page.getByRole("main")).toContainText(/Acompte restant\s*29,50\s€/);
});

test("who decided on what is not so any more is told, and decides anew", async ({ artist, platform, witness }) => {
  const { page } = artist;
  const id = await platform.bookedFor("Gaëlle Tanguy");
  await artist.enter(LEA, `#/bookings/${id}`);
  await artist.press(artist.button("Rendre de l’argent à Gaëlle Tanguy"));
  await platform.sql`update bookings set version = version + 1 where id = ${id}`;
  witness.expects(/^409: POST .*\/refund/);
  await artist.press(artist.button(/^Rendre 50\s€$/, artist.dialog()));
  await expect(artist.dialog().getByRole("alert")).toContainText("a changé entre-temps");
  expect(await platform.refunds()).toEqual([]);
  await artist.press(artist.button(/^Rendre 50\s€$/, artist.dialog()));
  await expect(artist.dialog()).toBeHidden();
  await expect.poll(() => platform.refunds(), { timeout: 20_000 }).toEqual([5000]);
  await expect(page.getByRole("main")).toContainText(/50\s€ sont en route/);
});

test("one euro short waits for the artist, who takes it as it came", async ({ artist, client, platform }) => {
  const { page } = artist;
  const id = await platform.bookedFor("Solène Guyot", { paid: false });
  // As the webhook leaves it.
  await platform.sql`insert into payments (id, booking_id, artist_id, kind, amount_cents, currency, stripe_id, stripe_payment_intent_id, occurred_at, recorded_at)
    select gen_random_uuid(), id, artist_id, 'capture', 4900, 'eur', 'pi_short', 'pi_short', now(), now() from bookings where id = ${id}`;
  await platform.sql`update bookings set payment_problem = 'mismatch', hold_expires_at = null, version = version + 1 where id = ${id}`;
  await client.page.goto(`/booking/success?id=${id}`);
  await client.sees("Paiement reçu, l’artiste décide");
  await expect(client.page.getByRole("main")).toContainText(/49\s€ sont arrivés, alors que 50\s€ étaient demandés/);
  await expect(client.page.getByRole("main")).not.toContainText("quelques secondes");

  await artist.enter();
  await expect(artist.row("Solène Guyot")).toContainText("Paiement à accepter ou à rendre");
  await artist.open(`#/bookings/${id}`);
  await expect(artist.button(artist.words.cancel("Solène Guyot"))).toHaveText(/Annuler et rendre 49\s€/);
  await artist.press(artist.button(/^Accepter 49\s€ comme acompte$/));
  await expect(page.getByRole("main")).toContainText("Accepté : le rendez-vous est confirmé.");
  await platform.mail("guyot@example.fr", /confirm/i);
  await client.page.reload();
  await client.sees("C’est confirmé");
  await expect(client.page.getByRole("main")).toContainText(/Acompte payé\s*49\s€/);
});

test("a mail that never went out is sent again in one press", async ({ artist, platform }) => {
  const { page } = artist;
  const id = await platform.bookedFor("Maud Perrin");
  await platform.mail("perrin@example.fr", /confirm/i);
  // As the worker leaves it after its last attempt; the mail itself is taken back from the books, so that it can go again.
  await platform.sql`delete from email_deliveries where booking_id = ${id} and template = 'client_confirmed'`;
  const failed = await platform.sql`update outbox set outcome = 'dead', attempts = 8, last_error = 'MessageRejected'
    where booking_id = ${id} and args->>'template' = 'client_confirmed' returning id`;
  expect(failed.length).toBe(1);
  await artist.enter();
  await expect(artist.row("Maud Perrin")).toContainText("Un envoi n’est pas parti.");
  await artist.open(`#/bookings/${id}`);
  await expect(page.getByRole("heading", { name: "Envois en échec" })).toBeVisible();
  await expect(page.getByRole("main")).toContainText("l’adresse du client a peut-être une faute");
  await barrierFree(page, "a mail that failed");
  await artist.press(artist.button(/^Relancer : /));
  await expect
    .poll(
      () =>
        platform.sql`select status from email_deliveries where booking_id = ${id} and template = 'client_confirmed'`,
      { timeout: 20_000 },
    )
    .toEqual([{ status: "sent" }]);
  await artist.open("#/");
  await expect(artist.row("Maud Perrin"), "nothing is left to do").toHaveCount(0);
});

test("a mail that was taken and came back is shown as not arrived, and goes out again in one press", async ({
  artist,
  platform,
}) => {
  const { page } = artist;
  await platform.turn({ mail: "returned" });
  const id = await platform.bookedFor("Solène Caron");
  const status = () =>
    platform.sql`select status from email_deliveries where booking_id = ${id} and template = 'client_confirmed'`;
  await expect.poll(status, { timeout: 20_000 }).toEqual([{ status: "refused" }]);
  await platform.turn({ mail: "ok" });
  await artist.enter(LEA, `#/bookings/${id}`);
  await expect(page.getByRole("heading", { name: "Envois en échec" })).toBeVisible();
  await expect(page.getByRole("main")).toContainText("l’adresse du client a peut-être une faute");
  await artist.press(artist.button("Relancer : Confirmation (au client)"));
  await expect.poll(status, { timeout: 20_000 }).toEqual([{ status: "sent" }]);
  expect((await platform.mail("sol.ne.caron@example.fr", /confirm/i)).text).toContain("Solène");
});

test("an appointment that is over is closed in one press", async ({ artist, platform }) => {
  const came = await platform.bookedFor("Alex Martin", { nth: 0 });
  const missed = await platform.bookedFor("Lou Garnier", { nth: 1 });
  await platform.sql`update bookings set scheduled_at = now() - case id when ${came} then interval '3 hours' else interval '30 hours' end,
    ends_at = now() - case id when ${came} then interval '1 hour' else interval '28 hours' end, version = version + 1 where id in (${came}, ${missed})`;
  await artist.enter();
  await artist.press(artist.button("Le rendez-vous de Alex Martin a eu lieu"));
  await expect(artist.row("Alex Martin")).toContainText("Terminé");
  await artist.press(artist.button("Lou Garnier n’est pas venu"));
  await expect(artist.row("Lou Garnier")).toContainText("Absent");
  await artist.open("#/bookings?view=past");
  await expect(artist.row("Alex Martin")).toContainText("Terminé");
  await expect(artist.row("Lou Garnier")).toContainText("Absent");
});

test("two tabs do not undo each other", async ({ artist, artistIn, platform, witness }) => {
  const id = await platform.bookedFor("Jo Martin", { paid: false });
  await artist.enter(LEA, `#/bookings/${id}`);
  await artist.sees("Jo Martin");
  const other = artistIn(await artist.page.context().newPage());
  await other.open(`#/bookings/${id}`);
  await other.press(other.button(other.words.confirm("Jo Martin")));
  await expect(other.page.getByRole("status").filter({ hasText: "Confirmé." })).toBeVisible();

  witness.expects(/^409: POST .*\/confirm/);
  await artist.press(artist.button(artist.words.confirm("Jo Martin")));
  await expect(artist.page.getByRole("alert").filter({ hasText: "a changé entre-temps" })).toBeVisible();
  await expect(artist.page.getByRole("main"), "the fresh state").toContainText("Confirmé, sans acompte");
  await barrierFree(artist.page, "changed in the meantime");
});

test("what happens elsewhere shows by itself, and takes nothing that is typed", async ({ artist, platform }) => {
  const { page } = artist;
  const id = await platform.bookedFor("Camille Robert", { paid: false });
  await artist.enter(LEA, `#/bookings/${id}`);
  await expect(page.getByRole("main")).toContainText("En attente de l’acompte");
  await page.getByRole("textbox").fill("À moitié écrit");
  await platform.settle((await platform.booking(id)).checkout_url ?? "", "paid");
  await expect.poll(async () => (await platform.booking(id)).status, { timeout: 15_000 }).toBe("confirmed");
  await page.evaluate(() => dispatchEvent(new Event("focus")));
  await expect(page.getByRole("main")).toContainText(/acompte 50\s€ payé/);
  await expect(page.getByRole("textbox")).toHaveValue("À moitié écrit");
  await page.reload();
  await expect(page.getByRole("textbox"), "a reload keeps it too").toHaveValue("À moitié écrit");
});

test("the list is sieved and searched, by an address that keeps", async ({ artist, platform }) => {
  const { page } = artist;
  await platform.bookedFor("Camille Robert", { nth: 0 });
  await platform.bookedFor("Sacha Petit", { nth: 1, paid: false });
  await artist.enter(LEA, "#/bookings");
  await expect(artist.row("Camille Robert")).toBeVisible();
  await artist.press(artist.link("À faire"));
  await expect(artist.row("Camille Robert")).toBeHidden();
  await expect(artist.row("Sacha Petit")).toBeVisible();
  await page.goBack();
  await expect(artist.row("Camille Robert")).toBeVisible();
  await page.getByRole("searchbox").fill("camille");
  await expect(artist.row("Sacha Petit")).toBeHidden();
  await page.reload();
  await expect(page.getByRole("searchbox")).toHaveValue("camille");
  await expect(artist.row("Camille Robert")).toBeVisible();
  const download = page.waitForEvent("download");
  await artist.press(artist.link(/CSV/));
  expect((await download).suggestedFilename()).toMatch(/\.csv$/);
  await page.getByRole("searchbox").fill("personne de ce nom");
  await expect(page.getByRole("status").filter({ hasText: "Rien ne correspond" })).toBeVisible();
});

test("without a connection it says so, and goes on afterwards", async ({ artist, platform, witness }) => {
  const { page } = artist;
  await platform.bookedFor("Camille Robert");
  await artist.enter(LEA, "#/bookings");
  await expect(artist.row("Camille Robert")).toBeVisible();
  witness.expects(/^failed: .*ERR_INTERNET_DISCONNECTED/);
  await page.context().setOffline(true);
  await expect(page.getByRole("alert").filter({ hasText: "hors ligne" })).toBeVisible();
  await expect(artist.row("Camille Robert"), "what was read stays").toBeVisible();
  await artist.press(artist.link("Réglages").first());
  await artist.press(artist.link(/^Horaires/));
  await expect(page.getByRole("alert").filter({ hasText: "Pas de réponse" })).toBeVisible();
  await page.context().setOffline(false);
  await expect(page.getByRole("group", { name: "Mardi" })).toBeVisible();
});
