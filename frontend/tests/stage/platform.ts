// A whole InkFlow on this machine, lent for the life of a worker, with the switches a story pulls.
// It knows nothing of pages.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import postgres from "postgres";

interface MailFile {
  filename: string;
  content_type: string;
  content: string;
}

export interface Mail {
  to: string;
  subject: string;
  text: string;
  html: string;
  invitation: MailFile | null;
  attachments: MailFile[];
}

export interface Booking {
  booking_id: string;
  status: string;
  payment_status: string;
  checkout_url: string | null;
  start: string;
}

type Condition = "ok" | "slow" | "down" | "returned";
type Switch = "mail" | "queue" | "stripe" | "calendar" | "webhooks" | "accounts";
export type Outcome = "paid" | "declined" | "webhook_lost" | "webhook_late" | "webhook_doubled" | "expire";

interface Places {
  SITE_URL: string;
  STRIPE_URL: string;
  CALCOM_URL: string;
  MAILS_URL: string;
  SITE_DATABASE_URL: string;
}

/** What stays when a story begins; all else is what an earlier story left. */
const KEPT = ["artists", "availability", "time_off", "flashes", "refinery_schema_history"];

export class Platform {
  readonly site: string;
  readonly stripe: string;
  readonly calcom: string;
  readonly sql: postgres.Sql;
  readonly #mails: string;
  readonly #end: () => Promise<void>;
  #disturbed = false;

  private constructor(places: Places, end: () => Promise<void>) {
    this.site = places.SITE_URL;
    this.stripe = places.STRIPE_URL;
    this.calcom = places.CALCOM_URL;
    this.#mails = places.MAILS_URL;
    this.sql = postgres(places.SITE_DATABASE_URL, { max: 1, onnotice: () => undefined });
    this.#end = end;
  }

  /** The platform named in the environment, or one of our own. */
  static async lent(): Promise<Platform> {
    if (process.env.SITE_URL) return new Platform(process.env as unknown as Places, async () => undefined);
    const dev = process.env.INKFLOW_DEV;
    if (!dev) throw new Error("Run the stories with frontend/tests/run, or name the dev program in INKFLOW_DEV.");
    const lend = fileURLToPath(new URL("lend.mjs", import.meta.url));
    const child = spawn(dev, ["with-site", "--", process.execPath, lend], { stdio: ["pipe", "pipe", "pipe"] });
    const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
    let said = "";
    child.stderr.on("data", (text) => (said += text));
    const places = await new Promise<Places>((resolve, reject) => {
      createInterface(child.stdout).on("line", (line) => {
        if (line.startsWith("LENT ")) resolve(JSON.parse(line.slice(5)));
        else said += `${line}\n`;
      });
      void ended.then(() => reject(new Error(`the platform did not start:\n${said}`)));
    });
    return new Platform(places, async () => {
      child.stdin.end();
      await ended;
    });
  }

  async end(): Promise<void> {
    await this.sql.end();
    await this.#end();
  }

  /** Back to the demo data. Not `POST /dev/reset`, which waits for the queue's long poll: two seconds for each story. */
  async startOver(): Promise<void> {
    if (this.#disturbed) {
      this.#disturbed = false;
      await this.turn({ mail: "ok", queue: "ok", stripe: "ok", calendar: "ok", webhooks: "ok", accounts: "ok" });
      await this.#post(`${this.site}/dev/clock`, { shift_seconds: 0 });
      this.#disturbed = false;
    }
    await Promise.all([this.#post(`${this.stripe}/_control/reset`), this.#post(`${this.calcom}/_control/reset`)]);
    const tables = await this.sql<{ tablename: string }[]>`
      select tablename from pg_tables where schemaname = 'public' and tablename <> all(${KEPT})`;
    await this.sql.unsafe(`truncate ${tables.map((table) => `public."${table.tablename}"`).join(", ")} cascade`);
  }

  async turn(switches: Partial<Record<Switch, Condition>>): Promise<void> {
    this.#disturbed = true;
    await this.#post(`${this.site}/dev/switches`, switches);
  }

  /** Lets time pass for the functions and the stand-ins; the browser keeps its own clock. */
  async wait(minutes: number): Promise<void> {
    this.#disturbed = true;
    await this.#post(`${this.site}/dev/clock`, { advance_seconds: Math.round(minutes * 60) });
  }

  async sweep(): Promise<void> {
    await this.#post(`${this.site}/dev/sweep`);
  }

  async booking(id: string): Promise<Booking> {
    return (await this.#get(`${this.site}/api/bookings/${id}`)) as Booking;
  }

  /** Somebody else books, without a browser. */
  async bookElsewhere(
    start: string,
    { artist = "lea-marchetti", flash = "019aa000-0000-7000-8000-0000000000f1" } = {},
  ): Promise<string> {
    const client = {
      name: "Quelqu’un d’autre",
      email: `autre-${Math.random().toString(36).slice(2)}@example.fr`,
      phone: "06 99 99 99 99",
    };
    const made = await this.#post(`${this.site}/api/bookings/create`, {
      artist,
      type: "flash",
      flash_id: flash,
      client,
      start,
      locale: "fr",
    });
    return (made as Booking).booking_id;
  }

  /** The first slot that is free for a flash. */
  async firstSlot({ artist = "lea-marchetti", flash = "019aa000-0000-7000-8000-0000000000f1" } = {}): Promise<string> {
    const free = (await this.#get(`${this.site}/api/calendar/slots?artist=${artist}&days=14&flash=${flash}`)) as {
      days: { slots: { start: string }[] }[];
    };
    const start = free.days.flatMap((day) => day.slots)[0]?.start;
    if (!start) throw new Error(`nothing is free at ${artist}`);
    return start;
  }

  /** Presses a button of the pay page for somebody who is not looking. */
  async settle(checkoutUrl: string, outcome: Outcome): Promise<void> {
    const session = new URL(checkoutUrl).pathname.split("/").pop();
    await this.#post(`${this.stripe}/_control/sessions/${session}/pay`, { outcome });
  }

  /** Somebody books and pays, without a browser; gives the booking's id. */
  async bookedFor(
    name: string,
    { artist = "lea-marchetti", flash = "019aa000-0000-7000-8000-0000000000f1", paid = true, nth = 0 } = {},
  ): Promise<string> {
    const from = new Date(Date.now() + 4 * 86_400_000).toISOString().slice(0, 10);
    const free = (await this.#get(
      `${this.site}/api/calendar/slots?artist=${artist}&date=${from}&days=14&flash=${flash}`,
    )) as { days: { slots: { start: string }[] }[] };
    const start = free.days.flatMap((day) => day.slots.slice(0, 1))[nth]?.start;
    const email = `${name.toLowerCase().replace(/\W+/g, ".")}@example.fr`;
    const client = { name, email, phone: "06 12 34 56 78" };
    const made = (await this.#post(`${this.site}/api/bookings/create`, {
      artist,
      type: "flash",
      flash_id: flash,
      client,
      start,
      locale: "fr",
    })) as Booking;
    if (paid) {
      await this.settle(made.checkout_url ?? "", "paid");
      for (const until = Date.now() + 15_000; (await this.booking(made.booking_id)).status !== "confirmed"; ) {
        if (Date.now() > until) throw new Error(`the payment of ${made.booking_id} is not known after 15 s`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    return made.booking_id;
  }

  /** What Stripe gave back, in cents. */
  async refunds(): Promise<number[]> {
    return ((await this.#get(`${this.stripe}/_control/refunds`)) as { amount: number }[]).map(
      (refund) => refund.amount,
    );
  }

  /** The cardholder's bank contests what was paid for a booking. Gives the dispute. */
  async contest(booking: string): Promise<string> {
    const [row] = await this.sql`select stripe_payment_intent_id as payment from bookings where id = ${booking}`;
    return ((await this.#post(`${this.stripe}/_control/disputes`, { payment: row?.payment })) as { id: string }).id;
  }

  /** The bank decides for the cardholder. */
  async lose(dispute: string): Promise<void> {
    await this.#post(`${this.stripe}/_control/disputes/${dispute}/close`, { won: false });
  }

  /** The statuses of what is booked at Cal.com. */
  async calendar(): Promise<string[]> {
    return ((await this.#get(`${this.calcom}/_control/bookings`)) as { status: string }[]).map(
      (booking) => booking.status,
    );
  }

  /** Somebody calls the only booking at Cal.com off, in Cal.com: the client or the artist there, or the artist who asks for another time. */
  async callOff(by: "client" | "artist" | "reschedule"): Promise<void> {
    const [booking] = (await this.#get(`${this.calcom}/_control/bookings`)) as { uid: string }[];
    if (!booking) throw new Error("nothing is booked at Cal.com");
    await this.#post(`${this.calcom}/_control/bookings/${booking.uid}/cancel`, {
      by,
      reason: "Un autre jour, s’il vous plaît",
    });
  }

  async mail(to: string, about: RegExp, words = /(?:)/): Promise<Mail> {
    for (const until = Date.now() + 15_000; ; ) {
      const mails = (await this.#get(this.#mails)) as Mail[];
      const found = mails.find((mail) => mail.to.includes(to) && about.test(mail.subject) && words.test(mail.text));
      if (found) return found;
      if (Date.now() > until)
        throw new Error(
          `no mail to ${to} about ${about}: ${JSON.stringify(mails.map((mail) => [mail.to, mail.subject]))}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async #get(url: string): Promise<unknown> {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`GET ${url}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  async #post(url: string, body: unknown = {}): Promise<unknown> {
    const answer = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`POST ${url}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }
}
