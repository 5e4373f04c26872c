// The slots that this browser holds unpaid, so that their owner finds them again in every tab, also when the one of
// before is gone. What they are worth, the API says.

import type { Slot } from "./api";
import { recall, remember } from "./memory";

export interface OwnHold extends Slot {
  id: string;
  artist: string;
  /** The flash's id, or null for a project. */
  flash: string | null;
  /** When it ends. */
  until: string;
}

/** A hold ends by the server's clock; this only forgets what ended long ago, whatever this clock says. */
const GRACE = 3_600_000;

function all(): OwnHold[] {
  const kept = recall<OwnHold[]>("holds", "localStorage");
  return Array.isArray(kept) ? kept.filter(({ until }) => Date.parse(until) + GRACE > Date.now()) : [];
}

function keep(holds: OwnHold[]): void {
  remember("holds", holds.length > 0 ? holds : null, "localStorage");
}

export function keepHold(hold: OwnHold): void {
  keep([hold, ...all().filter(({ id }) => id !== hold.id)]);
}

export function forgetHold(booking: string): void {
  keep(all().filter(({ id }) => id !== booking));
}

/** What is held of an artist, the newest first. What ended long ago leaves the browser now, whoever's it was. */
export function ownHolds(slug: string): OwnHold[] {
  const holds = all();
  keep(holds);
  return holds.filter(({ artist }) => artist === slug);
}
