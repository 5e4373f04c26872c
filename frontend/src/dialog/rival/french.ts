// What is said to a client who holds this flash at another time. French is the reference: what English
// lacks does not compile.

export const words = {
  flashYours: (day: string, time: string, until: string) =>
    `Vous retenez déjà ce flash : ${day}, ${time}, gardé pour vous jusqu’à ${until}. Payez ce créneau, ou échangez-le contre celui-ci.`,
  resume: "Reprendre le paiement",
  swap: "Échanger le créneau",
};

/** The shape of every other language. */
export type Words = typeof words;
