// What the month says. French is the reference: what English lacks does not compile.

export const words = {
  months: "Mois",
  noneIn: (month: string) => `Rien de libre en ${month}.`,
  notOpen: "pas encore ouvert",
  openUntil: (day: string) => `Agenda ouvert jusqu’au ${day}.`,
  close: "Revenir aux sept jours",
};

/** The shape of every other language. */
export type Words = typeof words;
