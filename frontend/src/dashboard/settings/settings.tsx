// The settings: one address each, so that a reload and Back know where one was.

import type { ComponentChildren, VNode } from "preact";
import { useState } from "preact/hooks";
import { whoseClock } from "../../core/format";
import { language } from "../../core/language";
import { useLive } from "../live";
import { Heading, Told, Waiting } from "../parts";
import { SECTIONS, type Section, settingsAddress } from "../place";
import { sentence } from "../problems";
import { read } from "../api";
import type { Calendar, Opening, OwnFlash, Policy, Profile, Rules, Session, TimeOff } from "../types";
import { t } from "../words";
import { CalendarForm } from "./calendar";
import { Contact } from "./contact";
import { Flashes } from "./flashes";
import { HoursForm } from "./hours";
import { PolicyForm } from "./policy";
import { ProfileForm } from "./profile";
import { RulesForm } from "./rules";
import { TimeOffList } from "./time-off";

interface Props {
  section: Section | null;
  session: Session;
  changed: () => Promise<void>;
  leave: () => Promise<void>;
}

export function Settings({ section, session, changed, leave }: Props): VNode {
  return (
    <div class={section ? "drawers within" : "drawers"}>
      {section && (
        <p class="trail">
          <a class="link" href={settingsAddress(null)}>
            ← {t.settings.all}
          </a>
        </p>
      )}
      <div class="index">
        {section ? (
          <p class="index-title">{t.settings.title}</p>
        ) : (
          <Heading tab={t.settings.title}>{t.settings.title}</Heading>
        )}
        <nav aria-label={t.settings.title}>
          {SECTIONS.map((each) => (
            <a key={each} href={settingsAddress(each)} {...(each === section && { "aria-current": "page" as const })}>
              <strong>{t.settings[each]}</strong>
              <span>{t.settings[`${each}Text`]}</span>
            </a>
          ))}
        </nav>
      </div>
      {section && (
        <div class="drawer" key={section}>
          <Heading tab={t.settings[section]}>{t.settings[section]}</Heading>
          <Drawer section={section} session={session} changed={changed} leave={leave} />
        </div>
      )}
    </div>
  );
}

function Drawer({ section, session, changed, leave }: Props & { section: Section }): VNode {
  const { artist } = session;
  switch (section) {
    case "profile":
      return (
        <Stored<Profile> what="profile">
          {(stored, take) => (
            <>
              <Contact stored={stored} saved={take} />
              <ProfileForm stored={stored} saved={(after) => (take(after), changed())} />
            </>
          )}
        </Stored>
      );
    case "hours":
      return (
        <Stored<{ hours: Opening[] }> what="hours">
          {(stored, take) => <HoursForm stored={stored.hours} clock={artist ? whoseClock(artist) : ""} saved={take} />}
        </Stored>
      );
    case "time-off":
      return (
        <Stored<{ time_off: TimeOff[] }> what="time-off">
          {(stored, _, refresh) => (
            <TimeOffList stored={stored.time_off} zone={artist?.timezone ?? "UTC"} refresh={refresh} />
          )}
        </Stored>
      );
    case "flashes":
      return (
        <Stored<{ flashes: OwnFlash[] }> what="flashes">
          {(stored, _, refresh) => <Flashes stored={stored.flashes} refresh={refresh} />}
        </Stored>
      );
    case "rules":
      return <Stored<Rules> what="rules">{(stored, take) => <RulesForm stored={stored} saved={take} />}</Stored>;
    case "policy":
      return <Stored<Policy> what="policy">{(stored, take) => <PolicyForm stored={stored} saved={take} />}</Stored>;
    case "calendar":
      return (
        <Stored<Calendar> what="calendar">
          {(stored, take, refresh) => <CalendarForm stored={stored} refresh={refresh} saved={take} />}
        </Stored>
      );
    case "account":
      return <Account email={session.email} leave={leave} />;
  }
}

interface StoredProps<T> {
  what: Parameters<typeof read>[0];
  children: (stored: T, take: (after: T) => void, refresh: () => Promise<void>) => ComponentChildren;
}

/** Reads what is stored and shows it; what somebody types lies over it and is never taken away by a new reading. */
function Stored<T>({ what, children }: StoredProps<T>): VNode {
  const { data, problem, refresh, take } = useLive<T>(what, () => read<T>(what));
  return data === null ? <Waiting problem={problem} again={refresh} lines={4} /> : <>{children(data, take, refresh)}</>;
}

function Account({ email, leave }: { email: string; leave: () => Promise<void> }): VNode {
  const [trouble, setTrouble] = useState("");
  const other = language === "fr" ? "en" : "fr";
  const address = new URL(location.href);
  address.searchParams.set("lang", other);
  return (
    <div class="fields">
      <p>
        <Told text={t.settings.signedInAs(email)} />
      </p>
      <p>
        <a class="link" href={address.href} lang={other} hreflang={other}>
          {other === "fr" ? "Continuer en français" : "Continue in English"}
        </a>
      </p>
      {trouble && (
        <p class="alert" role="alert">
          {trouble}
        </p>
      )}
      <p>
        <button
          type="button"
          class="button quiet"
          onClick={() => void leave().catch((problem: unknown) => setTrouble(sentence(problem)))}
        >
          {t.sign.out}
        </button>
      </p>
    </div>
  );
}
