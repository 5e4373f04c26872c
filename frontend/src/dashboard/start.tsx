// From an empty account to a page that can be booked: who, when, what, and where to find it.

import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { whoseClock } from "../core/format";
import { language } from "../core/language";
import { read } from "./api";
import { useLive } from "./live";
import { CopyLink, Heading, Waiting } from "./parts";
import { FlashForm } from "./settings/flashes";
import { FIRST_WEEK, HoursForm } from "./settings/hours";
import { FirstProfileForm } from "./settings/profile";
import type { Opening, Policy, Profile, Session } from "./types";
import { t } from "./words";

interface Props {
  session: Session;
  changed: () => Promise<void>;
}

export function Start({ session, changed }: Props): VNode {
  return session.artist ? (
    <Further clock={whoseClock(session.artist)} />
  ) : (
    <First session={session} changed={changed} />
  );
}

function First({ session, changed }: Props): VNode {
  return (
    <Step number={1} title={t.start.page} text={t.start.pageText}>
      <FirstProfileForm
        email={session.email}
        saved={() => {
          location.hash = "#/start";
          void changed();
        }}
      />
    </Step>
  );
}

function Further({ clock }: { clock: string }): VNode {
  const profile = useLive<Profile>("profile", () => read("profile"));
  const hours = useLive<{ hours: Opening[] }>("hours", () => read("hours"));
  const [skipped, setSkipped] = useState<readonly number[]>([]);
  if (!profile.data || !hours.data)
    return (
      <Waiting
        problem={profile.problem ?? hours.problem}
        again={async () => void (await Promise.all([profile.refresh(), hours.refresh()]))}
      />
    );
  const { has_flash, takes_bookings } = profile.data;
  const has_hours = profile.data.has_hours || profile.data.has_calendar;
  const skip = (step: number): void => setSkipped([...skipped, step]);
  if (!has_hours && !skipped.includes(2)) {
    return (
      <Step key={2} number={2} title={t.start.hours} text={t.start.hoursText} later={() => skip(2)}>
        <HoursForm
          stored={hours.data.hours.length > 0 ? hours.data.hours : FIRST_WEEK}
          clock={clock}
          text={t.start.hoursNext}
          saved={(after) => {
            hours.take(after);
            void profile.refresh();
          }}
        />
      </Step>
    );
  }
  if (!has_flash && !skipped.includes(3)) {
    return (
      <Step key={3} number={3} title={t.start.flash} text={t.start.flashText} later={() => skip(3)}>
        <FlashForm stored={null} position={0} text={t.start.flashNext} saved={() => profile.refresh()} />
      </Step>
    );
  }
  const whole = has_hours && has_flash;
  const [title, text] = !whole
    ? [t.start.almost, t.start.almostText]
    : takes_bookings
      ? [t.start.open, t.start.openText]
      : [t.start.ready, t.start.readyText];
  return (
    <Step key={4} number={4} title={title} text={text}>
      <div class="fields">
        <p class="actions">
          <a class="button" href={profile.data.public_url}>
            {t.start.see}
          </a>
          <a class="button quiet" href="#/">
            {t.start.toOverview}
          </a>
          {!whole && (
            <button type="button" class="button quiet" onClick={() => setSkipped([])}>
              {t.overview.goOn}
            </button>
          )}
        </p>
        <div>
          <h2>{t.start.instagram}</h2>
          <CopyLink address={profile.data.public_url} label={t.overview.link} />
        </div>
        <InYourName />
      </div>
    </Step>
  );
}

/** What clients read in the artist's name before the artist has written anything. */
function InYourName(): VNode | null {
  const policy = useLive<Policy>("policy", () => read("policy"));
  if (!policy.data) return null;
  const { fr, en } = policy.data.sentences;
  return (
    <section class="preview" aria-labelledby="in-your-name">
      <h2 id="in-your-name">{t.start.inYourName}</h2>
      <blockquote lang={language}>{language === "fr" ? fr : en}</blockquote>
      <p class="actions">
        <a class="button quiet" href="#/settings/policy">
          {t.start.changePolicy}
        </a>
        <a class="button quiet" href="#/settings/rules">
          {t.start.changeDeposit}
        </a>
      </p>
    </section>
  );
}

interface StepProps {
  number: number;
  title: string;
  text: string;
  later?: () => void;
  children: VNode;
}

function Step({ number, title, text, later, children }: StepProps): VNode {
  const steps = t.start.steps;
  return (
    <div class="start">
      <p class="only-heard">{t.start.step(number, steps.length)}</p>
      <ol class="way">
        {steps.map((step, index) => (
          <li
            key={step}
            class={index + 1 < number ? "past" : ""}
            {...(index + 1 === number && { "aria-current": "step" as const })}
          >
            <span>
              {step}
              {index + 1 < number && <span class="only-heard"> ({t.start.done})</span>}
            </span>
          </li>
        ))}
      </ol>
      <Heading tab={title}>{title}</Heading>
      <p class="lead">{text}</p>
      {children}
      {later && (
        <p>
          <button type="button" class="link" onClick={later}>
            {t.start.later}
          </button>
        </p>
      )}
    </div>
  );
}
