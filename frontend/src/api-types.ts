/**
 * The API as its OpenAPI document describes it.
 * `npm run types` writes this file from openapi.json; an edit by hand does not survive.
 */

export interface paths {
  "/api/artists/{slug}": {
    get: {
      parameters: { path: { slug: string } };
      responses: {
        200: { content: { "application/json": components["schemas"]["Artist"] } };
        default: { content: { "application/problem+json": components["schemas"]["Problem"] } };
      };
    };
  };
  "/api/calendar/slots": {
    get: {
      parameters: { query: { artist: string; date?: string; days?: number; flash?: string } };
      responses: {
        200: { content: { "application/json": components["schemas"]["Slots"] } };
        default: { content: { "application/problem+json": components["schemas"]["Problem"] } };
      };
    };
  };
  "/api/bookings/create": {
    post: {
      parameters: { header?: { "Idempotency-Key"?: string } };
      requestBody: { content: { "application/json": components["schemas"]["BookingRequest"] } };
      responses: {
        201: { content: { "application/json": components["schemas"]["Held"] } };
        default: { content: { "application/problem+json": components["schemas"]["Problem"] } };
      };
    };
  };
  "/api/bookings/{id}": {
    get: {
      parameters: { path: { id: string } };
      responses: {
        200: { content: { "application/json": components["schemas"]["Booking"] } };
        default: { content: { "application/problem+json": components["schemas"]["Problem"] } };
      };
    };
  };
  "/api/bookings/{id}/release": {
    post: {
      parameters: { path: { id: string } };
      responses: {
        200: { content: { "application/json": components["schemas"]["Booking"] } };
        default: { content: { "application/problem+json": components["schemas"]["Problem"] } };
      };
    };
  };
}

export interface components {
  schemas: {
    Artist: {
      slug: string;
      display_name: string;
      bio: string;
      city: string;
      address: string;
      hero_image?: string | null;
      timezone: string;
      locale: "fr" | "en";
      deposit_nature: "acompte" | "arrhes";
      hold_minutes: number;
      policy: {
        full_refund_hours: number;
        late_refund_percent: number;
        free_moves: number;
        text_fr: string;
        text_en: string;
      };
      project: { duration_minutes: number; deposit_cents: number };
      flashes: components["schemas"]["Flash"][];
    };
    Flash: {
      id: string;
      title: string;
      image: string;
      price_cents: number;
      deposit_cents: number;
      duration_minutes: number;
      repeatable: boolean;
      state: "available" | "held" | "sold";
    };
    Slots: {
      artist: string;
      timezone: string;
      duration_minutes: number;
      days: components["schemas"]["Day"][];
    };
    Day: { date: string; slots: components["schemas"]["Slot"][] };
    Slot: { start: string; end: string };
    BookingRequest: {
      artist: string;
      type: "flash" | "project";
      flash_id?: string | null;
      project?: { description: string; body_zone: string; budget?: number | null } | null;
      client: { name: string; email: string; phone: string };
      start: string;
      locale?: "fr" | "en" | null;
    };
    Held: {
      booking_id: string;
      status: string;
      checkout_url?: string | null;
      hold_expires_at?: string | null;
      deposit_cents: number;
      currency: string;
      start: string;
      end: string;
    };
    Booking: {
      booking_id: string;
      status: "pending" | "confirmed" | "cancelled" | "completed";
      payment_status: "unpaid" | "paid" | "refund_pending" | "refunded" | "disputed";
      acompte_paid: boolean;
      hold_lapsed: boolean;
      cancel_reason?: "hold_expired" | "payment_failed" | "client" | "artist" | "calendar" | null;
      type: string;
      title: string;
      artist: { slug: string; display_name: string; address: string; city: string };
      timezone: string;
      start: string;
      end: string;
      price_cents?: number | null;
      deposit_cents: number;
      rest_cents?: number | null;
      currency: string;
      refunded_cents: number;
      hold_expires_at?: string | null;
      checkout_url?: string | null;
      calendar_url?: string | null;
    };
    Problem: {
      type: string;
      title: string;
      status: number;
      detail?: string | null;
      instance?: string | null;
      errors?: { pointer: string; detail: string }[] | null;
      slots?: components["schemas"]["Day"][] | null;
    };
  };
}
