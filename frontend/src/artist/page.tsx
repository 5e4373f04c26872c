// The artist's page: the gallery, the hold that waits for its payment, and the door to the booking dialog.

import { Component, type ComponentChild } from "preact";
import type { BookingDialog } from "../dialog/dialog";
import dialogStyles from "../dialog/dialog.css?url";
import type { Step } from "../dialog/step";
import { type Artist, type Booking, type Flash, getArtist, leaveFor } from "../core/api";
import { type OwnHold, ownHolds } from "../core/hold";
import { language } from "../core/language";
import { daysFrom, forgetWeeks, today } from "../core/weeks";
import { Boundary } from "../failure/boundary";
import { FORM, Gallery, Hero, Rules } from "./gallery";
import { type Place, addressOf, depth, placeInAddress } from "./place";
import { t } from "./words";
import { speak as speakInDialog } from "../dialog/words";

interface State {
  artist: Artist;
  place: Place | null;
  /** What this browser holds unpaid, as far as it can still be paid, the newest first. */
  own: OwnHold[];
  /** The newest of these bookings. */
  held: Booking | null;
  notice: string;
}

/** Puts a stylesheet into the page, once; one that did not arrive may be tried again. */
function dress(href: string): Promise<void> {
  return new Promise((done, fail) => {
    let link = document.querySelector<HTMLLinkElement>(`link[href="${href}"]`);
    if (link?.sheet) return done();
    if (!link) {
      link = document.createElement("link");
      link.rel = "stylesheet";
      link.href = href;
      document.head.append(link);
    }
    const gone = link;
    link.addEventListener("load", () => done());
    link.addEventListener("error", () => {
      gone.remove();
      fail(new Error(href));
    });
  });
}

/** Fetched with the first sign that somebody wants to book. */
async function loadDialog(): Promise<typeof BookingDialog> {
  const [{ BookingDialog }] = await Promise.all([import("../dialog/dialog"), speakInDialog(), dress(dialogStyles)]);
  return BookingDialog;
}

export class ArtistPage extends Component<{ artist: Artist }, State> {
  override state: State = { artist: this.props.artist, place: null, own: [], held: null, notice: "" };
  private dialog: typeof BookingDialog | null = null;
  private holds: typeof import("./holds/holds") | null = null;
  private subject: Flash | undefined;
  /** A step back is under way: the history answers later, and a second one would leave the site. */
  private leaving = false;

  override componentDidMount(): void {
    addEventListener("popstate", () => void this.follow());
    addEventListener("pageshow", (event) => {
      // Back from the payment page, with the state of before the payment.
      if (event.persisted) void this.refresh();
    });
    // Another tab holds, pays or releases.
    addEventListener("storage", () => void this.readHolds());
    for (const sign of ["pointerover", "focusin"]) document.addEventListener(sign, this.prepare);
    void this.begin();
  }

  override render(): ComponentChild {
    const { artist, place, own } = this.state;
    const Dialog = this.dialog;
    const flash = this.flashOf(place);
    return (
      <>
        <form id={FORM} onSubmit={this.choose}>
          <input type="hidden" name="lang" value={language} />
        </form>
        <Hero artist={artist} />
        <Gallery artist={artist} own={own} resume={this.resume} />
        <Rules artist={artist} />
        {this.bar()}
        {place && flash !== undefined && Dialog && (
          <Boundary key={place.flash} root="dialog" close={this.close}>
            <Dialog
              artist={artist}
              flash={flash}
              step={place.step}
              own={own.find((hold) => hold.flash === place.flash) ?? null}
              goTo={this.goTo}
              backTo={this.backTo}
              close={this.close}
              changed={() => void this.refresh()}
            />
          </Boundary>
        )}
      </>
    );
  }

  private bar(): ComponentChild {
    const { held, notice } = this.state;
    const Bar = this.holds?.HoldBar;
    return (
      <div class={held || notice ? "bar shown" : "bar"}>
        {held && Bar && (
          <Bar held={held} look={this.readHolds} refresh={this.refresh} say={this.say} resume={this.resume} />
        )}
        <p role="status">{notice}</p>
        {notice && (
          <button type="button" class="close" aria-label={t.close} onClick={() => this.say("")}>
            ×
          </button>
        )}
      </div>
    );
  }

  /** The flash of a place; null for a project, undefined for one that is unknown here. */
  private flashOf(place: Place | null): Flash | null | undefined {
    if (place?.flash == null) return null;
    // While its dialog is open a flash stays what it was: the gallery may learn in the meantime that it is taken.
    if (this.subject?.id !== place.flash) this.subject = this.state.artist.flashes.find(({ id }) => id === place.flash);
    return this.subject;
  }

  private isBookable(place: Place): boolean {
    if (!this.state.artist.takes_bookings) return false;
    // A held one too: it may be this client's, held in another browser.
    return (
      place.flash === null || this.state.artist.flashes.some(({ id, state }) => id === place.flash && state !== "sold")
    );
  }

  private async begin(): Promise<void> {
    const place = placeInAddress();
    const ours = depth();
    const held = await this.readHolds();
    if (!place) return;
    // Back from the payment page: what is held matters more than the dialog that led there.
    if (held || !this.isBookable(place)) {
      history.replaceState(null, "", addressOf(null));
    } else if (ours > 0) {
      await this.follow();
    } else {
      // A link into the dialog: closing it must leave the page, not the site.
      history.replaceState(null, "", addressOf(null));
      await this.open(place.flash);
    }
  }

  /** Shows what the address says: Back and Forward come through here. */
  private readonly follow = async (): Promise<void> => {
    this.leaving = false;
    let place = placeInAddress();
    if (place && !(await this.loaded())) return;
    place = placeInAddress();
    if (place && !this.state.place && !this.isBookable(place)) {
      history.replaceState(null, "", addressOf(null));
      place = null;
    }
    this.setState({ place });
  };

  private async open(flash: string | null): Promise<void> {
    // On a slow line the press is answered before the dialog has come.
    const slow = window.setTimeout(() => this.setState({ notice: t.opening }), 150);
    const loaded = await this.loaded();
    clearTimeout(slow);
    if (!loaded || this.state.place) return;
    const place: Place = { flash, step: 1 };
    history.pushState({ depth: 1 }, "", addressOf(place));
    this.subject = undefined;
    this.setState({ place, notice: "" });
  }

  private async loaded(): Promise<boolean> {
    try {
      this.dialog ??= await loadDialog();
      return true;
    } catch {
      this.setState({ notice: t.dialogFailed });
      return false;
    }
  }

  private readonly choose = (event: SubmitEvent): void => {
    event.preventDefault();
    const button = event.submitter;
    if (button instanceof HTMLButtonElement) void this.open(button.name === "flash" ? button.value : null);
  };

  /** A finger or a glance at a button: what it needs is on its way before the press. */
  private readonly prepare = (event: Event): void => {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    if (button?.form?.id !== FORM) return;
    loadDialog().catch(() => null);
    const { artist } = this.state;
    const flash = artist.flashes.find(({ id }) => id === button.value) ?? null;
    daysFrom(artist, flash, today(artist)).catch(() => null);
  };

  private readonly goTo = (step: Step): void => {
    const { place } = this.state;
    if (!place) return;
    const next = { ...place, step };
    history.pushState({ depth: depth() + 1 }, "", addressOf(next));
    this.setState({ place: next });
  };

  private readonly backTo = (step: Step): void => {
    const { place } = this.state;
    if (!place || this.leaving) return;
    const settled = { ...place, step };
    const steps = place.step - step;
    if (depth() > steps) this.goBack(steps);
    else history.replaceState({ depth: depth() }, "", addressOf(settled));
    this.setState({ place: settled });
  };

  private readonly close = (): void => {
    if (!this.leaving) this.goBack(Math.max(1, depth()));
  };

  private goBack(entries: number): void {
    this.leaving = true;
    history.go(-entries);
  }

  /** Finds out what this browser holds; what it takes to show it is fetched only by those who hold something. */
  private readonly readHolds = async (): Promise<Booking | null> => {
    const kept = ownHolds(this.state.artist.slug);
    try {
      if (kept.length > 0) this.holds ??= await import("./holds/holds");
      const live = (await this.holds?.readHolds(kept)) ?? [];
      const held = live[0]?.booking ?? null;
      this.setState({ own: live.map(({ hold }) => hold), held });
      return held;
    } catch {
      return this.state.held;
    }
  };

  private readonly refresh = async (): Promise<void> => {
    forgetWeeks();
    await this.readHolds();
    try {
      this.setState({ artist: await getArtist(this.state.artist.slug) });
    } catch {
      // The gallery on the page stays; the server decides anyway.
    }
  };

  private readonly say = (notice: string): void => this.setState({ notice });

  private readonly resume = (booking: string): void => {
    const { held } = this.state;
    if (held?.booking_id === booking && held.checkout_url) leaveFor(held.checkout_url);
    else leaveFor(`/booking/cancel?id=${encodeURIComponent(booking)}`);
  };
}
