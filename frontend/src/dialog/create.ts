import { type Held, call } from "../core/api";

/** Holds a slot. The same body with the same key is the same booking, however often it is sent. */
export function createBooking(body: string, key: string, proof?: string): Promise<Held> {
  return call("/api/bookings/create", body, { "idempotency-key": key, ...(proof && { "x-proof": proof }) });
}
