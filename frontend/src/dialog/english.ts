// The English of `french.ts`.

import type { Words } from "./french";

export const words: Words = {
  project: "Your project",
  stepOf: (step) => `Step ${step} of 3`,
  close: "Close",
  back: "Back",
  next: "Continue",
  retry: "Try again",
  offline: "You are offline. Your answers are kept here.",

  detailsTitle: "Your details",
  ideaTitle: "Your idea",
  name: "Full name",
  email: "Email address",
  emailHelp: "The confirmation is sent there.",
  phone: "Phone",
  phoneHelp: "Only for this appointment.",
  description: "Describe your idea",
  descriptionHelp: "Subject, style, rough size, what matters to you.",
  bodyZone: "Body area",
  bodyZoneHelp: "For example: left forearm.",
  budget: "Budget (optional)",
  yourBudget: "Budget",
  budgetHelp: "In euros. It helps the artist to answer well.",
  nameWrong: "Enter your full name.",
  emailWrong: "This address looks incomplete: it needs an @ and a domain, like name@example.com.",
  phoneWrong: "Enter a number where you can be reached, with its country code, like +33 6 12 34 56 78.",
  descriptionWrong: "Describe your idea in at least one sentence (10 characters).",
  bodyZoneWrong: "Say where the tattoo goes.",
  budgetWrong: "Enter an amount in euros, such as 250.",

  slotTitle: "Your slot",
  day: "Day",
  earlier: "Seven days earlier",
  later: "Seven days later",
  slotCount: (n) => (n === 0 ? "full" : n === 1 ? "1 slot" : `${n} slots`),
  full: "full",
  closed: "closed",
  freesAt: (day, time) => `${day}: a slot on hold is free again at ${time}, if it is not paid.`,
  slotsOf: (day) => `Slots on ${day}`,
  slotName: (day, time) => `${day}, ${time}`,
  morning: "Morning",
  afternoon: "Afternoon",
  evening: "Evening",
  ownSlot: "held for you",
  studioTime: (clock) => `Studio hours: ${clock}.`,
  yourClock: "In small, the time where you are.",
  yourTime: (time) => `${time} where you are`,
  noSlots: "No free slot in these seven days.",
  nextFree: "Show the next available day",
  nothingFree: (until) => `Nothing is free${until ? ` until ${until}` : ""}. Come back later, or write to the artist.`,
  toMonth: "choose in a month",
  chooseSlot: "Choose a slot to continue.",
  chosen: (day, time) => `${day}, ${time}`,
  loading: "Loading the slots…",
  slotsFailed: "The slots could not be loaded.",

  summaryTitle: "Summary",
  fromTo: (from, to, duration) => `${from} – ${to} (${duration})`,
  with: "Artist",
  place: "Place",
  placeAtHold: "The exact address is shown here as soon as the slot is held.",
  placeLater: "You get the exact address once the appointment is confirmed.",
  price: "Price",
  priceLater: "agreed with the artist",
  depositNow: "Deposit, to pay now",
  arrhesNow: "Deposit, to pay now",
  rest: "To pay on site",
  change: "Change",
  changeSlot: "Change the slot",
  details: "Your details",
  refundable: (until, late) => {
    const after =
      late >= 100 ? "" : late > 0 ? `; after that, ${late}% of it is returned` : "; after that, the artist keeps it";
    return `The deposit is refundable until ${until}${after}.`;
  },
  notRefundable: (hours, late) => {
    const soon = `This appointment is less than ${hours > 72 && hours % 24 === 0 ? `${hours / 24} days` : `${hours} hours`} away`;
    return late > 0
      ? `${soon}: ${late}% of the deposit is refundable.`
      : `${soon}: the deposit is no longer refundable.`;
  },
  holdNote: (minutes) =>
    `As soon as you click, the slot is yours for ${minutes} minutes, time enough to pay. Without payment it is released and you owe nothing.`,
  heldUntil: (time) =>
    `This slot is held for you until ${time}. Resuming leads to the same payment: you will not pay twice.`,
  pay: (amount) => `Pay the ${amount} deposit`,
  payArrhes: (amount) => `Pay the ${amount} deposit`,
  hold: "Hold the slot",
  holding: "One moment…",
  opening: "Opening the payment page…",
  addressTold: "The slot is held. The address is in the summary; it remains to pay.",
  secure: "You pay by card with Stripe. We never see your card.",

  slotTaken: "This slot has just been taken. Here are those that are left: nothing you typed is lost.",
  tooFarAhead: "The books are not open for this date yet. Choose an earlier one: nothing you have typed is lost.",
  opensSoon: "This artist takes no bookings online at the moment: they open soon.",
  flashTaken: "Somebody else has just taken this flash. If they do not pay, it comes back.",
  heldNote:
    "Somebody is paying the deposit of this flash right now. If it is you, in another browser: give the same details, and you will find your booking.",
  flashGone: "This flash is no longer offered.",
  invalid: "Some fields need your attention.",
  tooManyHolds: "Too many slots are waiting for their payment. Pay one of them, or try again in a few minutes.",
  flashRests: "You have held this flash several times without paying: others come first for a while.",
  tooManyRequests: "Many booking requests come from this connection.",
  inProgress: "Your request is already under way. Try again in a few seconds: you will not pay twice.",
  calendarDown: "The artist’s calendar does not answer, and no slot can be promised without it.",
  paymentDown: "The payment page does not open. Your slot is held: try again and you will get the same booking.",
  noAnswer: "The network does not answer. Your answers are kept: try again, you will not pay twice.",
  failed: "Something went wrong on our side. Try again in a moment; nothing has been paid.",
  tryIn: (seconds) => {
    if (seconds < 90) return `Try again in ${seconds} seconds.`;
    if (seconds < 7200) return `Try again in ${Math.ceil(seconds / 60)} minutes.`;
    return `Try again in ${Math.ceil(seconds / 3600)} hours.`;
  },
};
