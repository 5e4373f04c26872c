// What was read from the API, kept for the way back and refreshed while somebody looks.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { Problem } from "../core/api";

const EVERY = 20_000;

const kept = new Map<string, unknown>();

export interface Live<T> {
  data: T | null;
  problem: Problem | null;
  refresh: () => Promise<void>;
  /** Takes what an action answered. */
  take: (data: T) => void;
}

/** Forgets everything that was read: somebody else may be next. */
export function forget(): void {
  kept.clear();
}

/** Reads on arrival, on every return to the window, and from time to time while the page is seen; `still` waits. */
export function useLive<T>(key: string, load: () => Promise<T>, { still = false, once = false } = {}): Live<T> {
  const [, redraw] = useState(0);
  const [problem, setProblem] = useState<Problem | null>(null);
  const latest = useRef(load);
  latest.current = load;
  const current = useRef(key);
  current.current = key;
  // An answer that was asked for before an action is older than what the action answered.
  const asked = useRef(0);

  const take = useCallback((data: T): void => {
    asked.current += 1;
    kept.set(current.current, data);
    redraw((n) => n + 1);
  }, []);

  const refresh = useCallback(async (): Promise<void> => {
    const ticket = (asked.current += 1);
    const wanted = current.current;
    try {
      const data = await latest.current();
      if (ticket !== asked.current || wanted !== current.current) return;
      kept.set(wanted, data);
      setProblem(null);
    } catch (failure) {
      if (ticket !== asked.current || wanted !== current.current) return;
      setProblem(failure instanceof Problem ? failure : new Problem("internal"));
    }
    redraw((n) => n + 1);
  }, []);

  useEffect(() => {
    setProblem(null);
    void refresh();
  }, [key, refresh]);

  useEffect(() => {
    if (still || once) return;
    const look = (): void => {
      if (document.visibilityState === "visible" && navigator.onLine) void refresh();
    };
    const timer = setInterval(look, EVERY);
    addEventListener("focus", look);
    addEventListener("online", look);
    document.addEventListener("visibilitychange", look);
    return () => {
      clearInterval(timer);
      removeEventListener("focus", look);
      removeEventListener("online", look);
      document.removeEventListener("visibilitychange", look);
    };
  }, [still, once, refresh]);

  return { data: (kept.get(key) as T | undefined) ?? null, problem, refresh, take };
}
