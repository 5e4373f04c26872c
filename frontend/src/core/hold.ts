// The slot that this tab holds unpaid: which one, so that its owner finds it again; what it is worth, the API says.

import type { Flash } from "./api";
import { recall, remember } from "./memory";

export interface OwnHold {
  id: string;
  artist: string;
  /** The flash's id, or null for a project. */
  flash: string | null;
  start: string;
  end: string;
}

export function keepHold(hold: OwnHold | null): void {
  remember("hold", hold);
}

export function ownHold(artist: string): OwnHold | null {
  const hold = recall<OwnHold>("hold");
  return hold?.artist === artist ? hold : null;
}

/** True if this tab is the one that holds the flash. */
export function holds(hold: OwnHold | null, flash: Flash | null): boolean {
  return hold !== null && hold.flash === (flash?.id ?? null);
}
