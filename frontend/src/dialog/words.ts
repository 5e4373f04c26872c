// The dialog's words in the language of the page; only that language is fetched.

import { language } from "../core/language";
import type { words } from "./french";

export type DialogWords = typeof words;

export let t!: DialogWords;

/** Must be awaited before the dialog is shown. */
export async function speak(): Promise<void> {
  ({ words: t } = await (language === "fr" ? import("./french") : import("./english")));
}
