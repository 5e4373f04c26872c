// Slots that somebody holds without meaning to pay: shown by those that belong together, and freed with one press.

import type { VNode } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { civilDate, clock, shortDay } from "../core/format";
import { endSuspicious, readSuspicious } from "./api";
import { useAsk } from "./ask";
import { useLive } from "./live";
import { bookingAddress } from "./place";
import { sentence } from "./problems";
import type { Suspicious } from "./types";
import { t } from "./words";

export function Suspects({ after }: { after: () => Promise<void> }): VNode | null {
  const { data, refresh } = useLive<Suspicious>("suspicious", readSuspicious);
  const [asking, ask] = useState(false);
  const [done, setDone] = useState<number | null>(null);
  const said = useRef<HTMLParagraphElement>(null);
  useLayoutEffect(() => {
    if (done !== null) said.current?.focus();
  }, [done]);
  const ids = data?.groups.flatMap(({ holds }) => holds.map(({ id }) => id)) ?? [];
  if (ids.length === 0 && done === null) return null;

  const over = (ended: number | null): void => {
    ask(false);
    if (ended === null) return;
    setDone(ended);
    void refresh();
    void after();
  };
  return (
    <section class="yours" aria-labelledby="suspects-title">
      <h2 id="suspects-title">{t.suspects.title}</h2>
      {done !== null && (
        <p class="done" role="status" tabIndex={-1} ref={said}>
          {t.suspects.done(done)}
        </p>
      )}
      {data?.groups.map(({ holds, lapsed }) => (
        <div key={holds[0]?.id}>
          <p>{t.suspects.why(holds.length, lapsed)}</p>
          <ul>
            {holds.map(({ id, client_name: name, title, start, hold_expires_at: until }) => (
              <li key={id}>
                <a href={bookingAddress(id)}>
                  {shortDay(civilDate(start))}, {clock(start)}
                </a>{" "}
                · {name}, {title || t.booking.project} · {t.suspects.until(clock(until))}
              </li>
            ))}
          </ul>
        </div>
      ))}
      {ids.length > 0 && (
        <button type="button" class="button quiet" onClick={() => ask(true)}>
          {t.suspects.end(ids.length)}
        </button>
      )}
      {asking && <EndDialog ids={ids} over={over} />}
    </section>
  );
}

function EndDialog({ ids, over }: { ids: string[]; over: (ended: number | null) => void }): VNode {
  const { dialog, leave } = useAsk(over);
  // Those that were shown: what comes meanwhile was not agreed to.
  const [shown] = useState(ids);
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState("");
  const go = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setTrouble("");
    let all = 0;
    try {
      for (;;) {
        const { ended, rest } = await endSuspicious(shown);
        all += ended;
        if (rest === 0) return leave(all);
      }
    } catch (problem) {
      setTrouble(sentence(problem));
      setBusy(false);
    }
  };
  return (
    <dialog
      class="ask"
      ref={dialog}
      aria-labelledby="end-title"
      onCancel={(event) => {
        event.preventDefault();
        if (!busy) leave(null);
      }}
    >
      <form onSubmit={(event) => void go(event)}>
        <h2 id="end-title" tabIndex={-1}>
          {t.suspects.ask(shown.length)}
        </h2>
        <div role="alert">{trouble && <p class="alert">{trouble}</p>}</div>
        <p>{t.suspects.what}</p>
        <div class="actions">
          <button type="button" class="button quiet" onClick={() => leave(null)}>
            {t.suspects.keep}
          </button>
          <button type="submit" class="button danger" aria-disabled={busy}>
            {busy ? t.moment : t.suspects.go}
          </button>
        </div>
      </form>
    </dialog>
  );
}
