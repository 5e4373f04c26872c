// The first page: who can be booked here. Alone, without the script of the other pages: it draws a list once.

import type { components } from "../api-types";

type Card = components["schemas"]["ArtistCard"];

const list = document.querySelector<HTMLElement>(".artists");
const note = document.getElementById("no-artists");
const language = document.documentElement.lang;

function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  set: Partial<HTMLElementTagNameMap[K]>,
): HTMLElementTagNameMap[K] {
  return Object.assign(document.createElement(name), set);
}

function card({ slug, display_name, city, bio, locale, image }: Card): HTMLLIElement {
  const link = element("a", { href: `/artist/${encodeURIComponent(slug)}?lang=${language}` });
  if (image) link.append(element("img", { src: image, alt: "", width: 800, height: 800 }));
  // The artist's words keep the artist's language.
  const own = locale === language ? {} : { lang: locale };
  link.append(
    element("span", { className: "city", textContent: city }),
    element("strong", { textContent: display_name }),
    element("span", { className: "about", textContent: bio, ...own }),
    element("span", { className: "more", textContent: list?.dataset["more"] ?? "" }),
  );
  const item = element("li", {});
  item.append(link);
  return item;
}

async function draw(): Promise<void> {
  if (!list || !note) return;
  try {
    const answer = await fetch("/api/artists");
    if (!answer.ok) throw new Error(String(answer.status));
    const { artists } = (await answer.json()) as { artists: Card[] };
    list.append(...artists.map(card));
    note.textContent = artists.length > 0 ? "" : (note.dataset["none"] ?? "");
  } catch {
    note.textContent = note.dataset["failed"] ?? "";
  }
  list.removeAttribute("aria-busy");
}

void draw();
