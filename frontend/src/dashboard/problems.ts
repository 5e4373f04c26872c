// A sentence for each refusal: what happened, and what to do.

import { Problem } from "../core/api";
import { t } from "./words";

export function sentence(failure: unknown): string {
  const known: Record<string, string> = {
    offline: t.problem.offline,
    invalid: t.problem.invalid,
    forbidden: t.problem.forbidden,
    "not-found": t.problem.notFound,
    "changed-meanwhile": t.problem.changed,
    "not-possible": t.problem.notPossible,
    "too-late": t.problem.tooLate,
    "money-changed": t.problem.money,
    "too-many-requests": t.problem.tooMany,
    "slug-taken": t.problem.taken,
    "wrong-credentials": t.sign.wrong,
    "sign-in-unavailable": t.sign.unavailable,
    "stripe-unavailable": t.problem.stripe,
    "sign-up-refused": t.sign.refused,
    "sign-up-closed": t.sign.closed,
    "link-expired": t.sign.linkExpired,
    "already-signed-in": t.sign.presentAlready,
  };
  return (failure instanceof Problem && known[failure.slug]) || t.problem.failed;
}

export function is(failure: unknown, slug: string): failure is Problem {
  return failure instanceof Problem && failure.slug === slug;
}
