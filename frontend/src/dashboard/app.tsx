// The artist's dashboard: finds out who is there and which view the address asks for.

import { Component, type ComponentChild, type VNode, render } from "preact";
import { Problem } from "../core/api";
import { language, markLanguage } from "../core/language";
import { Boundary } from "../failure/boundary";
import { onSessionEnd, readSession, signOut, verifyLink } from "./api";
import { BookingView } from "./booking";
import { Bookings } from "./bookings";
import { draftsOf } from "./form";
import { forget } from "./live";
import { Overview } from "./overview";
import { type Place, placeInAddress } from "./place";
import { is, sentence } from "./problems";
import { Settings } from "./settings/settings";
import { type Link, LinkPage, SignInAgain, SignInPage, SignOutPage } from "./sign-in";
import { Start } from "./start";
import type { Session } from "./types";
import { speak, t } from "./words";

interface State {
  /** Undefined while it is being found out. */
  session: Session | null | undefined;
  place: Place;
  /** A link from a mail, which waits to be used. */
  link: Link | null;
  /** Signed out here, and not yet where the accounts are. */
  unfinished: boolean;
  /** Why nobody is signed in, when there is something to say. */
  trouble: string;
  /** The API did not answer at all. */
  failure: Problem | null;
  online: boolean;
  /** What to do once somebody has signed in again. */
  resume: (() => void) | null;
}

class Dashboard extends Component<object, State> {
  override state: State = {
    session: undefined,
    place: placeInAddress(),
    link: null,
    unfinished: false,
    trouble: "",
    failure: null,
    online: navigator.onLine,
    resume: null,
  };

  override componentDidMount(): void {
    addEventListener("hashchange", this.follow);
    for (const change of ["online", "offline"])
      addEventListener(change, () => this.setState({ online: navigator.onLine }));
    // Another tab may have signed out, or in, while this one was asleep.
    addEventListener("pageshow", (event) => event.persisted && void this.begin());
    onSessionEnd(() => new Promise((resume) => this.setState({ resume })));
    void this.begin();
  }

  override render(
    _: object,
    { session, place, link, unfinished, trouble, failure, online, resume }: State,
  ): ComponentChild {
    document.body.classList.toggle("inside", Boolean(session) && !link);
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
          <p class="lead late">{t.loading}</p>
        </main>
      );
    }
    if (link) {
      return (
        <>
          {notice}
          <LinkPage link={link} present={session?.email ?? null} enter={this.useLink} stay={() => this.drop(session)} />
        </>
      );
    }
    if (session === null) {
      return unfinished ? (
        <>
          {notice}
          <SignOutPage again={this.leave} />
        </>
      ) : (
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
      const session = await readSession();
      // It stays in the address until it is used, for a reload or another browser.
      if (token) this.setState({ link: { token, fresh: url.searchParams.get("type") === "signup" } });
      if (session) this.enter(session);
      else this.setState({ session });
    } catch (problem) {
      this.setState({ failure: problem instanceof Problem ? problem : new Problem("internal") });
    }
  }

  /** Somebody presses: only now is the link used, and it works once. */
  private readonly useLink = async ({ token }: Link, replace: boolean): Promise<void> => {
    let session: Session;
    try {
      session = await verifyLink(token, replace);
    } catch (problem) {
      // Nobody is signed in, so that the way to a new link is the page's next sight.
      if (is(problem, "link-expired") && !this.state.session) {
        this.drop(null);
        return this.setState({ trouble: sentence(problem) });
      }
      throw problem;
    }
    // What another account has read stays with it.
    forget();
    this.drop(session);
  };

  private drop(session: Session | null): void {
    const url = new URL(location.href);
    for (const name of ["token_hash", "type"]) url.searchParams.delete(name);
    // Used or not wanted: it leaves the address before anybody can reload or share it.
    history.replaceState(null, "", url.href);
    markLanguage();
    this.setState({ link: null });
    if (session) this.enter(session);
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
    let unfinished = false;
    try {
      await signOut();
    } catch (problem) {
      // Here it has ended all the same.
      if (!is(problem, "sign-out-incomplete")) throw problem;
      unfinished = true;
    }
    forget();
    try {
      for (const key of Object.keys(sessionStorage))
        if (key.startsWith("inkflow:draft:")) sessionStorage.removeItem(key);
    } catch {
      // Storage may be forbidden: then there is nothing in it.
    }
    history.replaceState(null, "", "#/");
    this.setState({ session: null, unfinished, place: placeInAddress() });
  };
}

function Bar({ place, slug, leave }: { place: Place; slug: string | null; leave: () => Promise<void> }): VNode {
  const link = (view: Place["view"], address: string, text: string): VNode => (
    <a
      href={address}
      {...((place.view === view || (view === "bookings" && place.view === "booking")) && {
        "aria-current": "page" as const,
      })}
    >
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
