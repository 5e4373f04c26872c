// What the artist's page shows before anybody books. The server writes the same elements (artist-page/templates).

import { Component, type ComponentChild, type VNode } from "preact";
import type { Artist, Flash } from "../core/api";
import { clock, money, shortDay, span } from "../core/format";
import type { OwnHold } from "../core/hold";
import { foreign, language } from "../core/language";
import { HERO_SIZES, SHEET_SIZES, srcset } from "../core/picture";
import { daysFrom, today } from "../core/weeks";
import { t } from "./words";

/** The buttons submit this form, so that a press counts even before the script has arrived. */
export const FORM = "book";

export function Hero({ artist }: { artist: Artist }): VNode {
  return (
    <header class="hero">
      {artist.hero_image && (
        <img
          class="hero-art"
          src={artist.hero_image}
          srcset={srcset(artist.hero_image)}
          sizes={srcset(artist.hero_image) && HERO_SIZES}
          alt=""
          width={800}
          height={800}
          fetchpriority="high"
        />
      )}
      <div class="hero-words">
        <p class="city">{artist.city}</p>
        <h1>{artist.display_name}</h1>
        <p class="bio" lang={foreign(artist.locale)}>
          {artist.bio}
        </p>
        {!artist.takes_bookings && <p class="why">{t.opensSoon}</p>}
        <p class="ways">
          {artist.takes_bookings && (
            <button class="button" form={FORM} name="projet" value="1" aria-haspopup="dialog">
              {t.proposeProject}
            </button>
          )}
          {artist.flashes[0] && (
            <a class="down" href="#flashs">
              {t.seeFlashes}
            </a>
          )}
        </p>
      </div>
    </header>
  );
}

interface GalleryProps {
  artist: Artist;
  /** What this browser holds. */
  own: readonly OwnHold[];
  /** Leads to the payment of a booking. */
  resume: (booking: string) => void;
}

/** Without a flash the section is for the idea alone, and there is none where neither can be booked. */
export function Gallery({ artist, own, resume }: GalleryProps): VNode | false {
  const arrhes = artist.deposit_nature === "arrhes";
  const deposit = money(artist.project.deposit_cents);
  const duration = span(artist.project.duration_minutes);
  const [some] = artist.flashes;
  return (
    (some || artist.takes_bookings) && (
      <section class="flashes" id="flashs" aria-labelledby="flashs-title">
        {some && (
          <div class="opening">
            <h2 id="flashs-title">{t.flashesTitle}</h2>
            <p>{t.flashesNote}</p>
          </div>
        )}
        <ul class="sheets">
          {artist.flashes.map((flash) => (
            <Sheet
              key={flash.id}
              artist={artist}
              flash={flash}
              mine={own.find((hold) => hold.flash === flash.id)}
              resume={resume}
            />
          ))}
          {artist.takes_bookings && (
            <li class="sheet idea">
              {some ? <h3>{t.ideaTitle}</h3> : <h2 id="flashs-title">{t.ideaTitle}</h2>}
              <p>{(arrhes ? t.ideaArrhesText : t.ideaText)(duration, deposit)}</p>
              <button class="button quiet" form={FORM} name="projet" value="1" aria-haspopup="dialog">
                {t.describeIdea}
              </button>
            </li>
          )}
        </ul>
      </section>
    )
  );
}

function Sheet({
  artist,
  flash,
  mine,
  resume,
}: { artist: Artist; flash: Flash; mine: OwnHold | undefined } & Pick<GalleryProps, "resume">): VNode {
  const price = money(flash.price_cents);
  const deposit = (artist.deposit_nature === "arrhes" ? t.arrhesOf : t.depositOf)(money(flash.deposit_cents));
  return (
    <li class={`sheet ${flash.state}`}>
      <div class="drawing">
        <img
          src={flash.image}
          srcset={srcset(flash.image)}
          sizes={srcset(flash.image) && SHEET_SIZES}
          alt={flash.title}
          lang={foreign(artist.locale)}
          width={800}
          height={800}
          loading="lazy"
        />
        {flash.state === "held" && <p class="stamp">{t.held}</p>}
        {flash.state === "sold" && <p class="stamp">{t.sold}</p>}
      </div>
      <div class="caption">
        <h3 lang={foreign(artist.locale)}>{flash.title}</h3>
        <p class="price">{price}</p>
        <p class="facts">
          {`${span(flash.duration_minutes)} · ${deposit}`}
          <br />
          {flash.repeatable ? t.repeatable : t.unique}
        </p>
      </div>
      {flash.state === "available" && artist.takes_bookings && <NextSlot artist={artist} flash={flash} />}
      {flash.state === "available" && artist.takes_bookings && (
        <button
          class="button quiet"
          form={FORM}
          name="flash"
          value={flash.id}
          aria-haspopup="dialog"
          aria-label={t.reserveFlash(flash.title, price)}
        >
          {t.reserve}
        </button>
      )}
      {flash.state === "held" && <p class="why">{mine ? t.heldByYou : t.heldHelp}</p>}
      {flash.state === "held" && mine && (
        <button
          type="button"
          class="button quiet"
          aria-label={t.resumeFlash(flash.title)}
          onClick={() => resume(mine.id)}
        >
          {t.resumeShort}
        </button>
      )}
      {flash.state === "held" && !mine && (
        <button
          class="link"
          form={FORM}
          name="flash"
          value={flash.id}
          aria-haspopup="dialog"
          aria-label={t.isItYouFlash(flash.title)}
        >
          {t.isItYou}
        </button>
      )}
      {flash.state === "sold" && <p class="why">{t.soldHelp}</p>}
    </li>
  );
}

/** Looked up once the visitor lingers on the sheet; until then, and if it fails, a blank line. */
class NextSlot extends Component<{ artist: Artist; flash: Flash }, { text: string }> {
  override state = { text: "" };
  private line: HTMLParagraphElement | null = null;
  private observer: IntersectionObserver | null = null;
  private timer = 0;

  override componentDidMount(): void {
    const sheet = this.line?.closest(".sheet");
    if (!sheet) return;
    this.observer = new IntersectionObserver(
      ([entry]) => {
        clearTimeout(this.timer);
        if (entry?.isIntersecting) this.timer = window.setTimeout(() => void this.look(), 500);
      },
      { threshold: 0.5 },
    );
    this.observer.observe(sheet);
  }

  override componentWillUnmount(): void {
    clearTimeout(this.timer);
    this.observer?.disconnect();
  }

  override render(): ComponentChild {
    return (
      <p
        class="next"
        ref={(line) => {
          this.line = line;
        }}
      >
        {this.state.text}
      </p>
    );
  }

  private async look(): Promise<void> {
    this.observer?.disconnect();
    const { artist, flash } = this.props;
    const week = await daysFrom(artist, flash, today(artist)).catch(() => null);
    const day = week?.days.find(({ slots }) => slots.length > 0);
    const slot = day?.slots[0];
    if (day && slot) this.setState({ text: t.nextSlot(shortDay(day.date), clock(slot.start, slot.start_turn)) });
  }
}

export function Rules({ artist }: { artist: Artist }): VNode {
  const arrhes = artist.deposit_nature === "arrhes";
  return (
    <section class="rules" aria-labelledby="rules-title">
      <h2 id="rules-title">{t.rulesTitle}</h2>
      <dl>
        <div>
          <dt>{arrhes ? t.arrhesTitle : t.depositTitle}</dt>
          <dd>{arrhes ? t.arrhesText : t.depositText}</dd>
        </div>
        <div>
          <dt>{t.cancelTitle}</dt>
          <dd>{language === "fr" ? artist.policy.text_fr : artist.policy.text_en}</dd>
        </div>
        <div>
          <dt>{t.studioTitle}</dt>
          <dd>
            {artist.address
              ? t.studioAt(artist.address)
              : t.studioText(artist.city, artist.address_shown === "with_summary")}
            {artist.map_url && (
              <a href={artist.map_url} rel="noopener noreferrer">
                {t.onMap}
              </a>
            )}
          </dd>
        </div>
      </dl>
    </section>
  );
}
