// The artist's dashboard: finds out who is there and which view the address asks for.

import { Component, type ComponentChild, type VNode, render } from "preact";
import { Problem } from "../core/api";
import { Boundary } from "../core/boundary";
import { language, markLanguage } from "../core/language";
import { onSessionEnd, readSession, signOut, verifyLink } from "./api";
import { BookingView } from "./booking";
import { Bookings } from "./bookings";
import { draftsOf } from "./form";
import { forget } from "./live";
import { Overview } from "./overview";
import { type Place, placeInAddress } from "./place";
import { sentence } from "./problems";
import { Settings } from "./settings/settings";
import { SignInAgain, SignInPage } from "./sign-in";
import { Start } from "./start";
import type { Session } from "./types";
import { speak, t } from "./words";

interface State {
  /** Undefined while it is being found out. */
  session: Session | null | undefined;
  place: Place;
  /** A link from a mail is being tried. */
  opening: boolean;
  /** Why nobody is signed in, when there is something to say. */
  trouble: string;
  /** The API did not answer at all. */
  failure: Problem | null;
  online: boolean;
  /** What to do once somebody has signed in again. */
  resume: (() => void) | null;
}

class Dashboard extends Component<object, State> {
  override state: State = { session: undefined, place: placeInAddress(), opening: false, trouble: "", failure: null, online: navigator.onLine, resume: null };

  override componentDidMount(): void {
    addEventListener("hashchange", this.follow);
    for (const change of ["online", "offline"]) addEventListener(change, () => this.setState({ online: navigator.onLine }));
    // Another tab may have signed out, or in, while this one was asleep.
    addEventListener("pageshow", (event) => event.persisted && void this.begin());
    onSessionEnd(() => new Promise((resume) => this.setState({ resume })));
    void this.begin();
  }

  override render(_: object, { session, place, opening, trouble, failure, online, resume }: State): ComponentChild {
    document.body.classList.toggle("inside", Boolean(session));
    const notice = (
      <div role="alert" class="notice">
        {!online && <p class="alert">{t.offline}</p>}
      </div>
    );
    if (failure) {
      return (
        <main class="gate">
          <h1>{t.title}</h1>
          <p class="alert" role="alert">
            {sentence(failure)}
          </p>
          <button type="button" class="button" onClick={() => void this.begin()}>
            {t.retry}
          </button>
        </main>
      );
    }
    if (session === undefined) {
      return (
        <main class="gate" aria-busy="true">
          <h1 class="only-heard">{t.title}</h1>
          <p class="lead late">{opening ? t.sign.opening : t.loading}</p>
        </main>
      );
    }
    if (session === null) {
      return (
        <>
          {notice}
          <SignInPage trouble={trouble} entered={this.enter} />
        </>
      );
    }
    return (
      <>
        <Bar place={place} slug={session.artist?.slug ?? null} leave={this.leave} />
        {notice}
        <main class="desk" id="content">
          <Boundary root="view">{this.view(session, place)}</Boundary>
        </main>
        {resume && <SignInAgain email={session.email} entered={this.resume} />}
      </>
    );
  }

  private view(session: Session, place: Place): VNode {
    const { artist } = session;
    if (!artist || place.view === "start") return <Start session={session} changed={this.renew} />;
    const page = `${location.origin}/artist/${artist.slug}`;
    switch (place.view) {
      case "overview":
        return <Overview key="overview" name={artist.display_name} />;
      case "bookings":
        return <Bookings key="bookings" query={place.query} page={page} />;
      case "booking":
        return <BookingView key={place.id} id={place.id} />;
      case "settings":
        return <Settings section={place.section} session={session} changed={this.renew} leave={this.leave} />;
    }
  }

  private readonly follow = (): void => {
    const before = this.state.place;
    const place = placeInAddress();
    markLanguage();
    // A filter leaves the eye where it is; another view begins at its top.
    if (before.view !== place.view || place.view === "settings") scrollTo(0, 0);
    this.setState({ place });
  };

  private async begin(): Promise<void> {
    this.setState({ failure: null });
    const url = new URL(location.href);
    const token = url.searchParams.get("token_hash");
    try {
      if (token) {
        for (const name of ["token_hash", "type"]) url.searchParams.delete(name);
        // The link works once: it leaves the address before anybody can reload or share it.
        history.replaceState(null, "", url.href);
        markLanguage();
        this.setState({ opening: true });
        return this.enter(await verifyLink(token));
      }
      const session = await readSession();
      if (session) this.enter(session);
      else this.setState({ session });
    } catch (problem) {
      if (token) return this.setState({ session: null, trouble: sentence(problem) });
      this.setState({ failure: problem instanceof Problem ? problem : new Problem("internal") });
    }
  }

  private readonly enter = (session: Session): void => {
    draftsOf(session.user_id);
    this.setState({ session, trouble: "" });
  };

  /** Somebody signed in over interrupted work. Only the same person may go on with it. */
  private readonly resume = (session: Session): void => {
    if (session.user_id !== this.state.session?.user_id) return location.reload();
    const { resume } = this.state;
    this.setState({ session, resume: null }, () => resume?.());
  };

  /** The artist's name, address or zone may have changed. */
  private readonly renew = async (): Promise<void> => {
    try {
      const session = await readSession();
      if (session) this.enter(session);
    } catch {
      // What was saved is saved; the next visit shows it.
    }
  };

  private readonly leave = async (): Promise<void> => {
    await signOut();
    forget();
    try {
      for (const key of Object.keys(sessionStorage)) if (key.startsWith("inkflow:draft:")) sessionStorage.removeItem(key);
    } catch {
      // Storage may be forbidden: then there is nothing in it.
    }
    history.replaceState(null, "", "#/");
    this.setState({ session: null, place: placeInAddress() });
  };
}

function Bar({ place, slug, leave }: { place: Place; slug: string | null; leave: () => Promise<void> }): VNode {
  const link = (view: Place["view"], address: string, text: string): VNode => (
    <a href={address} {...((place.view === view || (view === "bookings" && place.view === "booking")) && { "aria-current": "page" as const })}>
      {text}
    </a>
  );
  return (
    <header class="bar-top">
      <a class="skip" href="#content" onClick={skip}>
        {t.nav.skip}
      </a>
      <a class="mark" href="#/">
        InkFlow
      </a>
      {!slug && (
        <button type="button" class="link" onClick={() => void leave().catch(() => location.reload())}>
          {t.sign.out}
        </button>
      )}
      {slug && (
        <>
          <nav class="views" aria-label={t.nav.label}>
            {link("overview", "#/", t.nav.overview)}
            {link("bookings", "#/bookings", t.nav.bookings)}
            {link("settings", "#/settings", t.nav.settings)}
          </nav>
          <a class="own-page" href={`/artist/${encodeURIComponent(slug)}?lang=${language}`}>
            {t.nav.page} <span aria-hidden="true">↗</span>
          </a>
        </>
      )}
    </header>
  );
}

/** The address behind the # is taken by the views, so the jump is made by hand. */
function skip(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>("#content h1")?.focus();
}

export async function start(place: HTMLElement): Promise<void> {
  await speak();
  render(
    <Boundary root="dashboard">
      <Dashboard />
    </Boundary>,
    place,
  );
}
