// What an artist does on the dashboard, in their words: roles and names only, as a screen reader would find them.

import { type Locator, type Page, expect } from "@playwright/test";
import type { Platform } from "./platform.ts";
import type { Witness } from "./witness.ts";

export interface Account {
  email: string;
  password: string;
}

/** The demo accounts; `tools/dev/src/demo.rs` has them. */
export const LEA: Account = { email: "lea@marchetti.example", password: "encre-de-demo" };
export const NOA: Account = { email: "noa@keller.example", password: "encre-de-demo" };

/** The link that a mail of the sign-in brings; of a story before, a mail of another kind may still arrive. */
export async function linkFor({ email }: Account, platform: Platform): Promise<string> {
  const address = /https?:\/\/\S*token_hash=[^\s"<>]+/;
  const { text } = await platform.mail(email, /./, address);
  return address.exec(text)?.[0] ?? "";
}

/** An account that nobody has yet. */
export function newcomer(): Account {
  return {
    email: `nouvelle-${Math.random().toString(36).slice(2, 10)}@example.fr`,
    password: "une phrase assez longue",
  };
}

export const fr = {
  query: "lang=fr",
  email: /^Adresse e-mail/,
  password: /^Mot de passe/,
  enter: "Se connecter",
  createAccount: "Créer un compte",
  save: "Enregistrer",
  yourTurn: "À vous de jouer",
  bookings: "Rendez-vous",
  settings: "Réglages",
  confirm: (name: string) => `Confirmer le rendez-vous de ${name}`,
  undo: (name: string) => `Revenir en arrière sur la confirmation de ${name}`,
  cancel: (name: string) => `Annuler le rendez-vous de ${name}`,
  keep: "Garder le rendez-vous",
  hello: /^Bonjour /,
  checkMail: /^Un message vient de partir/,
  follow: "Entrer",
  firstStep: "Votre page",
};

const en: typeof fr = {
  query: "lang=en",
  email: /^Email address/,
  password: /^Password/,
  enter: "Sign in",
  createAccount: "Create an account",
  save: "Save",
  yourTurn: "Your turn",
  bookings: "Bookings",
  settings: "Settings",
  confirm: (name) => `Confirm the appointment of ${name}`,
  undo: (name) => `Undo the confirmation of ${name}`,
  cancel: (name) => `Cancel the appointment of ${name}`,
  keep: "Keep the appointment",
  hello: /^Hello /,
  checkMail: /^A message is on its way/,
  follow: "Enter",
  firstStep: "Your page",
};

export class Artist {
  readonly page: Page;
  readonly words: typeof fr;
  readonly #touches: boolean;
  readonly #witness: Witness;

  constructor(
    page: Page,
    { touches, witness, speaks = "fr" }: { touches: boolean; witness: Witness; speaks?: "fr" | "en" },
  ) {
    this.page = page;
    this.words = speaks === "fr" ? fr : en;
    this.#touches = touches;
    this.#witness = witness;
  }

  async press(what: Locator): Promise<void> {
    await (this.#touches ? what.tap() : what.click());
  }

  button(name: string | RegExp, within: Locator | Page = this.page): Locator {
    return within.getByRole("button", { name, ...(typeof name === "string" && { exact: true }) });
  }

  link(name: string | RegExp, within: Locator | Page = this.page): Locator {
    return within.getByRole("link", { name, ...(typeof name === "string" && { exact: true }) });
  }

  field(name: string | RegExp): Locator {
    return this.page.getByLabel(name, { exact: typeof name === "string" });
  }

  /** Comes to the door of the dashboard, signed out. */
  async arrive(address = ""): Promise<void> {
    // Nobody is signed in: the page asks, and once tries to renew.
    this.#witness.expects(/^401: GET .*\/api\/session$/);
    this.#witness.expects(/^401: POST .*\/api\/session\/refresh$/);
    await this.page.goto(`/dashboard?${this.words.query}${address}`);
    await expect(this.button(this.words.enter)).toBeVisible();
  }

  async signIn({ email, password }: Account): Promise<void> {
    await this.field(this.words.email).fill(email);
    await this.field(this.words.password).fill(password);
    await this.press(this.button(this.words.enter));
  }

  /** From the door to a view. */
  async enter(account: Account = LEA, address = ""): Promise<void> {
    await this.arrive(address);
    await this.signIn(account);
    await expect(this.button(this.words.enter)).toBeHidden();
    await this.settled();
  }

  /** From the door to the first step of a new account, by the link in the mail. */
  async signUp(account: Account, platform: Platform): Promise<void> {
    await this.arrive();
    await this.press(this.button(this.words.createAccount));
    await this.field(this.words.email).fill(account.email);
    await this.field(this.words.password).fill(account.password);
    await this.press(this.button(this.words.createAccount));
    await expect(this.page.getByRole("status").filter({ hasText: this.words.checkMail })).toBeVisible();
    await this.page.goto(await linkFor(account, platform));
    await this.press(this.button(this.words.follow));
    await this.sees(this.words.firstStep);
  }

  /** Goes to a view by its address, as a bookmark does. */
  async open(address: string): Promise<void> {
    await this.page.goto(`/dashboard?${this.words.query}${address}`);
    await this.settled();
  }

  /** What the view shows has been read. */
  async settled(): Promise<void> {
    await expect(this.heading()).toBeVisible();
    await expect(this.page.locator("[aria-busy=true]")).toHaveCount(0);
  }

  heading(): Locator {
    return this.page.getByRole("heading", { level: 1 });
  }

  async sees(title: string | RegExp): Promise<void> {
    await expect(this.page.getByRole("heading", { level: 1, name: title })).toBeVisible();
  }

  /** The row of somebody's booking. */
  row(name: string): Locator {
    return this.page.getByRole("listitem").filter({ has: this.page.getByRole("heading", { level: 3, name }) });
  }

  dialog(): Locator {
    return this.page.getByRole("dialog");
  }
}
