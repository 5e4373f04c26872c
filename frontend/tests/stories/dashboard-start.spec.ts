// From an empty account to a page that can be booked, and every setting of it.

import { LEA, newcomer } from "../stage/artist.ts";
import type { Artist } from "../stage/artist.ts";
import type { Platform } from "../stage/platform.ts";
import { somebody } from "../stage/client.ts";
import { barrierFree, expect, test } from "../stage/story.ts";

/** A name that makes an address nobody has. */
function freshName(): string {
  return `Atelier ${Math.random().toString(36).slice(2, 8)}`;
}

/** Through the door of somebody new, and the first step. */
async function begin(artist: Artist, platform: Platform, name: string): Promise<void> {
  await artist.signUp(newcomer(), platform);
  await artist.field("Nom d’artiste").fill(name);
  await artist.field("Ville").fill("Nantes");
  await artist.field("Adresse de l’atelier").fill("3 rue Kervégan, 44000 Nantes");
  await artist.press(artist.button("Créer ma page"));
  await artist.sees("Quand travaillez-vous ?");
}

test("an empty account becomes a page with a picture, and a client books it", async ({ artist, client, platform }) => {
  const { page } = artist;
  const name = freshName();
  const slug = name.toLowerCase().replace(" ", "-");
  await begin(artist, platform, name);
  await barrierFree(page, "first steps, hours");
  await page.reload();
  await artist.sees("Quand travaillez-vous ?");
  await page.getByLabel("Vendredi, plage 1, fermeture").selectOption("24:00");
  await artist.press(artist.button("Continuer"));

  await artist.sees("Un premier flash");
  await artist.press(artist.button("Publier ce flash"));
  await expect(page.getByText("Choisissez une image.")).toBeVisible();
  await barrierFree(page, "first steps, a flash with its errors");
  const photo = await page.screenshot({ type: "jpeg" });
  await page.getByLabel("Image du flash").setInputFiles({ name: "flash.jpg", mimeType: "image/jpeg", buffer: photo });
  await artist.field("Titre").fill("Ancolie");
  await artist.field(/^Prix/).fill("180,50");
  await expect(page.getByText("L’image est prête.")).toBeVisible({ timeout: 30_000 });
  await artist.press(artist.button("Publier ce flash"));

  await artist.sees("Votre page est ouverte");
  await expect(page.getByLabel("Adresse de votre page")).toHaveValue(new RegExp(`/artist/${slug}$`));
  // What stands on the page in the artist's name is shown before anybody else reads it.
  const terms = page.getByRole("region", { name: "Ce que vos clients lisent en votre nom" });
  await expect(terms).toContainText("72 heures");
  await expect(artist.link("Changer l’annulation", terms)).toHaveAttribute("href", "#/settings/policy");
  await expect(artist.link("Changer l’acompte", terms)).toHaveAttribute("href", "#/settings/rules");
  await barrierFree(page, "first steps, done");

  await client.visit(slug);
  await expect(client.page.getByRole("heading", { level: 1 })).toHaveText(name);
  const drawing = client.page.getByRole("img").first();
  await expect
    .poll(() => drawing.evaluate((image: HTMLImageElement) => image.naturalWidth), "the picture is there")
    .toBeGreaterThan(100);
  await client.chooseFlash("Ancolie");
  await client.toSlots(somebody());
  await client.toSummary();
  await client.pay();
  await client.choose("paid");
  await client.sees("C’est confirmé");

  await artist.open("#/bookings");
  await expect(artist.row("Camille Robert")).toContainText("Confirmé");
  expect(await platform.sql`select 1 from artists where slug = ${slug}`).toHaveLength(1);
});

for (const [speaks, ready, whose, cannot, open] of [
  [
    "fr",
    "Votre page est prête",
    /ne peuvent pas encore réserver\s: qui tient ce site .* De votre côté, il ne manque rien/,
    "Vos clients ne peuvent pas encore réserver",
    /ouverte|tout seuls/,
  ],
  [
    "en",
    "Your page is ready",
    /cannot book yet: whoever runs this site .* On your side nothing is missing/,
    "Clients cannot book yet",
    /is open|by themselves/,
  ],
] as const) {
  test(`an artist whose page may not take deposits yet reads that nobody can book, and that all else is done (${speaks})`, async ({
    another,
    artistIn,
    platform,
  }) => {
    await platform.sql`update artists set takes_deposits = false where slug = 'lea-marchetti'`;
    try {
      const { page } = await another({ locale: speaks === "fr" ? "fr-FR" : "en-GB" });
      const artist = artistIn(page, speaks);
      await artist.enter(LEA, "#/start");
      await artist.sees(ready);
      await expect(page.getByRole("main")).toContainText(whose);
      await barrierFree(page, "first steps, no deposits yet");
      await artist.open("#/");
      await artist.sees(artist.words.hello);
      await expect(page.getByRole("complementary")).toContainText(cannot);
      await expect(page.getByRole("main")).not.toContainText(open);
      await barrierFree(page, "the overview, no deposits yet");
    } finally {
      await platform.sql`update artists set takes_deposits = true where slug = 'lea-marchetti'`;
    }
  });
}

test("the settings say what is wrong, keep what is right, and show what a client reads", async ({
  artist,
  platform,
  witness,
}) => {
  const { page } = artist;
  await begin(artist, platform, freshName());
  const saved = page.getByRole("status").filter({ hasText: "Enregistré." });

  await artist.open("#/settings/rules");
  await artist.field(/^Acompte d’un flash/).fill("130");
  await artist.press(artist.button(artist.words.save));
  await expect(artist.field(/^Acompte d’un flash/)).toBeFocused();
  await expect(artist.field(/^Acompte d’un flash/)).toHaveAccessibleDescription(/0 à 100/);
  await artist.field(/^Acompte d’un flash/).fill("40");
  await artist.field(/^Mais au moins/).fill("45,50");
  await expect(page.getByText(/l’acompte est de 80\s€/)).toBeVisible();
  await artist.press(artist.button(artist.words.save));
  await expect(saved).toBeVisible();
  await page.reload();
  await expect(artist.field(/^Mais au moins/)).toHaveValue("45,50");

  await artist.open("#/settings/policy");
  const told = page.getByRole("region", { name: "Ce que lit votre client" });
  const before = await told.innerText();
  await artist.field(/^Remboursement entier/).fill("240");
  await expect(told).toContainText("10 jours");
  expect(await told.innerText()).not.toBe(before);
  await artist.press(artist.button(artist.words.save));
  await expect(saved).toBeVisible();

  await artist.open("#/settings/profile");
  witness.expects(/^4(09|22): PUT .*\/profile/);
  await artist.field("Adresse de la page").fill("lea-marchetti");
  await artist.press(artist.button(artist.words.save));
  await expect(
    page
      .getByRole("alert")
      .filter({ hasText: /déjà/ })
      .or(page.getByText(/déjà pris/))
      .first(),
  ).toBeVisible();

  await artist.open("#/settings/time-off");
  await artist.field("Premier jour").fill("2027-08-02");
  await artist.field("Dernier jour").fill("2027-08-15");
  await artist.press(artist.button("Ajouter"));
  await expect(
    page.getByRole("listitem").filter({ hasText: "Du lun. 2 août 2027 au dim. 15 août 2027" }),
  ).toBeVisible();
  await artist.press(artist.button(/^Supprimer : /));
  await expect(page.getByText("Aucun congé prévu.")).toBeVisible();

  await artist.open("#/settings/hours");
  await artist.press(artist.button("Ouvrir le lundi"));
  await page.getByLabel("Lundi, plage 1, ouverture").selectOption("20:00");
  await artist.press(artist.button(artist.words.save));
  await expect(page.getByText("La fermeture vient après l’ouverture.")).toBeVisible();
  await page.getByLabel("Lundi, plage 1, fermeture").selectOption("24:00");
  await artist.press(artist.button(artist.words.save));
  await expect(saved).toBeVisible();
  await page.reload();
  await expect(page.getByLabel("Lundi, plage 1, fermeture")).toHaveValue("24:00");
});

test("the connection to Cal.com says what is wrong with it", async ({ artist, platform }) => {
  const { page } = artist;
  await begin(artist, platform, freshName());
  await artist.open("#/settings/calendar");
  await artist.field(/^Nom d’utilisateur/).fill("noa-keller");
  await artist.field(/^Numéro du type/).fill("4210001");
  await artist.field(/^Clé d’API/).fill("cal_test_pas_la_bonne");
  await artist.press(artist.button("Tester la connexion"));
  await expect(page.getByText("Quelque chose ne va pas.")).toBeVisible();
  await expect(page.getByRole("listitem").filter({ hasText: "Clé d’API" })).toContainText("à revoir");
  await barrierFree(page, "a connection that does not work");
  await artist.field(/^Clé d’API/).fill("cal_test_noa_6f1d2c9b7a5e4038");
  await artist.press(artist.button("Tester la connexion"));
  await expect(page.getByText("Tout fonctionne.")).toBeVisible();
  await artist.press(artist.button(artist.words.save));
  await expect(page.getByText("Relié au compte noa-keller.")).toBeVisible();
  await expect(artist.field(/^Clé d’API/), "the key is never shown again").toHaveValue("");
  await artist.press(artist.button("Ne plus utiliser Cal.com"));
  await expect(page.getByText("Cal.com n’est pas relié.", { exact: false })).toBeVisible();
});

test("once the mail is on its way, it can be had again, or the address corrected", async ({ artist }) => {
  const { page } = artist;
  const account = newcomer();
  await artist.arrive();
  await artist.press(artist.button("Créer un compte"));
  await artist.field(/^Adresse e-mail/).fill(account.email);
  await artist.field(/^Mot de passe/).fill(account.password);
  await artist.press(artist.button("Créer un compte"));
  await expect(page.getByRole("status").filter({ hasText: /^Un message vient de partir/ })).toBeVisible();
  await expect(page.getByText(`Envoyé à ${account.email}.`)).toBeVisible();
  await expect(artist.field(/^Adresse e-mail/), "what was sent is not asked for again").toHaveCount(0);
  await barrierFree(page, "the mail is on its way");
  await artist.press(artist.button("Renvoyer l’e-mail"));
  await expect(page.getByRole("status").filter({ hasText: /^Un message vient de partir/ })).toBeVisible();
  await artist.press(artist.button("Changer d’adresse"));
  await expect(artist.field(/^Adresse e-mail/)).toHaveValue(account.email);
});

test("bookings go to another address once the link mailed there is pressed", async ({ artist, platform }) => {
  const { page } = artist;
  await begin(artist, platform, freshName());
  const studio = newcomer().email;
  await artist.open("#/settings/profile");
  await artist.field("E-mail pour les réservations").fill(studio);
  await artist.press(artist.button(artist.words.save));
  await expect(page.getByText(`${studio} n’est pas encore confirmée`)).toBeVisible();
  await barrierFree(page, "an address that waits for its link");
  await platform.mail(studio, /^Confirmez cette adresse/);
  await artist.press(artist.button("Renvoyer le lien"));
  await expect(page.getByRole("status").filter({ hasText: /^Le lien part à/ })).toBeVisible();
  const mail = await platform.mail(studio, /^Confirmez cette adresse/);
  const link = /https?:\S+\?contact=\S+/.exec(mail.text)?.[0] ?? "";
  await page.goto(link);
  await expect(artist.button("Confirmer cette adresse")).toBeVisible();
  expect(await platform.sql`select 1 from artists where email = ${studio}`, "opened is not pressed").toHaveLength(0);
  await barrierFree(page, "a link that was followed");
  await artist.press(artist.button("Confirmer cette adresse"));
  await expect(page.getByRole("status").filter({ hasText: "L’adresse est confirmée." })).toBeVisible();
  expect(await platform.sql`select 1 from artists where email = ${studio}`).toHaveLength(1);
  expect(page.url()).not.toContain("contact=");
});

test("where nobody may open an account, nobody is led to try", async ({ artist }) => {
  const { page } = artist;
  await page.route("**/api/session/signup", (route) => route.fulfill({ json: { sign_up: "closed" } }));
  const asked = page.waitForResponse("**/api/session/signup");
  await artist.arrive();
  await asked;
  await expect(artist.button("Créer un compte")).toHaveCount(0);
  await page.unroute("**/api/session/signup");
  await page.reload();
  await expect(artist.button("Créer un compte")).toBeVisible();
});
