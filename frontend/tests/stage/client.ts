// What a person does on the site, in their words: roles and names only, as a screen reader would find them.
// Every press is a tap on the phone and a click at the desk.

import { type Locator, type Page, expect } from "@playwright/test";
import type { Outcome } from "./platform.ts";

export interface Person {
  name: string;
  email: string;
  phone: string;
}

/** A person whose mails nobody else gets. */
export function somebody(name = "Camille Robert"): Person {
  return {
    name,
    email: `${name.toLowerCase().replace(/\W+/g, ".")}.${Math.random().toString(36).slice(2, 10)}@example.fr`,
    phone: "06 12 34 56 78",
  };
}

export const IDEA = {
  description: "Une branche d’olivier qui suit l’os, trait fin, sans ombrage.",
  zone: "Avant-bras gauche",
  budget: "250",
};

export const fr = {
  bookFlash: (title: string) => new RegExp(`^Réserver ${title}`),
  proposeProject: "Proposer un projet",
  contact: "Vos coordonnées",
  idea: "Votre idée",
  slot: "Votre créneau",
  summary: "Récapitulatif",
  name: /^Nom complet/,
  email: /^Adresse e-mail/,
  phone: /^Téléphone/,
  description: /^Décrivez votre idée/,
  zone: /^Zone du corps/,
  budget: /^Budget/,
  next: "Continuer",
  back: "Retour",
  close: "Fermer",
  day: /^Jour/,
  slots: /^Créneaux du/,
  pay: /^Payer l’acompte de/,
  confirmed: "C’est confirmé",
  loading: "Chargement…",
};

const en: typeof fr = {
  bookFlash: (title) => new RegExp(`^Book ${title}`),
  proposeProject: "Suggest a project",
  contact: "Your details",
  idea: "Your idea",
  slot: "Your slot",
  summary: "Summary",
  name: /^Full name/,
  email: /^Email address/,
  phone: /^Phone/,
  description: /^Describe your idea/,
  zone: /^Body area/,
  budget: /^Budget/,
  next: "Continue",
  back: "Back",
  close: "Close",
  day: /^Day/,
  slots: /^Slots on/,
  pay: /^Pay the .+ deposit/,
  confirmed: "It is confirmed",
  loading: "Loading…",
};

export const BUTTONS: Record<Outcome, RegExp> = {
  paid: /^Payer \d/,
  declined: /^Carte refusée/,
  webhook_lost: /^Payer, notification perdue/,
  webhook_late: /^Payer, notification en retard/,
  webhook_doubled: /^Payer, notification en double/,
  expire: /^Laisser expirer/,
};

export class Client {
  readonly page: Page;
  readonly words: typeof fr;
  readonly dialog: Locator;
  readonly alert: Locator;
  readonly #touches: boolean;
  readonly #query: string;

  constructor(page: Page, { touches, speaks = "fr" }: { touches: boolean; speaks?: "fr" | "en" }) {
    this.page = page;
    this.words = speaks === "fr" ? fr : en;
    this.dialog = page.getByRole("dialog");
    this.alert = this.dialog.getByRole("alert");
    this.#touches = touches;
    this.#query = speaks === "fr" ? "" : `?lang=${speaks}`;
  }

  async press(what: Locator): Promise<void> {
    await (this.#touches ? what.tap() : what.click());
  }

  button(name: string | RegExp, within: Locator | Page = this.page): Locator {
    return within.getByRole("button", { name, ...(typeof name === "string" && { exact: true }) });
  }

  async visit(slug = "lea-marchetti"): Promise<void> {
    await this.page.goto(`/artist/${slug}${this.#query}`);
    await expect(this.button(this.words.proposeProject).first()).toBeVisible();
  }

  async chooseFlash(title = "Hirondelle"): Promise<void> {
    await this.press(this.button(this.words.bookFlash(title)).first());
    await this.at(this.words.contact);
  }

  async proposeProject(): Promise<void> {
    await this.press(this.button(this.words.proposeProject).first());
    await this.at(this.words.idea);
  }

  /** The dialog stands at this step, and a screen reader was told. */
  async at(step: string): Promise<void> {
    await expect(this.dialog.getByRole("heading", { name: step })).toBeVisible();
  }

  field(name: RegExp): Locator {
    return this.dialog.getByRole("textbox", { name });
  }

  async describe(idea = IDEA): Promise<void> {
    await this.field(this.words.description).fill(idea.description);
    await this.field(this.words.zone).fill(idea.zone);
    await this.field(this.words.budget).fill(idea.budget);
  }

  async introduce(person: Person): Promise<void> {
    await this.field(this.words.name).fill(person.name);
    await this.field(this.words.email).fill(person.email);
    await this.field(this.words.phone).fill(person.phone);
  }

  async next(): Promise<void> {
    await this.press(this.button(this.words.next, this.dialog));
  }

  /** From the form to the slots. */
  async toSlots(person: Person): Promise<void> {
    await this.introduce(person);
    await this.next();
    await this.at(this.words.slot);
    await expect(this.times.first()).toBeAttached();
  }

  get days(): Locator {
    return this.dialog.getByRole("group", { name: this.words.day }).getByRole("radio");
  }

  get times(): Locator {
    return this.dialog.getByRole("group", { name: this.words.slots }).getByRole("radio");
  }

  /** Presses the tile of a radio button where a person would: whether the label or the button itself lies on top. */
  async pick(radio: Locator): Promise<void> {
    await radio.scrollIntoViewIfNeeded();
    const box = await radio.evaluate((input: HTMLInputElement) => {
      const { x, y, width, height } = (input.labels?.[0] ?? input).getBoundingClientRect();
      return { x: x + width / 2, y: y + height / 2 };
    });
    await (this.#touches ? this.page.touchscreen.tap(box.x, box.y) : this.page.mouse.click(box.x, box.y));
    await expect(radio).toBeChecked();
  }

  /** Takes a slot of the shown day, the first unless said otherwise, and gives its whole name. */
  async takeSlot(index = 0): Promise<string> {
    const radio = this.times.nth(index);
    await this.pick(radio);
    return (await radio.getAttribute("aria-label")) ?? (await radio.inputValue());
  }

  /** From the slots to the summary. */
  async toSummary(index = 0): Promise<string> {
    const slot = await this.takeSlot(index);
    await this.next();
    await this.at(this.words.summary);
    return slot;
  }

  get payButton(): Locator {
    return this.button(this.words.pay, this.dialog);
  }

  /** Leaves for the payment page. */
  async pay(): Promise<void> {
    await this.press(this.payButton);
    await this.page.waitForURL(/\/c\/pay\//);
  }

  /** From the vitrine to the payment page, by the shortest way; gives the booking's id. */
  async reserve(person = somebody(), title = "Hirondelle"): Promise<string> {
    await this.visit();
    await this.chooseFlash(title);
    await this.toSlots(person);
    await this.toSummary();
    await this.pay();
    const back = await this.page.getByRole("link", { name: /Revenir au site/ }).getAttribute("href");
    const id = new URL(back ?? "").searchParams.get("id");
    if (!id) throw new Error(`the way back from the payment page names no booking: ${back}`);
    return id;
  }

  /** Presses one of the buttons of the payment page. */
  async choose(outcome: Outcome): Promise<void> {
    await this.press(this.button(BUTTONS[outcome]));
  }

  async sees(title: string | RegExp, patience = 15_000): Promise<void> {
    await expect(this.page.getByRole("heading", { level: 1, name: title })).toBeVisible({ timeout: patience });
  }
}
