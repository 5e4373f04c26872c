// A month at a glance, fetched when somebody wants to look further than seven days. A grid as screen readers know them: the
// arrows walk by days and weeks, Enter chooses.

import { Component, type ComponentChild, type VNode } from "preact";
import type { Artist, Day, Flash, Problem } from "../../core/api";
import { addDays, dateWords, longDay } from "../../core/format";
import { daysFrom, today } from "../../core/weeks";
import { t } from "../words";
import { t as words } from "./words";

interface Props {
  artist: Artist;
  flash: Flash | null;
  /** The date to begin with. */
  from: string;
  /** The last date that can be booked. */
  until: string;
  /** The date that this client holds: free for them. */
  own: string | null;
  choose: (date: string) => void;
  close: () => void;
  /** Given by who fetched this part, so that it needs nothing of the dialog's chunk. */
  sentence: (failure: Problem) => string;
}

interface State {
  month: string;
  days: readonly Day[] | null;
  /** The date that the arrows have reached. */
  at: string;
  failure: Problem | null;
}

/** A Monday, so that the names of the days follow. */
const MONDAY = "2026-11-30";
const WEEK = [0, 1, 2, 3, 4, 5, 6].map((day) => addDays(MONDAY, day));

const STEPS: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };

function monthOf(date: string): string {
  return date.slice(0, 7);
}

/** The month so many months later. */
function later(month: string, months: number): string {
  const count = Number(month.slice(0, 4)) * 12 + Number(month.slice(5)) - 1 + months;
  return `${Math.floor(count / 12)}-${String((count % 12) + 1).padStart(2, "0")}`;
}

function lengthOf(month: string): number {
  return Math.round((Date.parse(`${later(month, 1)}-01`) - Date.parse(`${month}-01`)) / 86_400_000);
}

/** How far into its week a date is, from Monday. */
function placeInWeek(date: string): number {
  return ((((Date.parse(date) - Date.parse(MONDAY)) / 86_400_000) % 7) + 7) % 7;
}

export class MonthSheet extends Component<Props, State> {
  override state: State = { month: monthOf(this.props.from), days: null, at: this.props.from, failure: null };
  private grid: HTMLTableElement | null = null;
  private asked = 0;
  private follow = true;

  override componentDidMount(): void {
    void this.load(this.state.month);
    this.grid?.querySelector<HTMLElement>("[tabindex='0']")?.focus();
  }

  override componentDidUpdate(): void {
    if (this.follow) this.grid?.querySelector<HTMLElement>("[tabindex='0']")?.focus();
    this.follow = false;
  }

  override componentWillUnmount(): void {
    this.asked = -1;
  }

  override render({ until, close, sentence }: Props, { month, days, failure }: State): ComponentChild {
    const months: string[] = [];
    for (let each = monthOf(today(this.props.artist)); each <= monthOf(until); each = later(each, 1)) months.push(each);
    const none = days?.every((day) => !this.isFree(day));
    return (
      <div class="month" onKeyDown={this.leave}>
        <div class="month-list" role="group" aria-label={words.months}>
          {months.map((each) => (
            <button
              type="button"
              key={each}
              aria-pressed={each === month}
              aria-label={nameOf(each)}
              onClick={() => void this.load(each)}
            >
              {dateWords(`${each}-01`, { month: "short", ...(each.endsWith("-01") && { year: "numeric" }) })}
            </button>
          ))}
        </div>
        <table
          role="grid"
          aria-label={nameOf(month)}
          aria-busy={!days && !failure}
          ref={(grid) => {
            this.grid = grid;
          }}
          onKeyDown={this.walk}
        >
          <thead>
            <tr>
              {WEEK.map((day) => (
                <th scope="col" abbr={dateWords(day, { weekday: "long" })} key={day}>
                  {dateWords(day, { weekday: "narrow" })}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{weeksOf(month).map((week) => this.week(week))}</tbody>
        </table>
        <div role="status" class="help">
          {failure
            ? `${t.slotsFailed} ${sentence(failure)}`
            : !days
              ? t.loading
              : none
                ? words.noneIn(nameOf(month))
                : ""}
        </div>
        <p class="month-foot">
          <span class="help">
            {words.openUntil(dateWords(until, { day: "numeric", month: "long", year: "numeric" }))}
          </span>
          <button type="button" class="link" onClick={close}>
            {words.close}
          </button>
        </p>
      </div>
    );
  }

  private week(week: readonly (string | null)[]): VNode {
    return <tr key={week.find(Boolean)}>{week.map((date, index) => (date ? this.cell(date) : <td key={index} />))}</tr>;
  }

  private cell(date: string): VNode {
    const { at, days } = this.state;
    const day = days?.find((each) => each.date === date);
    const free = day !== undefined && this.isFree(day);
    const count = day?.slots.length ?? 0;
    return (
      <td role="gridcell" key={date}>
        <button
          type="button"
          class={free ? "free" : ""}
          tabIndex={date === at ? 0 : -1}
          aria-disabled={!free}
          aria-label={`${longDay(date)}${days ? `, ${free && count === 0 ? t.ownSlot : this.isOpen(date) ? t.slotCount(count) : words.notOpen}` : ""}`}
          onClick={() => free && this.props.choose(date)}
          onFocus={() => this.setState({ at: date })}
        >
          {dateWords(date, { day: "numeric" })}
        </button>
      </td>
    );
  }

  private isOpen(date: string): boolean {
    return date >= today(this.props.artist) && date <= this.props.until;
  }

  private isFree(day: Day): boolean {
    return day.slots.length > 0 || day.date === this.props.own;
  }

  /** By days and weeks with the arrows, to the ends of a week with Home and End, by months with Page Up and Page Down. */
  private readonly walk = (event: KeyboardEvent): void => {
    const { at, month } = this.state;
    let next: string | null = null;
    if (event.key in STEPS) next = addDays(at, STEPS[event.key] ?? 0);
    else if (event.key === "Home") next = addDays(at, -placeInWeek(at));
    else if (event.key === "End") next = addDays(at, 6 - placeInWeek(at));
    else if (event.key === "PageUp" || event.key === "PageDown")
      next = this.sameDay(later(month, event.key === "PageUp" ? -1 : 1));
    if (next === null) return;
    event.preventDefault();
    const first = today(this.props.artist);
    const reached = next < first ? first : next > this.props.until ? this.props.until : next;
    this.follow = true;
    if (monthOf(reached) === month) this.setState({ at: reached });
    else void this.load(monthOf(reached), reached);
  };

  private sameDay(month: string): string {
    return `${month}-${String(Math.min(Number(this.state.at.slice(8)), lengthOf(month))).padStart(2, "0")}`;
  }

  /** Escape closes the month and not the dialog around it. */
  private readonly leave = (event: KeyboardEvent): void => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    this.props.close();
  };

  private async load(month: string, at?: string): Promise<void> {
    const { artist, flash } = this.props;
    const turn = ++this.asked;
    const now = today(artist);
    const first = `${month}-01` < now ? now : `${month}-01`;
    this.setState({
      month,
      days: null,
      failure: null,
      at: at ?? (monthOf(this.state.at) === month ? this.state.at : first),
    });
    try {
      const { days } = await daysFrom(artist, flash, first, lengthOf(month) - Number(first.slice(8)) + 1);
      if (turn === this.asked) this.setState({ days });
    } catch (failure) {
      if (turn === this.asked) this.setState({ failure: failure as Problem });
    }
  }
}

function nameOf(month: string): string {
  return dateWords(`${month}-01`, { month: "long", year: "numeric" });
}

/** The weeks of a month from Monday to Sunday; null where a day belongs to another month. */
function weeksOf(month: string): (string | null)[][] {
  const first = `${month}-01`;
  const before = placeInWeek(first);
  const cells = Array.from({ length: Math.ceil((before + lengthOf(month)) / 7) * 7 }, (_, index) =>
    index >= before && index < before + lengthOf(month) ? addDays(first, index - before) : null,
  );
  return Array.from({ length: cells.length / 7 }, (_, week) => cells.slice(week * 7, week * 7 + 7));
}
