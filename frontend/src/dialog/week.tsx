// Seven days at a glance, and the hours of one of them. Native radios, so that every keyboard knows them.

import type { VNode } from "preact";
import type { Artist, Day, Slot } from "../core/api";
import { clock, dateWords, longDay } from "../core/format";
import { DAYS } from "../core/weeks";
import { clockHere, hourOf, isSame } from "./clocks";
import { t } from "./words";

interface DaysProps {
  days: readonly Day[];
  open: string | null;
  choose: (date: string) => void;
}

export function Days({ days, open, choose }: DaysProps): VNode {
  return (
    <>
      <fieldset class="days">
        <legend class="only-heard">{t.day}</legend>
        {days.map(({ date, slots, full }) => {
          const id = `day-${date}`;
          const state = full ? t.full : t.closed;
          return (
            <div class="tile" key={date}>
              <input
                type="radio"
                name="day"
                id={id}
                checked={date === open}
                disabled={slots.length === 0}
                aria-label={`${longDay(date)}, ${slots.length > 0 ? t.slotCount(slots.length) : state}`}
                onChange={() => choose(date)}
              />
              <label for={id}>
                <span>{dateWords(date, { weekday: "short" })}</span>
                <strong>{dateWords(date, { day: "numeric" })}</strong>
                <small>{slots.length > 0 ? <i class="free" /> : state}</small>
              </label>
            </div>
          );
        })}
      </fieldset>
      {days.map(
        ({ date, frees_at: at }) =>
          at && (
            <p class="help" key={date}>
              {t.freesAt(capital(longDay(date)), clock(at))}
            </p>
          ),
      )}
    </>
  );
}

interface HoursProps {
  artist: Artist;
  day: Day;
  /** The slot that is chosen. */
  slot: Slot | null;
  /** The slot that this client already holds. */
  own: Slot | null;
  choose: (slot: Slot) => void;
}

export function Hours(props: HoursProps): VNode {
  const { date, slots } = props.day;
  const parts: [string, (hour: number) => boolean][] = [
    [t.morning, (hour) => hour < 12],
    [t.afternoon, (hour) => hour >= 12 && hour < 18],
    [t.evening, (hour) => hour >= 18],
  ];
  return (
    <fieldset class="hours">
      <legend>{t.slotsOf(longDay(date))}</legend>
      {parts.map(([name, within]) => {
        const those = slots.filter(({ start }) => within(hourOf(start)));
        if (those.length === 0) return null;
        return (
          <div class="part" key={name}>
            <p>{name}</p>
            <div class="times">{those.map((slot) => tile(slot, props))}</div>
          </div>
        );
      })}
    </fieldset>
  );
}

function tile(slot: Slot, { artist, day, slot: chosen, own, choose }: HoursProps): VNode {
  const id = `slot-${Date.parse(slot.start)}`;
  const time = clock(slot.start, slot.start_turn);
  const here = elsewhere(slot, artist);
  const mine = isSame(slot.start, own?.start);
  return (
    <div class="tile" key={id}>
      <input
        type="radio"
        name="slot"
        id={id}
        checked={isSame(slot.start, chosen?.start)}
        aria-label={[t.slotName(longDay(day.date), time), here && t.yourTime(here), mine && t.ownSlot]
          .filter(Boolean)
          .join(", ")}
        onChange={() => choose(slot)}
      />
      <label for={id}>
        <strong>{time}</strong>
        {here && <small>{here}</small>}
        {mine && <small>{t.ownSlot}</small>}
      </label>
    </div>
  );
}

/** The slot on the visitor's own clock, for one who lives on another. */
export function elsewhere({ start }: Slot, artist: Artist): string {
  // On the studio's own clock a browser with old tables would only contradict it.
  if (Intl.DateTimeFormat().resolvedOptions().timeZone === artist.timezone) return "";
  const here = clockHere(start);
  return here === clock(start) ? "" : here;
}

export function Skeleton(): VNode {
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

function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
