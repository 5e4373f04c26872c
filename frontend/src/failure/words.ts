// What is said in place of what could not be drawn: short enough to come in both languages.

import { language } from "../core/language";
import { words as english } from "./english";
import { words as french } from "./french";

export const t = language === "fr" ? french : english;
