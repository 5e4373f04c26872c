// What the artist's page says. French is the reference: what English lacks does not compile.

export const words = {
  reserve: "Réserver",
  reserveFlash: (title: string, price: string) => `Réserver ${title}, ${price}`,
  proposeProject: "Proposer un projet",
  opensSoon: "Les réservations ouvrent bientôt.",
  seeFlashes: "Voir les flashs",
  flashesTitle: "Flashs",
  flashesNote: "À réserver tels quels, au prix affiché.",
  depositOf: (amount: string) => `acompte ${amount}`,
  arrhesOf: (amount: string) => `arrhes ${amount}`,
  unique: "Pièce unique",
  repeatable: "Peut être tatoué plusieurs fois",
  nextSlot: (day: string, time: string) => `Prochain créneau : ${day}, ${time}`,
  held: "Retenu",
  heldHelp: "Quelqu’un paie l’acompte en ce moment. S’il y renonce, ce flash revient.",
  heldByYou: "C’est vous qui le retenez.",
  resumeShort: "Reprendre",
  resumeFlash: (title: string) => `Reprendre le paiement de ${title}`,
  isItYou: "C’est vous ?",
  isItYouFlash: (title: string) => `C’est vous ? Retrouver votre réservation de ${title}`,
  sold: "Réservé",
  soldHelp: "Cette pièce unique a trouvé sa peau.",
  ideaTitle: "Une idée à vous ?",
  ideaText: (duration: string, deposit: string) =>
    `Décrivez-la : un rendez-vous de ${duration} pour la dessiner ensemble, retenu par ${deposit} d’acompte.`,
  ideaArrhesText: (duration: string, deposit: string) =>
    `Décrivez-la : un rendez-vous de ${duration} pour la dessiner ensemble, retenu par ${deposit} d’arrhes.`,
  describeIdea: "Décrire mon idée",
  rulesTitle: "Avant de réserver",
  depositTitle: "L’acompte",
  depositText:
    "Il retient votre créneau et se déduit du prix. Vous le payez en ligne, par carte ; le reste se règle à l’atelier, le jour même.",
  arrhesTitle: "Les arrhes",
  arrhesText:
    "Elles retiennent votre créneau et se déduisent du prix. Vous les payez en ligne, par carte ; le reste se règle à l’atelier, le jour même.",
  cancelTitle: "Si vous annulez",
  studioTitle: "L’atelier",
  studioAt: (address: string) => `${address}, sur rendez-vous. `,
  studioText: (city: string, atHold: boolean) => {
    const where = city ? "À " + city + ", sur rendez-vous. " : "Sur rendez-vous. ";
    if (atHold)
      return where + "L’adresse exacte s’affiche dès que votre créneau est retenu, avant le paiement, puis par e-mail.";
    return where + "L’adresse exacte vous est donnée quand le rendez-vous est confirmé, puis par e-mail.";
  },
  onMap: "Voir sur la carte",
  notFoundTitle: "Cet artiste n’a pas de page ici",
  notFoundText: "L’adresse est peut-être incomplète, ou la page a été fermée.",
  failedTitle: "La page ne répond pas",
  failedText: "Vérifiez votre connexion, puis réessayez.",
  retry: "Réessayer",
  toHome: "Retour à l’accueil",
  opening: "Un instant, la réservation s’ouvre…",
  dialogFailed: "La réservation n’a pas pu s’ouvrir. Vérifiez votre connexion, puis réessayez.",
  close: "Fermer",
};

/** The shape of every other language. */
export type Words = typeof words;
