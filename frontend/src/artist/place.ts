// Where in the booking dialog the address says we are. Each step is one entry of the browser's history.

import type { Step } from "../dialog/step";

export interface Place {
  /** The flash's id, or null for a project. */
  flash: string | null;
  step: Step;
}

const STEPS = ["coordonnees", "creneau", "recapitulatif"];

/** The dialog that the address asks for, if any. */
export function placeInAddress(): Place | null {
  const query = new URLSearchParams(location.search);
  const flash = query.get("flash");
  if (flash === null && !query.has("projet")) return null;
  const step = STEPS.indexOf(query.get("etape") ?? "") + 1;
  return { flash, step: step === 2 || step === 3 ? step : 1 };
}

/** This page's address with the dialog at a place, or without it. */
export function addressOf(place: Place | null): string {
  const url = new URL(location.href);
  for (const name of ["flash", "projet", "etape"]) url.searchParams.delete(name);
  if (place) {
    if (place.flash === null) url.searchParams.set("projet", "1");
    else url.searchParams.set("flash", place.flash);
    const step = STEPS[place.step - 1];
    if (step && place.step > 1) url.searchParams.set("etape", step);
  }
  return url.href;
}

/** How many entries of the history are ours, up to this one. */
export function depth(): number {
  const state: unknown = history.state;
  return typeof state === "object" && state !== null && "depth" in state && typeof state.depth === "number"
    ? state.depth
    : 0;
}
