// Which of the two languages this page speaks, decided once.

import { recall, remember } from "./memory";

export type Language = "fr" | "en";

function known(tag: string | null | undefined): Language | null {
  const short = tag?.slice(0, 2).toLowerCase();
  return short === "fr" || short === "en" ? short : null;
}

function chosen(): Language {
  const root = document.documentElement;
  // What the server wrote is already on the screen: speaking another language now would be a flicker.
  if (document.getElementById("data")) return known(root.lang) ?? "fr";
  return (
    known(new URLSearchParams(location.search).get("lang")) ??
    known(recall<string>("lang")) ??
    navigator.languages.map(known).find((language) => language !== null) ??
    "fr"
  );
}

export const language = chosen();

/** The `lang` of words in another language than the page's: what an artist wrote stays in hers. */
export function foreign(theirs: Language): Language | undefined {
  return theirs === language ? undefined : theirs;
}

/** Marks the document, and points the link to the other language at this very page. */
export function markLanguage(): void {
  document.documentElement.lang = language;
  remember("lang", language);
  const address = new URL(location.href);
  const asked = known(address.searchParams.get("lang"));
  const wanted = asked ?? recall<Language>("asked-lang");
  remember("asked-lang", wanted);
  if (wanted && wanted !== language) {
    // The server did not know what was asked for in this tab before.
    address.searchParams.set("lang", wanted);
    return location.replace(address);
  }
  const other = language === "fr" ? "en" : "fr";
  const link = document.querySelector<HTMLAnchorElement>("a.language");
  if (!link) return;
  address.searchParams.set("lang", other);
  link.href = address.href;
  link.lang = link.hreflang = other;
  link.textContent = other === "fr" ? "Français" : "English";
}
