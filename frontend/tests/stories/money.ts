// Where a client's money can be, as the API tells it: what Stripe takes days for, or does once in a thousand bookings, is laid
// over a booking of the platform. What is answered in truth, the functions' own tests say.

import type { Page } from "@playwright/test";
import type { components } from "../../src/api-types.ts";

type Schemas = components["schemas"];
type ClientsBooking = Schemas["BookingView"];
type Detail = Schemas["BookingDetail"];
type Ledger = Schemas["Money"];
type Dispute = Schemas["DisputeView"];

interface State<Booking> {
  name: string;
  /** What differs from a confirmed flash of 150 € whose deposit of 50 € is paid. */
  change: Partial<Booking>;
}

interface ClientsState extends State<ClientsBooking> {
  title: string;
  /** What the page says, and what it must not say. */
  says: RegExp[];
  never?: RegExp;
}

const UNDECIDED = {
  status: "pending",
  payment_status: "unpaid",
  acompte_paid: false,
  checkout_url: null,
  hold_expires_at: null,
  calendar_url: null,
  links: null,
  terms: null,
  refundable_until: null,
} as const;

const CANCELLED = {
  status: "cancelled",
  cancel_reason: "artist",
  rest_cents: null,
  calendar_url: null,
  links: null,
  terms: null,
  refundable_until: null,
} as const;

/** What the client's page shows. */
export const CLIENTS_MONEY: ClientsState[] = [
  {
    name: "a part went back",
    change: { paid_cents: 3000, refunded_cents: 2000, rest_cents: 12000 },
    title: "Rendez-vous confirmé",
    says: [
      /20\s€ vous ont été rendus/,
      /Acompte restant\s*30\s€/,
      /À payer sur place\s*120\s€/,
      /Le rendez-vous est maintenu/,
    ],
    never: /Acompte de 50/,
  },
  {
    name: "all of it went back",
    change: {
      payment_status: "refunded",
      acompte_paid: false,
      paid_cents: 0,
      refunded_cents: 5000,
      rest_cents: 15000,
      terms: null,
    },
    title: "Rendez-vous confirmé",
    says: [/50\s€ vous ont été rendus/, /À payer sur place\s*150\s€/, /Le rendez-vous est maintenu/],
    never: /Acompte à payer|Acompte payé/,
  },
  {
    name: "a refund on its way",
    change: {
      payment_status: "refund_pending",
      paid_cents: 3000,
      refunded_cents: 2000,
      on_its_way_cents: 2000,
      rest_cents: 12000,
    },
    title: "Rendez-vous confirmé",
    says: [/Le remboursement de 20\s€ est en route/, /En route vers vous\s*20\s€/],
    never: /vous ont été rendus/,
  },
  {
    name: "a refund that failed",
    change: { payment_status: "refund_pending" },
    title: "Rendez-vous confirmé",
    says: [/Un remboursement vous est dû et n’est pas encore parti\. L’artiste s’en occupe/],
    never: /en route|vous ont été rendus/,
  },
  {
    name: "disputed",
    change: { payment_status: "disputed" },
    title: "Paiement contesté",
    says: [/Votre banque examine ce paiement/, /Le rendez-vous est maintenu/],
  },
  {
    name: "a lost dispute",
    change: {
      payment_status: "lost",
      acompte_paid: false,
      paid_cents: 0,
      lost_cents: 5000,
      rest_cents: 15000,
      terms: null,
    },
    title: "Rendez-vous confirmé",
    says: [/Votre banque vous a rendu 50\s€/, /Rendu par votre banque\s*50\s€/, /À payer sur place\s*150\s€/],
    never: /examine|Acompte payé|Acompte à payer/,
  },
  {
    name: "another amount",
    change: {
      ...UNDECIDED,
      paid_cents: 4900,
      rest_cents: 10100,
      received_otherwise: { amount_cents: 4900, currency: "eur" },
    },
    title: "Paiement reçu, l’artiste décide",
    says: [
      /49\s€ sont arrivés, alors que 50\s€ étaient demandés/,
      /Votre créneau reste gardé/,
      /lea@marchetti\.example/,
    ],
    never: /quelques secondes|Acompte à payer|Acompte payé/,
  },
  {
    name: "another currency",
    change: {
      ...UNDECIDED,
      paid_cents: 0,
      rest_cents: 15000,
      received_otherwise: { amount_cents: 5000, currency: "usd" },
    },
    title: "Paiement reçu, l’artiste décide",
    says: [/50,00\sUSD sont arrivés, alors que 50\s€ étaient demandés/],
    never: /quelques secondes|Acompte à payer|Acompte payé/,
  },
  {
    name: "cancelled while disputed",
    change: { ...CANCELLED, payment_status: "disputed" },
    title: "Rendez-vous annulé",
    says: [/L’artiste a annulé/, /Votre banque examine le paiement et décide d’abord/],
    never: /reste à l’artiste|vous ont été rendus/,
  },
  {
    name: "cancelled, refund on its way",
    change: {
      ...CANCELLED,
      payment_status: "refund_pending",
      paid_cents: 0,
      refunded_cents: 5000,
      on_its_way_cents: 5000,
    },
    title: "Rendez-vous annulé",
    says: [/Le remboursement de 50\s€ est en route/],
    never: /vous ont été rendus/,
  },
  {
    name: "cancelled, a part is kept",
    change: {
      ...CANCELLED,
      cancel_reason: "client",
      payment_status: "refunded",
      acompte_paid: false,
      paid_cents: 2500,
      refunded_cents: 2500,
    },
    title: "Rendez-vous annulé",
    says: [/25\s€ vous ont été rendus/, /25\s€ restent à l’artiste, comme prévu/],
  },
];

/** The ledger of a deposit of 50 € that came, and what became of it. */
function ledger(change: Partial<Ledger>): Ledger {
  return {
    captured_cents: 5000,
    refunded_cents: 0,
    on_its_way_cents: 0,
    lost_cents: 0,
    balance_cents: 5000,
    owed_cents: 0,
    refundable_cents: 0,
    disputes: [],
    entries: [entry("capture", 5000, "pi_1")],
    ...change,
  };
}

/** A civil date some days from now. */
function day(away: number): string {
  return new Date(Date.now() + away * 86_400_000).toISOString().slice(0, 10);
}

function entry(
  kind: Schemas["EntryKind"],
  amount_cents: number,
  stripe_id: string,
  currency = "eur",
): Ledger["entries"][number] {
  const moved = { kind, amount_cents, currency, stripe_id, at: `${day(-3)}T09:12:00+01:00` };
  return moved;
}

function dispute(status: string, change: Partial<Dispute> = {}): Dispute {
  return {
    id: "du_1",
    amount_cents: 5000,
    reason: "fraudulent",
    status,
    inquiry: status.startsWith("warning_"),
    needs_response: status.endsWith("needs_response"),
    closed: ["won", "lost", "prevented", "warning_closed"].includes(status),
    due_by: status.endsWith("needs_response") ? `${day(9)}T23:59:00+01:00` : null,
    opened_at: `${day(-1)}T10:00:00+01:00`,
    ...change,
  };
}

function disputed(of: Dispute, money: Partial<Ledger>): Pick<Detail, "dispute" | "money"> {
  return { dispute: of, money: ledger({ disputes: [of], ...money }) };
}

const TAKEN = {
  lost_cents: 5000,
  balance_cents: 0,
  entries: [entry("capture", 5000, "pi_1"), entry("dispute_withdrawn", -5000, "txn_1")],
};

function mismatch(amount_cents: number, currency: string): Pick<Detail, "timeline"> {
  const data = { payment_intent: "pi_1", amount_cents, currency };
  return { timeline: [{ at: `${day(-3)}T09:12:00+01:00`, actor: "stripe", kind: "payment_mismatch", data }] };
}

interface ArtistsState extends State<Detail> {
  says: RegExp[];
  never?: RegExp;
  /** What the booking's row in the list says. */
  row: RegExp;
}

/** What the dashboard shows. */
export const ARTISTS_MONEY: ArtistsState[] = [
  {
    name: "a part went back",
    change: {
      rest_cents: 12000,
      actions: ["cancel", "refund"],
      money: ledger({
        refunded_cents: 2000,
        balance_cents: 3000,
        refundable_cents: 3000,
        entries: [entry("capture", 5000, "pi_1"), entry("refund", -2000, "re_1")],
      }),
    },
    says: [/Rendu au client\s*20\s€/, /En main\s*30\s€/, /30\s€ en main/],
    never: /en route/,
    row: /30\s€ en main/,
  },
  {
    name: "a refund on its way",
    change: {
      payment_status: "refund_pending",
      rest_cents: 12000,
      actions: ["cancel", "refund"],
      money: ledger({
        refunded_cents: 2000,
        on_its_way_cents: 2000,
        balance_cents: 3000,
        refundable_cents: 3000,
        entries: [entry("capture", 5000, "pi_1"), entry("refund", -2000, "re_1")],
      }),
    },
    says: [/dont encore en route\s*20\s€/, /Remboursement en route/],
    row: /Remboursement en route/,
  },
  {
    name: "a refund that failed",
    change: {
      status: "cancelled",
      cancel_reason: "artist",
      payment_status: "refund_pending",
      payment_problem: "refund_failed",
      rest_cents: null,
      todo: ["payment"],
      actions: [],
      money: ledger({
        owed_cents: 5000,
        entries: [entry("capture", 5000, "pi_1"), entry("refund", -5000, "re_1"), entry("refund_failed", 5000, "re_1")],
      }),
    },
    says: [/À rendre au client\s*50\s€/, /voyez avec votre client comment lui rendre cette somme/],
    never: /en route/,
    row: /Remboursement non abouti/,
  },
  {
    name: "an inquiry",
    change: {
      todo: ["payment"],
      actions: ["cancel", "refund"],
      ...disputed(dispute("warning_needs_response", { reason: "unrecognized" }), { refundable_cents: 5000 }),
    },
    says: [
      /pose une question sur 50\s€/,
      /Rien n’a été retiré de votre compte/,
      /avant le \d+ [^,]+, 23\sh\s59/,
      /paiement que le titulaire ne reconnaît pas/,
    ],
    never: /conteste/,
    row: /Question de la banque/,
  },
  {
    name: "a dispute",
    change: {
      payment_status: "disputed",
      todo: ["payment"],
      actions: ["cancel"],
      ...disputed(dispute("needs_response"), TAKEN),
    },
    says: [/conteste 50\s€/, /avant le \d+ [^,]+, 23\sh\s59/, /Retiré par la banque\s*50\s€/, /dit ne pas avoir payé/],
    row: /Répondre avant le \d+ /,
  },
  {
    name: "a dispute of a reason that nobody knows yet, while the bank looks",
    change: {
      status: "cancelled",
      cancel_reason: "artist",
      payment_status: "disputed",
      rest_cents: null,
      actions: [],
      ...disputed(dispute("under_review", { reason: "brand_new" }), TAKEN),
    },
    says: [/Elle examine le dossier/, /si la banque vous donne raison, InkFlow rend/, /Motif\s: brand_new/],
    row: /La banque examine/,
  },
  {
    name: "a lost dispute",
    change: {
      payment_status: "lost",
      dispute_lost: true,
      rest_cents: 15000,
      actions: ["cancel"],
      money: ledger({ ...TAKEN, disputes: [dispute("lost")] }),
    },
    says: [/50\s€ lui ont été rendus/, /Le rendez-vous, lui, n’est pas annulé/, /Perdue\s: la banque donne raison/],
    row: /Contestation perdue/,
  },
  {
    name: "another amount",
    change: {
      status: "pending",
      payment_status: "unpaid",
      payment_problem: "mismatch",
      rest_cents: 10100,
      hold_expires_at: null,
      todo: ["payment"],
      actions: ["cancel", "accept"],
      cancellation: { refund_cents: 4900, kept_cents: 0, owed_beyond_cents: 0, sentence: "" },
      money: ledger({ captured_cents: 4900, balance_cents: 4900, entries: [entry("capture", 4900, "pi_1")] }),
      ...mismatch(4900, "eur"),
    },
    says: [
      /Reçu\s: 49\s€, alors que 50\s€ étaient demandés/,
      /Accepter 49\s€ comme acompte/,
      /Annuler et rendre 49\s€/,
    ],
    row: /Paiement à accepter ou à rendre/,
  },
  {
    name: "another currency",
    change: {
      status: "pending",
      payment_status: "unpaid",
      payment_problem: "mismatch",
      rest_cents: 15000,
      hold_expires_at: null,
      todo: ["payment"],
      actions: ["cancel"],
      money: ledger({
        captured_cents: 0,
        balance_cents: 0,
        entries: [entry("capture", 5000, "pi_1", "usd")],
      }),
      ...mismatch(5000, "usd"),
    },
    says: [
      /Dans une autre devise\s*50,00\sUSD/,
      /Reçu\s: 50,00\sUSD, alors que 50\s€ étaient demandés/,
      /ne peut pas le prendre comme acompte/,
    ],
    never: /Accepter 50/,
    row: /Paiement à accepter ou à rendre/,
  },
];

/** Lays a state over what the API answers of one booking, until it is told another. */
export async function lay(page: Page, address: string, change: object): Promise<void> {
  await page.unroute(address);
  await page.route(address, async (route) => {
    if (route.request().method() !== "GET") return route.fallback();
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...((await response.json()) as object), ...change } });
  });
}

/** The same over the rows of the list. */
export async function layRows(page: Page, { money: _, timeline: __, ...change }: Partial<Detail>): Promise<void> {
  const address = "**/api/dashboard/bookings?*";
  await page.unroute(address);
  await page.route(address, async (route) => {
    const response = await route.fetch();
    const list = (await response.json()) as { bookings: object[] };
    const bookings = list.bookings.map((row) => ({ ...row, ...change }));
    await route.fulfill({ response, json: { ...list, bookings } });
  });
}
