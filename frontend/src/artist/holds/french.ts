// What is said of a slot that waits for its payment. French is the reference: what English
// lacks does not compile.

export const words = {
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

/** The shape of every other language. */
export type Words = typeof words;
