// How the server understands a number and an address, said beside their fields before anything is booked. It stops nobody:
// without an answer the form goes on, and the booking itself decides. Fetched when somebody types.

import type { VNode } from "preact";
import { Address } from "../core/address";
import { type Artist, type Reading, call } from "../core/api";
import { language } from "../core/language";
import type { Answers, Mistakes } from "./answers";

export type Read = "phone" | "email";

const ALL: readonly Read[] = ["phone", "email"];

/** Milliseconds without a key before the server is asked. */
const PAUSE = 600;

const ASKED = language === "fr" ? ["Vouliez-vous dire ", " ?"] : ["Did you mean ", "?"];

/** What was read, and the text it was read from. */
type Readings = { [Name in Read]?: { text: string; said: NonNullable<Reading[Name]> } };

export class Reader {
  private readings: Readings = {};
  private readonly pauses: { [Name in Read]?: ReturnType<typeof setTimeout> } = {};

  constructor(
    private readonly artist: Artist,
    private readonly answers: () => Answers,
    private readonly take: (name: Read, text: string) => void,
    private readonly changed: () => void,
  ) {}

  /** A field was typed into: what was read of it is over. */
  typed(name: Read): void {
    delete this.readings[name];
    clearTimeout(this.pauses[name]);
    this.pauses[name] = setTimeout(() => void this.look(name), PAUSE);
  }

  /** What the server would refuse; nothing while it does not answer. */
  async refusals(): Promise<Mistakes> {
    await Promise.all(ALL.map((name) => this.look(name)));
    const found: Mistakes = {};
    for (const name of ALL) {
      const wrong = this.readings[name]?.said.wrong;
      if (wrong) found[name] = wrong;
    }
    return found;
  }

  /** The number in groups. */
  get phone(): string | null | undefined {
    return this.readings.phone?.said.written;
  }

  /** The number as it will be dialled, or the address that was probably meant: one press takes it. */
  said(name: Read): VNode | string | false | null | undefined {
    if (name === "phone") {
      const phone = this.readings.phone?.said;
      return phone?.written && [phone.written, phone.country].filter(Boolean).join(", ");
    }
    const meant = this.readings.email?.said.probably;
    return (
      meant && (
        <>
          {ASKED[0]}
          <button type="button" class="link" onClick={() => this.take(name, meant)}>
            {/* In one piece: the parts of a flex box would be heard, and broken, apart. */}
            <span>
              <Address of={meant} />
            </span>
          </button>
          {ASKED[1]}
        </>
      )
    );
  }

  private text(name: Read): string {
    return this.answers()[name]?.trim() ?? "";
  }

  /** Asks how a field is understood, unless that is known; what was typed meanwhile makes the answer meaningless. */
  private async look(name: Read): Promise<void> {
    const text = this.text(name);
    if (text === "" || this.readings[name]?.text === text) return;
    try {
      const { [name]: said } = await call<Reading>(
        "/api/contact/read",
        JSON.stringify({ timezone: this.artist.timezone, [name]: text, locale: language }),
      );
      if (!said || this.text(name) !== text) return;
      this.readings = { ...this.readings, [name]: { text, said } };
      this.changed();
    } catch {
      // The booking will say it.
    }
  }
}
