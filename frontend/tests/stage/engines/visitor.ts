// Somebody before a page, in whatever engine: finds things by role and name as a screen reader does, presses where they
// are, and waits until what they look for is there.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect } from "@playwright/test";
import { sideways } from "../story.ts";
import type { Hand } from "./hand.ts";

export type Role =
  | "button"
  | "link"
  | "heading"
  | "radio"
  | "textbox"
  | "group"
  | "alert"
  | "status"
  | "dialog"
  | "main"
  | "listitem";
type Name = string | RegExp;

export interface Where {
  /** Only inside of what has this role: the dialog that is open, or a row by its name. */
  within?: { role: Role; name?: Name };
  nth?: number;
  patience?: number;
}

interface Found {
  x: number;
  y: number;
  /** It rests, and nothing lies over it. */
  free: boolean;
  text: string;
  name: string;
  value: string;
  checked: boolean;
  focused: boolean;
}

interface Wanted {
  role: Role;
  name: { source: string; flags: string } | null;
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const PATIENCE = 15_000;

export class Visitor {
  readonly #hand: Hand;
  readonly #site: string;
  readonly #complaints: string[] = [];
  /** How many failures of pages the operator must have been told of. */
  told = 0;

  constructor(hand: Hand, site: string) {
    this.#hand = hand;
    this.#site = site;
  }

  get hand(): Hand {
    return this.#hand;
  }

  async go(path: string): Promise<void> {
    await this.#hand.go(new URL(path, this.#site).href);
  }

  /** Waits until something of this role and name can be seen. */
  async sees(role: Role, name: Name, { patience = PATIENCE, ...where }: Where = {}): Promise<Found> {
    return this.until(`${role} ${name}`, () => this.#find(role, name, where), patience);
  }

  /** Waits until nothing of this role and name is left. */
  async misses(role: Role, name: Name, where: Where = {}): Promise<void> {
    await this.until(`no ${role} ${name}`, async () => (await this.#find(role, name, where)) === null);
  }

  /** Waits until the page, or a part of it, says so. */
  async reads(words: RegExp, within: { role: Role; name?: Name } = { role: "main" }): Promise<string> {
    let last = "";
    try {
      return await this.until(String(words), async () => {
        last = (await this.#find(within.role, within.name ?? null, {}))?.text ?? "";
        return words.test(last) ? last : null;
      });
    } catch (error) {
      throw new Error(`${(error as Error).message}; the ${within.role} says: ${last}`);
    }
  }

  async press(role: Role, name: Name, { patience = PATIENCE, ...where }: Where = {}): Promise<void> {
    let before = "";
    const { x, y } = await this.until(
      `${role} ${name}, at rest and with nothing before it`,
      async () => {
        const found = await this.#find(role, name, where, true);
        const place = `${found?.x} ${found?.y}`;
        if (found?.free && place === before) return found;
        before = place;
        return null;
      },
      patience,
    );
    await this.#hand.press(x, y);
  }

  /** Writes over whatever the field holds. */
  async fill(name: Name, text: string, where: Where = {}): Promise<void> {
    await this.press("textbox", name, where);
    await this.until(`the focus in ${name}`, async () => (await this.#find("textbox", name, where))?.focused);
    await this.#hand.run(() => (document.activeElement as HTMLInputElement).select());
    await this.#hand.type(text);
    await this.until(`"${text}" in ${name}`, async () => (await this.#find("textbox", name, where))?.value === text);
  }

  /** Nothing sticks out sideways. */
  async isFit(state: string): Promise<void> {
    await this.#look();
    expect(await this.#hand.run(sideways), `sideways scrolling: ${state}`).toEqual([]);
  }

  /** What the page did wrong so far without saying so. */
  complaints(): readonly string[] {
    return this.#complaints;
  }

  async until<Answer>(
    what: string,
    look: () => Promise<Answer | null | undefined | false>,
    patience = PATIENCE,
  ): Promise<Answer> {
    let trouble = "";
    for (
      const until = Date.now() + patience;
      Date.now() < until;
      await new Promise((resolve) => setTimeout(resolve, 100))
    ) {
      try {
        const answer = await look();
        if (answer) return answer;
        trouble = "";
      } catch (error) {
        // A page that is being left answers nothing.
        trouble = String(error);
      }
    }
    throw new Error(`not after ${patience / 1000} s: ${what} ${trouble}`);
  }

  async #find(role: Role, name: Name | null, { within, nth = 0 }: Where, comeNear = false): Promise<Found | null> {
    await this.#look();
    const wanted = (of: Role, by: Name | null | undefined): Wanted => ({ role: of, name: by ? pattern(by) : null });
    return this.#hand.run(find, wanted(role, name), within ? wanted(within.role, within.name) : null, nth, comeNear);
  }

  /** Gives a new page eyes and ears, and takes down what they noticed. */
  async #look(): Promise<void> {
    if (!(await this.#hand.run(() => "axe" in window))) await this.#hand.load(axe);
    this.#complaints.push(...(await this.#hand.run(listen)));
  }
}

function pattern(name: Name): { source: string; flags: string } {
  if (name instanceof RegExp) return { source: name.source, flags: name.flags };
  return { source: `^${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`, flags: "" };
}

/** Runs in the page: hears from now on what goes wrong, and gives what was heard since. */
function listen(): string[] {
  const place = window as unknown as { heard?: string[] };
  if (!place.heard) {
    const heard: string[] = (place.heard = []);
    addEventListener("error", (event) => heard.push(`exception: ${event.message} (${event.filename}:${event.lineno})`));
    addEventListener("unhandledrejection", (event) => heard.push(`rejection: ${event.reason}`));
    addEventListener("securitypolicyviolation", (event) =>
      heard.push(`policy: ${event.violatedDirective} forbids ${event.blockedURI}`),
    );
    for (const level of ["error", "warn"] as const) {
      const say = console[level];
      console[level] = (...words: unknown[]) => {
        heard.push(`console ${level}: ${words.join(" ")}`);
        say(...words);
      };
    }
  }
  return place.heard.splice(0);
}

/** Runs in the page: the nth thing of a role and name that can be seen, inside of another one or of the open dialog. */
function find(wanted: Wanted, within: Wanted | null, nth: number, comeNear: boolean): Found | null {
  const { axe } = window as unknown as { axe: any };
  const kinds: Record<Role, string> = {
    button: "button, [role=button]",
    link: "a[href]",
    heading: "h1, h2, h3, h4",
    radio: "input[type=radio]",
    textbox: "input:not([type=radio], [type=checkbox], [type=hidden], [type=file]), textarea",
    group: "fieldset, [role=group]",
    alert: "[role=alert]",
    status: "[role=status]",
    dialog: "dialog[open]",
    main: "main",
    listitem: "li",
  };
  const flat = (text: string | null | undefined): string => (text ?? "").replace(/\s+/g, " ").trim();
  const seen = (element: Element): boolean =>
    element.getClientRects().length > 0 && getComputedStyle(element).visibility === "visible";
  const nameOf = (element: Element): string =>
    // A row is known by the heading in it.
    element.tagName === "LI"
      ? flat(element.querySelector("h3")?.textContent)
      : flat(axe.commons.text.accessibleText(element));
  const fits = ({ role, name }: Wanted, root: ParentNode): Element[] =>
    Array.from(root.querySelectorAll(kinds[role])).filter(
      (element) => seen(element) && (!name || new RegExp(name.source, name.flags).test(nameOf(element))),
    );
  axe.teardown();
  axe.setup(document.documentElement);
  try {
    // What lies under an open dialog is out of reach.
    const open = Array.from(document.querySelectorAll("dialog[open]")).at(-1);
    const [root] = within
      ? fits(within, document)
      : [wanted.role === "dialog" || wanted.role === "main" ? document : (open ?? document)];
    const element = root && fits(wanted, root)[nth];
    if (!element) return null;
    const field = element as HTMLInputElement;
    // A radio lies under its label, or the label under it.
    const target = wanted.role === "radio" ? (field.labels?.[0] ?? element) : element;
    if (comeNear) target.scrollIntoView({ block: "center", behavior: "instant" });
    const box = target.getBoundingClientRect();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const top = document.elementFromPoint(x, y);
    const moves = document.getAnimations().some(({ playState, effect }) => {
      const moved = (effect as KeyframeEffect | null)?.target;
      return (
        playState === "running" &&
        moved?.contains(target) &&
        Number.isFinite(Number(effect?.getComputedTiming().endTime))
      );
    });
    return {
      x,
      y,
      free: !moves && top !== null && (target.contains(top) || element.contains(top)) && !field.disabled,
      text: flat((element as HTMLElement).innerText),
      name: nameOf(element),
      value: field.value ?? "",
      checked: field.checked === true,
      focused: document.activeElement === element,
    };
  } finally {
    axe.teardown();
  }
}
