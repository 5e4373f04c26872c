// The dialog's words in the language of the page; only that language is fetched.

import { language } from "../core/language";
import type { Words } from "./french";

export let t!: Words;

/** Must be awaited before the dialog is shown. */
export async function speak(): Promise<void> {
  ({ words: t } = await (language === "fr" ? import("./french") : import("./english")));
}
