// The dashboard's way to the API: cookies carry the session, which is renewed once before anybody is asked to sign in.

import { Problem, refusal } from "../core/api";
import { language } from "../core/language";
import type * as Api from "./types";

type Method = "GET" | "POST" | "PUT" | "DELETE";

const TIMEOUT = 15_000;

/** What to do when the session is over and cannot be renewed: resolves once somebody has signed in again. */
let signInAgain: (() => Promise<void>) | null = null;
let renewal: Promise<boolean> | null = null;
let signedIn: Promise<void> | null = null;

export function onSessionEnd(ask: () => Promise<void>): void {
  signInAgain = ask;
}

async function request<T>(method: Method, path: string, content?: unknown): Promise<T> {
  const headers: Record<string, string> = { accept: "application/json", "accept-language": language };
  const init: RequestInit = { method, headers, signal: AbortSignal.timeout(TIMEOUT), credentials: "same-origin" };
  if (method !== "GET") {
    const bytes = new TextEncoder().encode(content === undefined ? "" : JSON.stringify(content));
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    // CloudFront signs the request to the function only if the browser names the hash of the exact body.
    headers["x-amz-content-sha256"] = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
    if (content !== undefined) {
      headers["content-type"] = "application/json";
      init.body = bytes;
    }
  }
  let response: Response;
  try {
    response = await fetch(path, init);
    if (response.ok) return (response.status === 204 ? undefined : await response.json()) as T;
  } catch {
    throw new Problem("offline");
  }
  throw await refusal(response);
}

/** Renews the session; calls that come together share one renewal, because the old token is worth nothing afterwards. */
function renew(): Promise<boolean> {
  renewal ??= request("POST", "/api/session/refresh", {})
    .then(() => true)
    .catch((problem: unknown) => {
      if (problem instanceof Problem && problem.slug !== "unauthenticated") throw problem;
      return false;
    })
    .finally(() => (renewal = null));
  return renewal;
}

function isOver(problem: unknown): boolean {
  return problem instanceof Problem && problem.slug === "unauthenticated";
}

async function call<T>(method: Method, path: string, content?: unknown): Promise<T> {
  try {
    return await request<T>(method, path, content);
  } catch (problem) {
    if (!isOver(problem)) throw problem;
  }
  if (await renew()) {
    try {
      return await request<T>(method, path, content);
    } catch (problem) {
      if (!isOver(problem)) throw problem;
    }
  }
  if (!signInAgain) throw new Problem("unauthenticated");
  signedIn ??= signInAgain().finally(() => (signedIn = null));
  await signedIn;
  return request<T>(method, path, content);
}

// The session. Only reading it is worth a renewal; the others are what makes one.

/** The session of this browser, or null when nobody is signed in. */
export async function readSession(): Promise<Api.Session | null> {
  try {
    return await request<Api.Session>("GET", "/api/session");
  } catch (problem) {
    if (!isOver(problem)) throw problem;
  }
  if (!(await renew())) return null;
  return request<Api.Session>("GET", "/api/session");
}

export function signIn(email: string, password: string): Promise<Api.Session> {
  return request("POST", "/api/session", { email, password });
}

/** Who may open an account here. */
export function readDoors(): Promise<Api.Doors> {
  return request("GET", "/api/session/signup");
}

export function signUp(email: string, password: string): Promise<Api.Session | { confirmation_required: true }> {
  return request("POST", "/api/session/signup", { email, password });
}

export function mailLink(email: string): Promise<unknown> {
  return request("POST", "/api/session/link", { email });
}

export function verifyLink(token: string, replace: boolean): Promise<Api.Session> {
  return request("POST", "/api/session/verify", { token_hash: token, replace });
}

export function signOut(): Promise<void> {
  return request("DELETE", "/api/session");
}

// Figures and bookings.

const BOOKINGS = "/api/dashboard/bookings";

function at(id: string): string {
  return `${BOOKINGS}/${encodeURIComponent(id)}`;
}

export function readStats(): Promise<Api.Stats> {
  return call("GET", "/api/dashboard/stats");
}

export interface Query {
  view: Api.View;
  q: string;
}

function search({ view, q }: Query, more: Record<string, string> = {}): string {
  return String(new URLSearchParams({ view, ...(q && { q }), ...more }));
}

export function readBookings(query: Query, cursor: string | null, limit: number): Promise<Api.Bookings> {
  return call("GET", `${BOOKINGS}?${search(query, { limit: String(limit), ...(cursor && { cursor }) })}`);
}

/** Where a browser finds the same list as a table file. */
export function tableOf(query: Query): string {
  return `${BOOKINGS}.csv?${search(query)}`;
}

export function readBooking(id: string): Promise<Api.Detail> {
  return call("GET", at(id));
}

export function readSuspicious(): Promise<Api.Suspicious> {
  return call("GET", at("suspicious"));
}

/** Ends holds that nobody means to pay; some at a time. */
export function endSuspicious(ids: string[]): Promise<Api.Ended> {
  return call("POST", `${at("suspicious")}/end`, { ids });
}

/** Confirm, take back, accept a payment as it came, complete or mark as missed. */
export function act(
  id: string,
  action: Exclude<Api.Action, "cancel" | "refund">,
  version: number,
): Promise<Api.Detail> {
  return call("POST", `${at(id)}/${action.replaceAll("_", "-")}`, { version });
}

/** Cancels, giving back exactly what was shown: another amount is refused. */
export function cancel(
  id: string,
  version: number,
  refund_cents: number,
  by: "artist" | "client",
): Promise<Api.Detail> {
  return call("POST", `${at(id)}/cancel`, { version, refund_cents, by });
}

/** Gives a part of the deposit back; the appointment stays as it is. */
export function refund(id: string, version: number, amount_cents: number): Promise<Api.Detail> {
  return call("POST", `${at(id)}/refund`, { version, amount_cents });
}

export function writeNote(id: string, note: string): Promise<Api.Detail> {
  return call("POST", `${at(id)}/note`, { note });
}

export function resend(id: string, template: string): Promise<Api.Detail> {
  return call("POST", `${at(id)}/resend`, { template });
}

export function retry(id: string, job: string): Promise<Api.Detail> {
  return call("POST", `${at(id)}/jobs/${encodeURIComponent(job)}/retry`, {});
}

// Settings.

const SETTINGS = "/api/dashboard";

export function read<T>(
  what: "profile" | "rules" | "policy" | "hours" | "time-off" | "flashes" | "calendar",
): Promise<T> {
  return call("GET", `${SETTINGS}/${what}`);
}

export function write<T>(what: "profile" | "rules" | "policy" | "hours" | "calendar", content: unknown): Promise<T> {
  return call("PUT", `${SETTINGS}/${what}`, content);
}

/** Mails another link to the address that waits to be confirmed. */
export function mailContactLink(): Promise<Api.Profile> {
  return call("POST", `${SETTINGS}/profile/email/link`, {});
}

export function followContactLink(token: string): Promise<Api.Profile> {
  return call("POST", `${SETTINGS}/profile/email/follow`, { token });
}

export function previewPolicy(policy: Api.PolicyInput): Promise<Api.Sentences> {
  return call("POST", `${SETTINGS}/policy/preview`, policy);
}

export function addTimeOff(
  off: Omit<Api.TimeOff, "id"> & { timezone: string },
): Promise<Api.TimeOff & { conflicts: string[] }> {
  return call("POST", `${SETTINGS}/time-off`, off);
}

export function removeTimeOff(id: string): Promise<void> {
  return call("DELETE", `${SETTINGS}/time-off/${encodeURIComponent(id)}`);
}

export function writeFlash(id: string | null, flash: Api.FlashInput): Promise<Api.OwnFlash> {
  return id === null
    ? call("POST", `${SETTINGS}/flashes`, flash)
    : call("PUT", `${SETTINGS}/flashes/${encodeURIComponent(id)}`, flash);
}

export function shelve(id: string, how: "archive" | "restore"): Promise<Api.OwnFlash> {
  return call("POST", `${SETTINGS}/flashes/${encodeURIComponent(id)}/${how}`, {});
}

export function announceImage(kind: "flash" | "hero", file: File): Promise<Api.Upload> {
  return call("POST", `${SETTINGS}/images`, { kind, content_type: file.type, size: file.size });
}

export function readImage(id: string): Promise<Api.Picture> {
  return call("GET", `${SETTINGS}/images/${encodeURIComponent(id)}`);
}

/** Sends the file where the announcement says, without going through a function. */
export async function sendImage({ upload }: Api.Upload, file: File): Promise<void> {
  let response: Response;
  try {
    response = await fetch(upload.url, {
      method: upload.method,
      headers: upload.headers,
      body: file,
      signal: AbortSignal.timeout(120_000),
    });
  } catch {
    throw new Problem("offline");
  }
  if (!response.ok) throw new Problem("upload-refused");
}

export function disconnectCalendar(): Promise<void> {
  return call("DELETE", `${SETTINGS}/calendar`);
}

export function testCalendar(calendar: Api.CalendarInput): Promise<Api.CalendarTest> {
  return call("POST", `${SETTINGS}/calendar/test`, calendar);
}
