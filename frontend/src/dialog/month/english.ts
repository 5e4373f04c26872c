// The English of `french.ts`.

import type { Words } from "./french";

export const words: Words = {
  months: "Months",
  noneIn: (month) => `Nothing is free in ${month}.`,
  notOpen: "not open yet",
  openUntil: (day) => `Books are open until ${day}.`,
  close: "Back to the seven days",
};
