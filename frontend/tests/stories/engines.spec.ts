// The client's whole way and the artist's main one, in every engine that people come with. What is told apart by words and
// states is in the other stories; here it must work at all.

import { LEA, fr as dashboard, linkFor } from "../stage/artist.ts";
import { BUTTONS, IDEA, type Person, fr, somebody } from "../stage/client.ts";
import { expect, test } from "../stage/engines/story.ts";
import type { Visitor } from "../stage/engines/visitor.ts";
import type { Outcome } from "../stage/platform.ts";

const DIALOG = { role: "dialog" } as const;

async function chooseFlash(visitor: Visitor, title = "Hirondelle"): Promise<void> {
  await visitor.go("/artist/lea-marchetti");
  await visitor.press("button", fr.bookFlash(title));
  await visitor.sees("heading", fr.contact);
}

async function introduce(visitor: Visitor, person: Person): Promise<void> {
  await visitor.fill(fr.name, person.name);
  await visitor.fill(fr.email, person.email);
  await visitor.fill(fr.phone, person.phone);
  await visitor.isFit("step 1");
  await visitor.press("button", fr.next);
  await visitor.sees("heading", fr.slot);
}

/** Takes a slot of the day that is open, and gives its whole name. */
async function takeSlot(visitor: Visitor, nth = 0): Promise<string> {
  const within = { role: "group", name: fr.slots } as const;
  await visitor.sees("radio", /./, { within, nth });
  await visitor.isFit("step 2");
  await visitor.press("radio", /./, { within, nth });
  const slot = await visitor.until("the slot is chosen", async () => {
    const radio = await visitor.sees("radio", /./, { within, nth });
    return radio.checked && radio.name;
  });
  await visitor.press("button", fr.next);
  await visitor.sees("heading", fr.summary);
  await visitor.isFit("step 3");
  return slot;
}

async function pay(visitor: Visitor): Promise<void> {
  await visitor.press("button", fr.pay);
  await visitor.until("the payment page", async () => /\/c\/pay\//.test(await visitor.hand.address()));
}

/** Presses a button of the payment page, and comes back from it. */
async function choose(visitor: Visitor, outcome: Outcome, title: string): Promise<void> {
  await visitor.press("button", BUTTONS[outcome]);
  await visitor.sees("heading", title);
  await visitor.isFit(title);
}

/** The hour in a slot's name, as it is written everywhere: "14 h 30". */
function hourIn(slot: string): string {
  const hour = /\d+ h \d\d/.exec(slot)?.[0];
  if (!hour) throw new Error(`no hour in ${slot}`);
  return hour;
}

test("a client books a flash, pays, and reads the hour that they chose", async ({ visitor, platform }) => {
  const person = somebody();
  await chooseFlash(visitor);
  await introduce(visitor, person);
  const slot = await takeSlot(visitor);
  await visitor.reads(new RegExp(hourIn(slot)), DIALOG);
  await pay(visitor);
  await choose(visitor, "paid", fr.confirmed);
  await visitor.reads(new RegExp(hourIn(slot)));
  const ledger = await platform.sql`select amount_cents from payments`;
  expect(ledger.map((row) => Number(row.amount_cents))).toEqual([5000]);
  await platform.mail(person.email, /confirm/i);
});

test("a client proposes a project", async ({ visitor, platform }) => {
  await visitor.go("/artist/noa-keller");
  await visitor.press("button", fr.proposeProject);
  await visitor.sees("heading", fr.contact);
  await visitor.fill(fr.description, IDEA.description);
  await visitor.fill(fr.zone, IDEA.zone);
  await visitor.fill(fr.budget, IDEA.budget);
  await introduce(visitor, somebody("Sacha Petit"));
  await takeSlot(visitor);
  await pay(visitor);
  await choose(visitor, "paid", fr.confirmed);
  const [row] = await platform.sql`select project_description as idea from bookings`;
  expect(row?.idea).toBe(IDEA.description);
});

test("a slot that somebody else took is said so, and another one is paid", async ({ visitor, platform }) => {
  visitor.hand.expects(/^409: POST .*\/api\/bookings\/create$/);
  await chooseFlash(visitor);
  await introduce(visitor, somebody());
  const slot = await takeSlot(visitor);
  const taken = await platform.bookElsewhere(await platform.firstSlot());
  await visitor.press("button", fr.pay);
  await visitor.sees("heading", fr.slot);
  await visitor.reads(/vient d’être pris/, DIALOG);
  expect(await takeSlot(visitor)).not.toBe(slot);
  await pay(visitor);
  await choose(visitor, "paid", fr.confirmed);
  const rows = await platform.sql`select status from bookings where id <> ${taken}`;
  expect(rows.map((row) => row.status)).toEqual(["confirmed"]);
});

test("back from the payment page the slot is still held, and is given back", async ({ visitor, platform }) => {
  await chooseFlash(visitor);
  await introduce(visitor, somebody());
  await takeSlot(visitor);
  await pay(visitor);
  await visitor.hand.back();
  await visitor.until("the page is back", async () => /\/artist\//.test(await visitor.hand.address()));
  // Firefox brings the page back as it was left, with the dialog open; the others read it anew.
  if (await visitor.hand.run(() => document.querySelector("dialog[open]") !== null))
    await visitor.press("button", fr.close);
  await visitor.sees("button", "Payer l’acompte");
  await visitor.isFit("a slot is held");
  await visitor.press("button", "Libérer le créneau");
  await visitor.reads(/Le créneau est libéré/);
  await visitor.misses("button", "Payer l’acompte");
  const rows = await platform.sql`select status from bookings`;
  expect(rows.map((row) => row.status)).toEqual(["cancelled"]);
});

test("a step that cannot be drawn says what to do, is told to the operator, and nothing typed is lost", async ({
  visitor,
  platform,
}) => {
  visitor.told = 1;
  visitor.hand.expects(/^told: /);
  const person = somebody();
  await chooseFlash(visitor);
  await visitor.hand.run(() => {
    // Only the second step names a range of days.
    Intl.DateTimeFormat.prototype.formatRangeToParts = () => {
      throw new RangeError("Invalid Date");
    };
  });
  await visitor.fill(fr.name, person.name);
  await visitor.fill(fr.email, person.email);
  await visitor.fill(fr.phone, person.phone);
  await visitor.press("button", fr.next);
  await visitor.sees("heading", "Cette étape ne s’affiche pas");
  await visitor.isFit("a step that is not drawn");
  await visitor.until(
    "the operator hears of it",
    async () => (await platform.sql`select 1 from rate_limits where bucket like 'page-errors:%'`).length,
  );
  await visitor.press("button", "Recharger la page");
  await visitor.sees("heading", fr.slot);
  await takeSlot(visitor);
  await visitor.reads(new RegExp(person.email.replaceAll(".", "\\.")), DIALOG);
});

test("an artist signs in, sees who comes, cancels with the money going back, and stays signed in", async ({
  visitor,
  platform,
}) => {
  const id = await platform.bookedFor("Inès Belkacem");
  const waiting = await platform.bookedFor("Sacha Petit", { nth: 1, paid: false });
  visitor.hand.expects(/^401: GET .*\/api\/session$/);
  visitor.hand.expects(/^401: POST .*\/api\/session\/refresh$/);
  await visitor.go("/dashboard?lang=fr");
  await visitor.fill(dashboard.email, LEA.email);
  await visitor.fill(dashboard.password, LEA.password);
  await visitor.press("button", dashboard.enter);
  await visitor.sees("heading", dashboard.hello);
  await visitor.isFit("the overview");
  await visitor.hand.reload();
  await visitor.sees("heading", dashboard.hello);

  await visitor.press("button", dashboard.confirm("Sacha Petit"));
  await visitor.until("the confirmation", async () => (await platform.booking(waiting)).status === "confirmed");

  await visitor.press("link", dashboard.bookings);
  await visitor.sees("listitem", "Inès Belkacem");
  await visitor.isFit("the list");
  await visitor.go(`/dashboard?lang=fr#/bookings/${id}`);
  await visitor.sees("heading", "Inès Belkacem");
  await visitor.isFit("a booking");
  await visitor.press("button", dashboard.cancel("Inès Belkacem"));
  await visitor.press("radio", /^Moi/, { within: DIALOG });
  await visitor.press("button", /^Annuler et rendre/);
  await visitor.reads(/est annulé/);
  expect((await platform.booking(id)).status).toBe("cancelled");
  await visitor.until("the refund", async () => (await platform.refunds()).length === 1);

  for (const [section, sign] of [
    ["hours", "Mardi"],
    ["time-off", ""],
    ["profile", ""],
    ["flashes", ""],
  ] as const) {
    await visitor.go(`/dashboard?lang=fr#/settings/${section}`);
    await visitor.sees("heading", /./);
    if (sign) await visitor.sees("group", sign);
    await visitor.until("all is read", () =>
      visitor.hand.run(() => document.querySelector("[aria-busy=true]") === null),
    );
    await visitor.isFit(section);
    if (section !== "hours") continue;
    const upon = await visitor.hand.run(() =>
      [...document.querySelectorAll(".weekday")]
        .filter(
          (day) => (day.firstElementChild?.getBoundingClientRect().top ?? 0) < day.getBoundingClientRect().top + 4,
        )
        .map((day) => day.textContent),
    );
    expect(upon, "days whose name stands upon the rule above").toEqual([]);
  }
});

test("an artist follows the link of a mail, which does nothing before a press", async ({ visitor, platform }) => {
  visitor.hand.expects(/^401: GET .*\/api\/session$/);
  visitor.hand.expects(/^401: POST .*\/api\/session\/refresh$/);
  await visitor.go("/dashboard?lang=fr");
  await visitor.fill(dashboard.email, LEA.email);
  await visitor.press("button", "Recevoir un lien de connexion par e-mail");
  const link = await linkFor(LEA, platform);
  for (const time of ["opened", "opened again"]) {
    await visitor.go(link);
    await visitor.sees("heading", "Votre lien de connexion");
    await visitor.isFit(time);
  }
  await visitor.press("button", "Entrer");
  await visitor.sees("heading", dashboard.hello);
  await visitor.until("the address is clean", async () => !/token_hash/.test(await visitor.hand.address()));
});
