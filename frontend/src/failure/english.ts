// The English of `french.ts`.

import type { Words } from "./french";

export const words: Words = {
  artist: {
    title: "This page cannot be shown",
    text: "The fault is ours, and we have been told of it. Reload the page; if it happens again, write to the artist or come back later.",
  },
  dialog: {
    title: "This step cannot be shown",
    text: "The fault is ours, and we have been told of it. Nothing has been charged, and what you wrote is kept. Reload the page; if it happens again, write to the artist.",
  },
  booking: {
    title: "This page cannot be shown",
    text: "The fault is ours, and we have been told of it. Your appointment and your payment are not affected. Reload the page; if it happens again, the confirmation email says the same.",
  },
  dashboard: {
    title: "This view cannot be shown",
    text: "The fault is ours, and we have been told of it. Your appointments and settings are not affected, and what you were writing is kept. Reload the page; if it happens again, come back in a few minutes.",
  },
  reload: "Reload the page",
  close: "Close",
};
