// CalComSlotPicker: seven days at a glance, the hours of one of them. Native radios, so that every keyboard knows them.

import { Component, type ComponentChild, type VNode } from "preact";
import { type Artist, type Day, type Flash, Problem, type Slot } from "../core/api";
import { addDays, civilDate, clock, dateWords, longDay, whoseClock } from "../core/format";
import { DAYS, type Week, daysFrom, isStale, today } from "../core/weeks";
import { clockHere, dayRange, hourOf, isSame } from "./clocks";
import { sentence } from "./problems";
import type { MonthSheet } from "./month/month";
import { t } from "./words";

interface Props {
  artist: Artist;
  flash: Flash | null;
  /** The slot that is chosen. */
  slot: Slot | null;
  /** The slot that this client already holds: never taken from its owner. */
  own: Slot | null;
  /** The moment that was wanted and is taken: opens near it. */
  near: string | null;
  choose: (slot: Slot | null) => void;
}

interface State {
  from: string;
  week: Week | null;
  day: string | null;
  failure: Problem | null;
  searching: boolean;
  exhausted: boolean;
  /** The last date that can be booked, once it is known. */
  until: string | null;
  /** Whether the month is open, and its part of the script when it has arrived. */
  month: boolean;
  sheet: typeof MonthSheet | null;
}

const SEARCH_DAYS = 31;
/** Two years: the longest that books may be open. */
const SEARCHES = 24;

export class CalComSlotPicker extends Component<Props, State> {
  override state: State = { from: this.start(), week: null, day: null, failure: null, searching: false, exhausted: false, until: null, month: false, sheet: null };
  private asked = 0;
  private retry = 0;
  private element: HTMLDivElement | null = null;
  /** The date chosen in the month, to be opened when its slots have come. */
  private wanted: string | null = null;

  override componentDidMount(): void {
    addEventListener("online", this.reload);
    document.addEventListener("visibilitychange", this.wake);
    void this.load(this.state.from);
  }

  override componentWillUnmount(): void {
    removeEventListener("online", this.reload);
    document.removeEventListener("visibilitychange", this.wake);
    clearTimeout(this.retry);
    this.asked = -1;
  }

  override render({ artist }: Props, { from, week, day, failure, searching, exhausted, until, month, sheet: Sheet }: State): ComponentChild {
    const shown = week && day ? this.days(week).find(({ date }) => date === day) : undefined;
    const last = addDays(from, DAYS - 1);
    const [slot] = shown?.slots ?? [];
    const isAbroad = slot && this.elsewhere(slot) !== "";
    return (
      <div class="picker" ref={(element) => { this.element = element; }} aria-busy={!week && !failure}>
        <div class="week">
          <button type="button" class="turn" aria-label={t.earlier} disabled={from <= today(artist)} onClick={this.earlier}>
            ‹
          </button>
          <button type="button" class="to-month" aria-expanded={month} disabled={!until} onClick={() => void this.openMonth()} onPointerEnter={() => void loadMonth()}>
            <span aria-live="polite">{dayRange(from, last)}</span>
            <span class="only-heard">, {t.toMonth}</span>
          </button>
          <button type="button" class="turn" aria-label={t.later} disabled={until !== null && last >= until} onClick={() => void this.load(addDays(from, DAYS))}>
            ›
          </button>
        </div>
        {month && Sheet && until ? (
          <Sheet artist={artist} flash={this.props.flash} from={day ?? from} until={until} own={this.ownDate()} choose={this.chooseDate} close={this.closeMonth} />
        ) : failure ? (
          <div class="trouble">
            <p class="alert" role="alert">
              {t.slotsFailed} {sentence(failure)}
            </p>
            <button type="button" class="button quiet" onClick={this.reload}>
              {t.retry}
            </button>
          </div>
        ) : !week || searching ? (
          <Skeleton />
        ) : (
          <>
            <fieldset class="days">
              <legend class="only-heard">{t.day}</legend>
              {this.days(week).map((each) => this.dayTile(each))}
            </fieldset>
            {this.days(week).map(
              ({ date, frees_at: at }) =>
                at && (
                  <p class="help" key={date}>
                    {t.freesAt(capital(longDay(date)), clock(at))}
                  </p>
                ),
            )}
            {shown ? (
              this.hours(shown)
            ) : (
              <div class="trouble">
                <p role="status">{exhausted ? t.nothingFree(until && dateWords(until, { day: "numeric", month: "long", year: "numeric" })) : t.noSlots}</p>
                {!exhausted && (
                  <button type="button" class="button quiet" onClick={() => void this.searchOn()}>
                    {t.nextFree}
                  </button>
                )}
              </div>
            )}
          </>
        )}
        <p class="help">
          {t.studioTime(whoseClock(artist))} {isAbroad && t.yourClock}
        </p>
      </div>
    );
  }

  private hours(day: Day): VNode {
    const parts: [string, (hour: number) => boolean][] = [
      [t.morning, (hour) => hour < 12],
      [t.afternoon, (hour) => hour >= 12 && hour < 18],
      [t.evening, (hour) => hour >= 18],
    ];
    return (
      <fieldset class="hours" key={day.date}>
        <legend>{t.slotsOf(longDay(day.date))}</legend>
        {parts.map(([name, within]) => {
          const slots = day.slots.filter(({ start }) => within(hourOf(start)));
          if (slots.length === 0) return null;
          return (
            <div class="part" key={name}>
              <p>{name}</p>
              <div class="times">{slots.map((slot) => this.slotTile(day.date, slot))}</div>
            </div>
          );
        })}
      </fieldset>
    );
  }

  private dayTile({ date, slots, full }: Day): VNode {
    const id = `day-${date}`;
    return (
      <div class="tile" key={date}>
        <input
          type="radio"
          name="day"
          id={id}
          checked={date === this.state.day}
          disabled={slots.length === 0}
          aria-label={`${longDay(date)}, ${slots.length > 0 ? t.slotCount(slots.length) : full ? t.full : t.closed}`}
          onChange={() => this.setState({ day: date })}
        />
        <label for={id}>
          <span>{dateWords(date, { weekday: "short" })}</span>
          <strong>{dateWords(date, { day: "numeric" })}</strong>
          <small>{slots.length > 0 ? <i class="free" /> : full ? t.full : t.closed}</small>
        </label>
      </div>
    );
  }

  private slotTile(date: string, slot: Slot): VNode {
    const { own, choose } = this.props;
    const id = `slot-${Date.parse(slot.start)}`;
    const time = clock(slot.start, slot.start_turn);
    const elsewhere = this.elsewhere(slot);
    const mine = isSame(slot.start, own?.start);
    return (
      <div class="tile" key={id}>
        <input
          type="radio"
          name="slot"
          id={id}
          checked={isSame(slot.start, this.props.slot?.start)}
          aria-label={[t.slotName(longDay(date), time), elsewhere && t.yourTime(elsewhere), mine && t.ownSlot].filter(Boolean).join(", ")}
          onChange={() => choose(slot)}
        />
        <label for={id}>
          <strong>{time}</strong>
          {elsewhere && <small>{elsewhere}</small>}
          {mine && <small>{t.ownSlot}</small>}
        </label>
      </div>
    );
  }

  /** The slot on the visitor's own clock, for one who lives on another. */
  private elsewhere({ start }: Slot): string {
    // On the studio's own clock a browser with old tables would only contradict it.
    if (Intl.DateTimeFormat().resolvedOptions().timeZone === this.props.artist.timezone) return "";
    const here = clockHere(start);
    return here === clock(start) ? "" : here;
  }

  /** The date to begin with: the wanted day itself, else the seven days that have the chosen slot, else today. */
  private start(): string {
    const { artist, near, slot } = this.props;
    const now = today(artist);
    if (near) return civilDate(near);
    if (!slot) return now;
    const ahead = Math.round((Date.parse(civilDate(slot.start)) - Date.parse(now)) / 86_400_000);
    return addDays(now, Math.max(0, Math.floor(ahead / DAYS) * DAYS));
  }

  private ownDate(): string | null {
    const { own } = this.props;
    return own && civilDate(own.start);
  }

  private async openMonth(): Promise<void> {
    if (this.state.month) return this.closeMonth();
    this.setState({ month: true });
    try {
      this.setState({ sheet: await loadMonth() });
    } catch {
      this.setState({ month: false, failure: new Problem("offline") });
    }
  }

  private readonly closeMonth = (): void => {
    this.setState({ month: false });
    this.element?.querySelector<HTMLElement>(".to-month")?.focus();
  };

  private readonly chooseDate = (date: string): void => {
    this.wanted = date;
    this.setState({ month: false, day: date });
    void this.load(date);
  };

  private readonly earlier = (): void => {
    const now = today(this.props.artist);
    const from = addDays(this.state.from, -DAYS);
    void this.load(from < now ? now : from);
  };

  /** The days as this client may use them: what they hold themselves stands among the free slots. */
  private days(week: Week): readonly Day[] {
    const { own } = this.props;
    if (!own) return week.days;
    const date = civilDate(own.start);
    return week.days.map((day) => {
      if (day.date !== date || day.slots.some(({ start }) => isSame(start, own.start))) return day;
      return { ...day, slots: [...day.slots, own].sort((a, b) => Date.parse(a.start) - Date.parse(b.start)) };
    });
  }

  private async load(from: string): Promise<void> {
    const { artist, flash } = this.props;
    const turn = ++this.asked;
    clearTimeout(this.retry);
    this.setState({ from, week: null, failure: null, exhausted: false });
    try {
      const week = await daysFrom(artist, flash, from);
      if (turn !== this.asked) return;
      const now = today(artist);
      // The page lay open over midnight.
      if (from < now) await this.load(now);
      else this.show(week);
    } catch (failure) {
      if (turn !== this.asked || !(failure instanceof Problem)) return;
      this.setState({ failure });
      if (failure.retryAfter) this.retry = window.setTimeout(this.reload, failure.retryAfter * 1000);
    }
  }

  /** Opens on the day of the chosen slot, on the one that was open, else on the first that is free. */
  private show(week: Week): void {
    const days = this.days(week);
    const { slot, near, choose } = this.props;
    const chosen = days.find(({ slots }) => slots.some(({ start }) => isSame(start, slot?.start)));
    // Out of sight is not gone: only a slot of these days that is not free any more is given up.
    if (slot && !chosen && days.some(({ date }) => date === civilDate(slot.start))) choose(null);
    const open = days.find((day) => day.date === this.state.day && day.slots.length > 0);
    const day = chosen ?? open ?? (near ? nearest(days, near) : undefined) ?? days.find(({ slots }) => slots.length > 0);
    const { wanted } = this;
    this.wanted = null;
    const opened = days.find(({ date, slots }) => date === wanted && slots.length > 0) ?? day;
    this.setState({ week, day: opened?.date ?? null, until: week.until ?? this.state.until }, () => {
      if (wanted) this.element?.querySelector<HTMLElement>(`#day-${wanted}`)?.focus();
    });
  }

  private readonly reload = (): void => {
    const { week, failure } = this.state;
    if (failure || (week && isStale(week))) void this.load(this.state.from);
  };

  private readonly wake = (): void => {
    if (document.visibilityState === "visible") this.reload();
  };

  private async searchOn(): Promise<void> {
    const { artist, flash } = this.props;
    const turn = ++this.asked;
    this.setState({ searching: true });
    let from = addDays(this.state.from, DAYS);
    try {
      for (let search = 0; search < SEARCHES; search += 1) {
        const { until } = this.state;
        if (until && from > until) break;
        const { days } = await daysFrom(artist, flash, from, SEARCH_DAYS);
        if (turn !== this.asked) return;
        const free = days.find(({ slots }) => slots.length > 0);
        if (free) {
          this.setState({ searching: false, day: free.date });
          return await this.load(free.date);
        }
        from = addDays(from, SEARCH_DAYS);
      }
      this.setState({ exhausted: true });
    } catch (failure) {
      if (turn === this.asked && failure instanceof Problem) this.setState({ failure });
    }
    this.setState({ searching: false });
  }
}

async function loadMonth(): Promise<typeof MonthSheet> {
  return (await import("./month/month")).MonthSheet;
}

function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function nearest(days: readonly Day[], moment: string): Day | undefined {
  const distance = (day: Day): number =>
    Math.min(...day.slots.map(({ start }) => Math.abs(Date.parse(start) - Date.parse(moment))));
  const [best] = days.filter(({ slots }) => slots.length > 0).sort((a, b) => distance(a) - distance(b));
  return best;
}

function Skeleton(): VNode {
  return (
    <div class="skeleton">
      <p class="only-heard" role="status">
        {t.loading}
      </p>
      <div class="days" aria-hidden="true">
        {Array.from({ length: DAYS }, (_, index) => (
          <div class="tile" key={index} />
        ))}
      </div>
      <div class="times" aria-hidden="true">
        {Array.from({ length: 6 }, (_, index) => (
          <div class="tile" key={index} />
        ))}
      </div>
    </div>
  );
}
