// What this tab remembers over a reload and a visit to the payment page. Never longer, and never in an address.

/** Keeps a value for this tab; `null` forgets it. A browser that forbids storage only loses the comfort. */
export function remember(key: string, value: unknown): void {
  try {
    if (value === null) sessionStorage.removeItem(`inkflow:${key}`);
    else sessionStorage.setItem(`inkflow:${key}`, JSON.stringify(value));
  } catch {
    // Storage may be full or forbidden.
  }
}

/** What `remember` kept, or null. */
export function recall<T>(key: string): T | null {
  try {
    return JSON.parse(sessionStorage.getItem(`inkflow:${key}`) ?? "null") as T | null;
  } catch {
    return null;
  }
}
