// The English of `french.ts`, fetched by those who read it.

import type { Words } from "./french";

export const words: Words = {
  reserve: "Book",
  reserveFlash: (title, price) => `Book ${title}, ${price}`,
  proposeProject: "Suggest a project",
  opensSoon: "Bookings open soon.",
  seeFlashes: "See the flashes",
  flashesTitle: "Flashes",
  flashesNote: "To be booked as they are, at the price shown.",
  depositOf: (amount) => `deposit ${amount}`,
  arrhesOf: (amount) => `deposit ${amount}`,
  unique: "One of a kind",
  repeatable: "May be tattooed more than once",
  nextSlot: (day, time) => `Next slot: ${day}, ${time}`,
  held: "On hold",
  heldHelp: "Somebody is paying the deposit right now. If they do not, this flash comes back.",
  heldByYou: "You are the one who holds it.",
  resumeShort: "Resume",
  resumeFlash: (title) => `Resume the payment of ${title}`,
  isItYou: "Is it you?",
  isItYouFlash: (title) => `Is it you? Find your booking of ${title}`,
  sold: "Booked",
  soldHelp: "This one of a kind has found its skin.",
  ideaTitle: "An idea of your own?",
  ideaText: (duration, deposit) =>
    `Describe it: an appointment of ${duration} to draw it together, held by a deposit of ${deposit}.`,
  ideaArrhesText: (duration, deposit) =>
    `Describe it: an appointment of ${duration} to draw it together, held by a deposit of ${deposit}.`,
  describeIdea: "Describe my idea",
  rulesTitle: "Before you book",
  depositTitle: "The deposit",
  depositText:
    "It holds your slot and counts towards the price. You pay it online by card; the rest is paid at the studio on the day.",
  arrhesTitle: "The deposit",
  arrhesText:
    "It holds your slot and counts towards the price. You pay it online by card; the rest is paid at the studio on the day.",
  cancelTitle: "If you cancel",
  studioTitle: "The studio",
  studioAt: (address) => `${address}, by appointment. `,
  studioText: (city, atHold) => {
    const where = city ? "In " + city + ", by appointment. " : "By appointment. ";
    if (atHold) return where + "The exact address is shown as soon as your slot is held, before you pay, and by email.";
    return where + "You get the exact address once the appointment is confirmed, and by email.";
  },
  onMap: "See it on a map",
  notFoundTitle: "This artist has no page here",
  notFoundText: "The address may be incomplete, or the page has been closed.",
  failedTitle: "The page does not answer",
  failedText: "Check your connection, then try again.",
  retry: "Try again",
  toHome: "Back to the home page",
  opening: "One moment, the booking opens…",
  dialogFailed: "The booking could not be opened. Check your connection, then try again.",
  close: "Close",
};
