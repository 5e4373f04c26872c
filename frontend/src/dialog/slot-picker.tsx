// CalComSlotPicker: which days are shown, which of them is open, and whether the slot that was chosen still stands.

import { Component, type ComponentChild } from "preact";
import { type Artist, type Day, type Flash, Problem, type Slot } from "../core/api";
import { addDays, civilDate, dateWords, whoseClock } from "../core/format";
import { DAYS, type Week, daysFrom, isStale, today } from "../core/weeks";
import { dayRange, isSame } from "./clocks";
import { sentence } from "./problems";
import { Days, Hours, Skeleton, elsewhere } from "./week";
import { t } from "./words";

export interface PickerProps {
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

type MonthPart = typeof import("./month/month");

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
  part: MonthPart | null;
}

const SEARCH_DAYS = 31;
/** Two years: the longest that books may be open. */
const SEARCHES = 24;

export class CalComSlotPicker extends Component<PickerProps, State> {
  override state: State = {
    from: this.start(),
    week: null,
    day: null,
    failure: null,
    searching: false,
    exhausted: false,
    until: null,
    month: false,
    part: null,
  };
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

  override render(
    { artist }: PickerProps,
    { from, week, day, failure, searching, exhausted, until, month, part }: State,
  ): ComponentChild {
    const shown = week && day ? this.days(week).find(({ date }) => date === day) : undefined;
    const last = addDays(from, DAYS - 1);
    const [slot] = shown?.slots ?? [];
    const Sheet = part?.MonthSheet;
    const isAbroad = slot && elsewhere(slot, artist) !== "";
    return (
      <div
        class="picker"
        ref={(element) => {
          this.element = element;
        }}
        aria-busy={!week && !failure}
      >
        <div class="week">
          <button
            type="button"
            class="turn"
            aria-label={t.earlier}
            disabled={from <= today(artist)}
            onClick={this.earlier}
          >
            ‹
          </button>
          <button
            type="button"
            class="to-month"
            aria-expanded={month}
            disabled={!until}
            onClick={() => void this.openMonth()}
            onPointerEnter={() => void loadMonth()}
          >
            <span aria-live="polite">{dayRange(from, last)}</span>
            <span class="only-heard">, {t.toMonth}</span>
          </button>
          <button
            type="button"
            class="turn"
            aria-label={t.later}
            disabled={until !== null && last >= until}
            onClick={() => void this.load(addDays(from, DAYS))}
          >
            ›
          </button>
        </div>
        {month && Sheet && until ? (
          <Sheet
            artist={artist}
            flash={this.props.flash}
            from={day ?? from}
            until={until}
            own={this.ownDate()}
            choose={this.chooseDate}
            close={this.closeMonth}
            sentence={sentence}
          />
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
            <Days days={this.days(week)} open={day} choose={(date) => this.setState({ day: date })} />
            {shown ? (
              <Hours key={day} {...this.props} day={shown} />
            ) : (
              <div class="trouble">
                <p role="status">
                  {exhausted
                    ? t.nothingFree(until && dateWords(until, { day: "numeric", month: "long", year: "numeric" }))
                    : t.noSlots}
                </p>
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
      this.setState({ part: await loadMonth() });
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
    const day =
      chosen ?? open ?? (near ? nearest(days, near) : undefined) ?? days.find(({ slots }) => slots.length > 0);
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

function loadMonth(): Promise<MonthPart> {
  return import("./month/month");
}

function nearest(days: readonly Day[], moment: string): Day | undefined {
  const distance = (day: Day): number =>
    Math.min(...day.slots.map(({ start }) => Math.abs(Date.parse(start) - Date.parse(moment))));
  const [best] = days.filter(({ slots }) => slots.length > 0).sort((a, b) => distance(a) - distance(b));
  return best;
}
