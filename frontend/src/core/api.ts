// The one way to the API: typed by its OpenAPI document, every failure a `Problem`.

import type { paths } from "../api-types";

type Answer<Operation> = Operation extends { responses: infer All }
  ? {
      [Status in keyof All & (200 | 201)]: All[Status] extends { content: { "application/json": infer Body } }
        ? Body
        : never;
    }[keyof All & (200 | 201)]
  : never;
type Sent<Operation> = Operation extends { requestBody: { content: { "application/json": infer Body } } }
  ? Body
  : never;

export type Artist = Answer<paths["/api/artists/{slug}"]["get"]>;
export type Flash = Artist["flashes"][number];
export type Slots = Answer<paths["/api/calendar/slots"]["get"]>;
export type Day = Slots["days"][number];
export type Slot = Day["slots"][number];
export type BookingRequest = Sent<paths["/api/bookings/create"]["post"]>;
export type Reading = Answer<paths["/api/contact/read"]["post"]>;
export type Held = Answer<paths["/api/bookings/create"]["post"]>;
export type Booking = Answer<paths["/api/bookings/{id}"]["get"]>;
export type Checked = Answer<paths["/api/bookings/{id}/check"]["post"]>;
export type Released = Answer<paths["/api/bookings/{id}/release"]["post"]>;
export type PageError = Sent<paths["/api/page-errors"]["post"]>;

interface FieldError {
  pointer: string;
  detail: string;
}

/** What the server wants solved before it goes on. */
export interface Puzzle {
  challenge: string;
  parts: number;
  bits: number;
  hold_minutes: number;
}

const TIMEOUT = 12_000;

/** What the body of a refusal says beside its type. */
interface Refusal {
  type?: string;
  errors?: FieldError[];
  slots?: Day[];
  own?: Held;
  proof?: Puzzle;
}

/** A refusal of the API, or silence. */
export class Problem extends Error {
  readonly errors: readonly FieldError[];
  readonly slots: readonly Day[] | undefined;
  /** The client's own booking that stands in the way. */
  readonly own: Held | undefined;
  readonly puzzle: Puzzle | undefined;

  constructor(
    /** The anchor of the problem's page, "offline" or "internal". */
    readonly slug: string,
    /** Seconds after which it is worth trying again. */
    readonly retryAfter: number | null = null,
    { errors, slots, own, proof }: Refusal = {},
  ) {
    super(slug);
    this.errors = errors ?? [];
    this.slots = slots;
    this.own = own;
    this.puzzle = proof;
  }
}

/** Asks the API; for what has no function below. */
export async function call<T>(path: string, body?: string, headers: Record<string, string> = {}): Promise<T> {
  const init: RequestInit = { signal: AbortSignal.timeout(TIMEOUT) };
  headers["accept"] = "application/json";
  if (body !== undefined) {
    const bytes = new TextEncoder().encode(body);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    // CloudFront signs the request to the function only if the browser names the hash of the exact body.
    headers["x-amz-content-sha256"] = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
    headers["content-type"] = "application/json";
    init.method = "POST";
    init.body = bytes;
  }
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers });
    if (response.ok) return (await response.json()) as T;
  } catch {
    throw new Problem("offline");
  }
  throw await refusal(response);
}

/** What an answer that is no 2xx says. */
export async function refusal(response: Response): Promise<Problem> {
  const body = ((await response.json().catch(() => null)) ?? {}) as Refusal;
  return new Problem(
    body.type?.split("#")[1] ?? "internal",
    Number.parseInt(response.headers.get("retry-after") ?? "", 10) || null,
    body,
  );
}

export function getArtist(slug: string): Promise<Artist> {
  return call(`/api/artists/${encodeURIComponent(slug)}`);
}

export function getSlots(query: { artist: string; date: string; days: string; flash?: string }): Promise<Slots> {
  return call(`/api/calendar/slots?${new URLSearchParams(query)}`);
}

export function getBooking(id: string): Promise<Booking> {
  return call(`/api/bookings/${encodeURIComponent(id)}`);
}

/** Has Stripe asked whether a booking is paid; silence is no answer. */
export async function checkBooking(id: string): Promise<Checked["payment"]> {
  const checked = await call<Checked>(`/api/bookings/${encodeURIComponent(id)}/check`, "{}").catch(() => null);
  return checked?.payment ?? null;
}

/** Gives an unpaid slot back. */
export function releaseBooking(id: string): Promise<Released> {
  return call(`/api/bookings/${encodeURIComponent(id)}/release`, "{}");
}

/** Leaves for a page outside; only for addresses of the web. */
export function leaveFor(address: string): void {
  const url = new URL(address, location.href);
  if (url.protocol === "https:" || url.protocol === "http:") location.assign(url.href);
}
