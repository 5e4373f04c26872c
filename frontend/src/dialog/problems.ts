// A sentence for each refusal: what happened, and what to do.

import type { Problem } from "../core/api";
import { t } from "./words";

export function sentence({ slug, retryAfter }: Problem): string {
  const known: Record<string, string> = {
    "slot-taken": t.slotTaken,
    "too-far-ahead": t.tooFarAhead,
    "flash-taken": t.flashTaken,
    "opens-soon": t.opensSoon,
    "not-found": t.flashGone,
    invalid: t.invalid,
    "too-many-holds": t.tooManyHolds,
    "network-full": t.tooManyRequests,
    "flash-rests": t.flashRests,
    "too-many-requests": t.tooManyRequests,
    "request-in-progress": t.inProgress,
    "calendar-unavailable": t.calendarDown,
    "payment-unavailable": t.paymentDown,
    offline: t.noAnswer,
  };
  const words = known[slug] ?? t.failed;
  return retryAfter && retryAfter > 2 ? `${words} ${t.tryIn(retryAfter)}` : words;
}
