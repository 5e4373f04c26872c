// What was to be done and to be sent for a booking, what of it failed, and another try.

import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { resend, retry } from "./api";
import { Said } from "./fields";
import type { Saying } from "./form";
import { Part, Told } from "./parts";
import { sentence } from "./problems";
import type { Detail, Job, SentMail } from "./types";
import { shortMoment } from "./when";
import { t } from "./words";

interface Props {
  booking: Detail;
  changed: (after: Detail) => void;
}

/** A press, what came of it, and one at a time. */
function usePress(changed: (after: Detail) => void): {
  busy: string | null;
  saying: Saying | null;
  press: (key: string, action: () => Promise<Detail>, done: string) => void;
} {
  const [busy, setBusy] = useState<string | null>(null);
  const [saying, say] = useState<Saying | null>(null);
  const press = async (key: string, action: () => Promise<Detail>, done: string): Promise<void> => {
    if (busy !== null) return;
    setBusy(key);
    say(null);
    try {
      changed(await action());
      say({ good: true, text: done });
    } catch (problem) {
      say({ good: false, text: sentence(problem) });
    } finally {
      setBusy(null);
    }
  };
  return { busy, saying, press: (key, action, done) => void press(key, action, done) };
}

function jobName(job: Job): string {
  const mail = job.template && t.detail.mail[job.template];
  return mail || t.detail.job[job.kind];
}

export function Jobs({ booking, changed }: Props): VNode | null {
  const { busy, saying, press } = usePress(changed);
  // A mail that was not true any more was dropped, as it should be: only what can be tried again has failed.
  const failed = booking.jobs.filter((job) => job.can_retry);
  if (failed.length === 0 && !saying) return null;
  return (
    <section class="jobs" aria-labelledby="jobs-title">
      <h2 id="jobs-title">{t.detail.jobs}</h2>
      <ul class="lines">
        {failed.map((job) => (
          <li key={job.id}>
            <span>
              <strong>{jobName(job)}</strong>, {t.detail.jobState[job.state]}
              <small>{t.detail.attempts(job.attempts)}</small>
              {job.advice && <span class="told">{job.advice}</span>}
              {job.last_error && <small>{job.last_error}</small>}
            </span>
            {job.can_retry && (
              <button
                type="button"
                class="button quiet"
                aria-label={t.detail.retryOf(jobName(job))}
                aria-disabled={busy !== null}
                onClick={() => press(job.id, () => retry(booking.id, job.id), t.detail.retried)}
              >
                {busy === job.id ? t.moment : t.detail.retryJob}
              </button>
            )}
          </li>
        ))}
      </ul>
      <Said saying={saying} />
    </section>
  );
}

export function Mails({ booking, changed }: Props): VNode {
  const { busy, saying, press } = usePress(changed);
  const name = (mail: SentMail): string => t.detail.mail[mail.template];
  return (
    <Part title={t.detail.mails}>
      {booking.mails.length === 0 ? (
        <p class="help">{t.detail.noMails}</p>
      ) : (
        <ul class="lines">
          {booking.mails.map((mail) => (
            <li key={`${mail.template}${mail.occurrence}`}>
              <span>
                {name(mail)}
                <small>
                  {t.detail.mailStatus[mail.status]}
                  {mail.sent_at && `, ${shortMoment(mail.sent_at)}`} <Told text={t.detail.to(mail.recipient)} />
                </small>
                <Why mail={mail} />
              </span>
              {mail.can_resend && (
                <button
                  type="button"
                  class="link"
                  aria-label={t.detail.resendOf(name(mail))}
                  aria-disabled={busy !== null}
                  onClick={() =>
                    press(
                      `${mail.template}${mail.occurrence}`,
                      () => resend(booking.id, mail.template),
                      t.detail.resent,
                    )
                  }
                >
                  {busy === `${mail.template}${mail.occurrence}` ? t.moment : t.detail.resend}
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
      <Said saying={saying} />
    </Part>
  );
}

/** What is wrong with a mail, in words where they are ours. */
function Why({ mail }: { mail: SentMail }): VNode | null {
  if (mail.status === "unknown") return <small>{t.detail.mailUnknown}</small>;
  const words = mail.status === "withheld" ? t.detail.mailWithheld[mail.error ?? ""] : mail.error;
  return words ? <small class="error">{words}</small> : null;
}
