// Sends the wish for a slot, does what the server asks for before it holds one, and keeps what it holds.

import { type Artist, type Flash, type Held, Problem, call } from "../core/api";
import { keepHold } from "../core/hold";
import { forgetKey, keyFor } from "./answers";

/** Holds a slot. `checking` hears what is said while the browser proves what is asked for. */
export async function book(body: string, checking: (text: string) => void): Promise<Held> {
  const made = await create(body, checking);
  if (made.checkout_url || made.status === "confirmed") return made;
  // The key still stands for a booking of before that has lapsed since: this is a new wish.
  forgetKey();
  return create(body, checking);
}

/** The same body with the same key is the same booking, however often it is sent. */
async function create(body: string, checking: (text: string) => void): Promise<Held> {
  const send = (proof?: string): Promise<Held> =>
    call("/api/bookings/create", body, { "idempotency-key": keyFor(body), ...(proof && { "x-proof": proof }) });
  try {
    return await send();
  } catch (problem) {
    if (!(problem instanceof Problem && problem.puzzle)) throw problem;
    const part = await import("./proof");
    return part.prove(problem, send, checking);
  }
}

/** The street is told with the hold, to be read before paying: then the first press holds, and the second pays. */
export function holdsFirst({ address_shown: shown }: Artist, street: string | null): boolean {
  return shown === "with_summary" && street === null;
}

/** Any tab of this browser may go on with it. */
export function keep(held: Held, artist: Artist, flash: Flash | null): void {
  const { booking_id: id, start, end, start_turn, end_turn, refundable_until, hold_expires_at: until } = held;
  const turns = { start_turn: start_turn ?? null, end_turn: end_turn ?? null };
  if (until)
    keepHold({ id, artist: artist.slug, flash: flash?.id ?? null, start, end, ...turns, refundable_until, until });
}
