// What is said of a slot that waits for its payment. French is the reference: what English lacks does not compile.

import { language } from "../core/language";

const fr = {
  yourSlot: "Votre créneau",
  holdText: (title: string, day: string, time: string) => `${title}, ${day} à ${time}`,
  kept: "Gardé",
  until: (time: string) => `jusqu’à ${time}`,
  holdEndsSoon: (minutes: number) =>
    minutes > 1 ? `Il reste ${minutes} minutes pour payer l’acompte.` : "Il reste une minute pour payer l’acompte.",
  pay: "Payer",
  resume: "Payer l’acompte",
  release: "Libérer le créneau",
  releaseShort: "Libérer",
  released: "Le créneau est libéré.",
  releaseFailed: "Le créneau n’a pas pu être libéré. Il se libère de lui-même s’il n’est pas payé.",
  holdLapsed: "Le délai de paiement est passé, le créneau est rendu. Vos réponses sont gardées.",
};

const en: typeof fr = {
  yourSlot: "Your slot",
  holdText: (title, day, time) => `${title}, ${day} at ${time}`,
  kept: "Held",
  until: (time) => `until ${time}`,
  holdEndsSoon: (minutes) => (minutes > 1 ? `${minutes} minutes left to pay the deposit.` : "One minute left to pay the deposit."),
  pay: "Pay",
  resume: "Pay the deposit",
  release: "Release the slot",
  releaseShort: "Release",
  released: "The slot has been released.",
  releaseFailed: "The slot could not be released. It is released by itself if it is not paid.",
  holdLapsed: "The time to pay is over and the slot has been released. Your answers are kept.",
};

export const t = language === "fr" ? fr : en;
