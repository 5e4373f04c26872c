// What a browser remembers, never in an address: a tab what is typed, over a reload and a visit to the payment page; all
// tabs together what they hold.

type Place = "sessionStorage" | "localStorage";

/** Keeps a value; `null` forgets it. A browser that forbids storage only loses the comfort. */
export function remember(key: string, value: unknown, place: Place = "sessionStorage"): void {
  try {
    if (value === null) window[place].removeItem(`inkflow:${key}`);
    else window[place].setItem(`inkflow:${key}`, JSON.stringify(value));
  } catch {
    // Storage may be full or forbidden.
  }
}

/** What `remember` kept, or null. */
export function recall<T>(key: string, place: Place = "sessionStorage"): T | null {
  try {
    return JSON.parse(window[place].getItem(`inkflow:${key}`) ?? "null") as T | null;
  } catch {
    return null;
  }
}
