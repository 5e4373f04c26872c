// The connection to Cal.com: what it needs, whether it works, and what is wrong when it does not.

import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { disconnectCalendar, testCalendar, write } from "../api";
import { RadioField, Submit, TextField } from "../fields";
import { useDraft, useSending } from "../form";
import { CopyLink } from "../parts";
import { sentence } from "../problems";
import type { Calendar, CalendarInput, CalendarTest } from "../types";
import { t } from "../words";

type Field = "username" | "event_type_id" | "api_key";

interface Typed {
  username: string;
  event_type_id: string;
  create_at: Calendar["create_at"];
}

const MOST = 2_147_483_647;

export function CalendarForm({
  stored,
  refresh,
  saved,
}: {
  stored: Calendar;
  refresh: () => Promise<void>;
  saved: (after: Calendar) => void;
}): VNode {
  const { values, set, clear, dirty } = useDraft<Typed>("calendar", {
    username: stored.username ?? "",
    event_type_id: stored.event_type_id === null ? "" : String(stored.event_type_id),
    create_at: stored.create_at,
  });
  // A key is never kept anywhere on this side.
  const [key, setKey] = useState("");
  const { wrong, saying, busy, form, send, say, mend } = useSending<Field>();
  const [test, setTest] = useState<CalendarTest | null>(null);
  const [testing, setTesting] = useState(false);

  const event =
    /^\d{1,10}$/.test(values.event_type_id.trim()) && Number(values.event_type_id) <= MOST
      ? Number(values.event_type_id)
      : null;
  const check = (): Partial<Record<Field, string>> => ({
    ...(values.username.trim() === "" && { username: t.cal.usernameWrong }),
    ...((event === null || event === 0) && { event_type_id: t.cal.eventWrong }),
    ...(key.trim() === "" && !stored.has_key && { api_key: t.cal.keyWrong }),
  });
  const input = (): CalendarInput => ({
    username: values.username.trim(),
    event_type_id: event ?? 0,
    create_at: values.create_at,
    ...(key.trim() && { api_key: key.trim() }),
  });

  const tryIt = async (): Promise<void> => {
    if (testing) return;
    setTest(null);
    if (Object.keys(check()).length > 0) return send(check, async () => "");
    setTesting(true);
    say(null);
    try {
      setTest(await testCalendar(input()));
    } catch (problem) {
      say({ good: false, text: sentence(problem) });
    } finally {
      setTesting(false);
    }
  };

  const disconnect = async (): Promise<void> => {
    try {
      await disconnectCalendar();
      clear();
      setKey("");
      setTest(null);
      await refresh();
      say({ good: true, text: t.cal.disconnected });
    } catch (problem) {
      say({ good: false, text: sentence(problem) });
    }
  };

  const change = (name: Field, put: () => void): void => {
    mend(name);
    setTest(null);
    put();
  };

  return (
    <form
      class="fields"
      noValidate
      ref={form}
      onSubmit={(event) => {
        event.preventDefault();
        void send(check, async () => {
          const after = await write<Calendar>("calendar", input());
          clear();
          setKey("");
          saved(after);
          if (after.webhook === "failed") return t.cal.webhookFailed;
          return after.webhook === "subscribed" ? `${t.saved} ${t.cal.webhookSubscribed}` : t.saved;
        });
      }}
    >
      <p>{t.cal.lead}</p>
      <p class="calm">{stored.connected && stored.username ? t.cal.connected(stored.username) : t.cal.notConnected}</p>
      <TextField
        name="username"
        label={t.cal.username}
        help={t.cal.usernameHelp}
        most={100}
        spellcheck={false}
        autocomplete="off"
        value={values.username}
        error={wrong.username}
        set={(username) => change("username", () => set({ username }))}
      />
      <TextField
        name="event_type_id"
        label={t.cal.event}
        help={t.cal.eventHelp}
        inputmode="numeric"
        most={10}
        narrow
        value={values.event_type_id}
        error={wrong.event_type_id}
        set={(event_type_id) => change("event_type_id", () => set({ event_type_id }))}
      />
      <TextField
        name="api_key"
        type="password"
        label={t.cal.key}
        help={stored.has_key ? t.cal.keyKept : t.cal.keyHelp}
        optional={stored.has_key}
        most={200}
        spellcheck={false}
        autocomplete="off"
        value={key}
        error={wrong.api_key}
        set={(value) => change("api_key", () => setKey(value))}
      />
      <RadioField
        legend={t.cal.when}
        value={values.create_at}
        set={(create_at) => set({ create_at })}
        options={[
          { value: "booking", text: t.cal.atBooking, help: t.cal.atBookingHelp },
          { value: "payment", text: t.cal.atPayment, help: t.cal.atPaymentHelp },
        ]}
      />
      <div role="status" class="checks">
        {test && (
          <>
            <p class={test.ok ? "done" : "alert"}>{test.ok ? t.cal.testOk : t.cal.testBad}</p>
            <ul class="lines">
              {test.checks.map((each) => (
                <li key={each.name} class={each.ok ? "" : "bad"}>
                  <span>
                    <strong>{t.cal.check[each.name] ?? each.name}</strong>
                    <span class={`chip ${each.ok ? "good" : "bad"}`}>{each.ok ? t.cal.good : t.cal.bad}</span>
                    <small>{each.detail}</small>
                    {each.advice && <span class="told">{each.advice}</span>}
                  </span>
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
      <Submit busy={busy} saying={saying?.text ? saying : null} dirty={dirty || key !== ""}>
        <button type="button" class="button quiet" aria-disabled={testing} onClick={() => void tryIt()}>
          {testing ? t.cal.testing : t.cal.test}
        </button>
      </Submit>
      {stored.connected && (
        <div class="field">
          <p>
            <strong>{t.cal.webhook}</strong>
          </p>
          <p class="help">{t.cal.webhookHelp}</p>
          <CopyLink address={stored.webhook_url} label={t.cal.webhook} />
        </div>
      )}
      {stored.connected && (
        <p>
          <button type="button" class="link" onClick={() => void disconnect()}>
            {t.cal.disconnect}
          </button>
        </p>
      )}
    </form>
  );
}
