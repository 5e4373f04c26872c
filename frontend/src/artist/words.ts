// The words of the artist's page in its language. French is at hand; English is fetched by those who read it.

import { language } from "../core/language";
import { type Words, words } from "./french";

export let t: Words = words;

/** Changes to the language of the page. */
export async function speak(): Promise<void> {
  if (language === "en") ({ words: t } = await import("./english"));
}
