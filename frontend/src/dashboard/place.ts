// Which view the address asks for. It lives behind the #, so that a reload, Back and a bookmark find it again.

import type { Query } from "./api";
import type { View } from "./types";

export const SECTIONS = ["profile", "hours", "time-off", "flashes", "rules", "policy", "calendar", "account"] as const;
export type Section = (typeof SECTIONS)[number];

export type Place =
  | { view: "overview" }
  | { view: "start" }
  | ({ view: "bookings" } & { query: Query })
  | { view: "booking"; id: string }
  | { view: "settings"; section: Section | null };

export const VIEWS: readonly View[] = ["all", "todo", "upcoming", "past", "cancelled"];

export function placeInAddress(): Place {
  const [path = "", search = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [first, second] = path.split("/");
  switch (first) {
    case "start":
      return { view: "start" };
    case "bookings": {
      if (second) return { view: "booking", id: decodeURIComponent(second) };
      const asked = new URLSearchParams(search);
      const view = VIEWS.find((each) => each === asked.get("view")) ?? "all";
      return { view: "bookings", query: { view, q: asked.get("q") ?? "" } };
    }
    case "settings":
      return { view: "settings", section: SECTIONS.find((each) => each === second) ?? null };
    default:
      return { view: "overview" };
  }
}

export function bookingsAddress({ view, q }: Query): string {
  const search = new URLSearchParams({ ...(view !== "all" && { view }), ...(q && { q }) }).toString();
  return `#/bookings${search && `?${search}`}`;
}

export function bookingAddress(id: string): string {
  return `#/bookings/${encodeURIComponent(id)}`;
}

export function settingsAddress(section: Section | null): string {
  return section ? `#/settings/${section}` : "#/settings";
}
