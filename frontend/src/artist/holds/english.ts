// The English of `french.ts`.

import type { Words } from "./french";

export const words: Words = {
  yourSlot: "Your slot",
  holdText: (title, day, time) => `${title}, ${day} at ${time}`,
  kept: "Held",
  until: (time) => `until ${time}`,
  holdEndsSoon: (minutes) =>
    minutes > 1 ? `${minutes} minutes left to pay the deposit.` : "One minute left to pay the deposit.",
  pay: "Pay",
  resume: "Pay the deposit",
  release: "Release the slot",
  releaseShort: "Release",
  released: "The slot has been released.",
  releaseFailed: "The slot could not be released. It is released by itself if it is not paid.",
  holdLapsed: "The time to pay is over and the slot has been released. Your answers are kept.",
};
