// What the dashboard's API answers and takes: by its document, and by hand where that does not speak of it.

import type { paths } from "../api-types";

type Answer<Operation> = Operation extends { responses: infer All }
  ? { [Status in keyof All & (200 | 201)]: All[Status] extends { content: { "application/json": infer Body } } ? Body : never }[
      keyof All & (200 | 201)
    ]
  : never;

export type Session = Answer<paths["/api/session"]["get"]>;
export type Profile = Answer<paths["/api/dashboard/profile"]["get"]>;
export type Rules = Answer<paths["/api/dashboard/rules"]["get"]>;
export type Opening = Answer<paths["/api/dashboard/hours"]["get"]>["hours"][number];
export type OwnFlash = Answer<paths["/api/dashboard/flashes"]["get"]>["flashes"][number];
export type Upload = Answer<paths["/api/dashboard/images"]["post"]>;
export type Picture = Answer<paths["/api/dashboard/images/{id}"]["get"]>;
export type CalendarTest = Answer<paths["/api/dashboard/calendar/test"]["post"]>;

export interface Month {
  /** YYYY-MM. */
  month: string;
  captured_cents: number;
  refunded_cents: number;
  revenue_cents: number;
}

export interface Stats {
  timezone: string;
  month: string;
  revenue_cents: number;
  captured_cents: number;
  refunded_cents: number;
  deposits_held_cents: number;
  upcoming_count: number;
  pending_count: number;
  to_do_count: number;
  cancellations: { cancelled: number; ended: number };
  no_shows: { no_show: number; ended: number };
  next: { id: string; title: string; client_name: string; start: string; end: string } | null;
  curve: Month[];
}

export type Action = "confirm" | "undo_confirm" | "cancel" | "complete" | "no_show";
export type Todo = "confirm" | "payment" | "calendar" | "job" | "outcome";
export type View = "todo" | "upcoming" | "past" | "cancelled" | "all";

export interface Row {
  id: string;
  version: number;
  type: "flash" | "project";
  status: "pending" | "confirmed" | "cancelled" | "completed";
  payment_status: "unpaid" | "paid" | "refund_pending" | "refunded" | "disputed";
  payment_problem: string | null;
  cancel_reason: string | null;
  no_show: boolean;
  title: string;
  start: string;
  end: string;
  client: { name: string; email: string; phone: string; locale: string };
  price_cents: number | null;
  deposit_cents: number;
  hold_expires_at: string | null;
  calendar_state: string;
  failed_jobs: number;
  todo: Todo[];
  flash_image: string | null;
  created_at: string;
  actions: Action[];
}

export interface Bookings {
  bookings: Row[];
  next_cursor: string | null;
}

export interface Cancellation {
  refund_cents: number;
  kept_cents: number;
  owed_beyond_cents: number;
}

export interface Entry {
  at: string;
  kind: string;
  amount_cents: number;
  stripe_id: string;
}

export interface Happening {
  at: string;
  actor: string;
  kind: string;
  data: unknown;
}

export interface SentMail {
  template: string;
  occurrence: string;
  recipient: string;
  status: string;
  sent_at: string | null;
  error: string | null;
  can_resend: boolean;
}

export interface Job {
  id: string;
  kind: string;
  template: string | null;
  state: "waiting" | "running" | "done" | "discarded" | "dead";
  attempts: number;
  last_error: string | null;
  advice: string | null;
  can_retry: boolean;
}

export interface Detail extends Row {
  project: { description: string; body_zone: string; budget_cents: number | null } | null;
  policy_sentence: string;
  note: string;
  undo_until: string | null;
  money: { captured_cents: number; refunded_cents: number; balance_cents: number; entries: Entry[] };
  cancellation: Cancellation | null;
  timeline: Happening[];
  mails: SentMail[];
  calendar: { state: string; note: string | null; url: string | null };
  jobs: Job[];
}

export interface ProfileInput {
  slug: string;
  display_name: string;
  email: string;
  bio: string;
  city: string;
  address: string;
  locale: string;
  timezone: string;
  hero_image: string | null;
}

export interface PolicyInput {
  full_refund_hours: number;
  late_refund_percent: number;
  free_moves: number;
  nature: "acompte" | "arrhes";
}

export interface TimeOff {
  id: string;
  starts_at: string;
  ends_at: string;
  note: string;
}

export interface FlashInput {
  title: string;
  price_cents: number;
  deposit_cents: number | null;
  duration_minutes: number;
  repeatable: boolean;
  image_id: string | null;
  position: number;
}

export interface CalendarInput {
  username: string;
  event_type_id: number;
  api_key?: string;
  create_at: "booking" | "payment";
}

export interface Policy extends PolicyInput {
  templates: { id: string; name_fr: string; name_en: string; policy: PolicyInput }[];
  sentences: Sentences;
}

export interface Sentences {
  fr: string;
  en: string;
}

export interface Calendar {
  connected: boolean;
  username: string | null;
  event_type_id: number | null;
  create_at: "booking" | "payment";
  has_key: boolean;
  webhook_url: string;
  /** After a change: whether Cal.com will tell of changes. */
  webhook: "subscribed" | "failed" | null;
}
