// The English of `french.ts`.

import type { Words } from "./french";

export const words: Words = {
  flashYours: (day, time, until) =>
    `You already hold this flash: ${day}, ${time}, kept for you until ${until}. Pay for that slot, or swap it for this one.`,
  resume: "Resume payment",
  swap: "Swap the slot",
};
