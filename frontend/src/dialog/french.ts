// What the booking dialog says. French is the reference: what English lacks does not compile.

export const words = {
  project: "Votre projet",
  stepOf: (step: number) => `Étape ${step} sur 3`,
  close: "Fermer",
  back: "Retour",
  next: "Continuer",
  retry: "Réessayer",
  offline: "Vous êtes hors ligne. Vos réponses sont gardées ici.",

  detailsTitle: "Vos coordonnées",
  ideaTitle: "Votre idée",
  name: "Nom complet",
  email: "Adresse e-mail",
  emailHelp: "La confirmation y sera envoyée.",
  phone: "Téléphone",
  phoneHelp: "Seulement pour ce rendez-vous.",
  description: "Décrivez votre idée",
  descriptionHelp: "Motif, style, taille approximative, ce qui compte pour vous.",
  bodyZone: "Zone du corps",
  bodyZoneHelp: "Par exemple : avant-bras gauche.",
  budget: "Budget (facultatif)",
  yourBudget: "Budget",
  budgetHelp: "En euros. Cela aide l’artiste à vous répondre juste.",
  nameWrong: "Indiquez votre nom complet.",
  emailWrong: "Cette adresse semble incomplète : il faut un @ et un domaine, comme nom@exemple.fr.",
  phoneWrong: "Indiquez un numéro où vous joindre, comme 06 12 34 56 78 ou +33 6 12 34 56 78.",
  descriptionWrong: "Décrivez votre idée en une phrase au moins (10 caractères).",
  bodyZoneWrong: "Indiquez où se placera le tatouage.",
  budgetWrong: "Indiquez un montant en euros, comme 250.",

  slotTitle: "Votre créneau",
  day: "Jour",
  earlier: "Sept jours plus tôt",
  later: "Sept jours plus tard",
  slotCount: (n: number) => (n === 0 ? "complet" : n === 1 ? "1 créneau" : `${n} créneaux`),
  full: "complet",
  closed: "fermé",
  freesAt: (day: string, time: string) => `${day} : un créneau retenu se libère à ${time}, s’il n’est pas payé.`,
  slotsOf: (day: string) => `Créneaux du ${day}`,
  slotName: (day: string, time: string) => `${day}, ${time}`,
  morning: "Matin",
  afternoon: "Après-midi",
  evening: "Soir",
  ownSlot: "gardé pour vous",
  studioTime: (clock: string) => `Heures de l’atelier : ${clock}.`,
  yourClock: "En petit, l’heure chez vous.",
  yourTime: (time: string) => `soit ${time} chez vous`,
  noSlots: "Aucun créneau libre sur ces sept jours.",
  nextFree: "Voir le prochain jour disponible",
  nothingFree: (until: string | null) =>
    "Rien de libre" + (until ? " d’ici au " + until : "") + ". Revenez plus tard, ou écrivez à l’artiste.",
  toMonth: "choisir dans un mois",
  chooseSlot: "Choisissez un créneau pour continuer.",
  chosen: (day: string, time: string) => `${day}, ${time}`,
  loading: "Chargement des créneaux…",
  slotsFailed: "Les créneaux n’ont pas pu être chargés.",

  summaryTitle: "Récapitulatif",
  fromTo: (from: string, to: string, duration: string) => `${from} – ${to} (${duration})`,
  with: "Artiste",
  place: "Lieu",
  placeAtHold: "L’adresse exacte s’affiche ici dès que le créneau est retenu.",
  placeLater: "L’adresse exacte vous est donnée quand le rendez-vous est confirmé.",
  price: "Prix",
  priceLater: "fixé avec l’artiste",
  depositNow: "Acompte, à payer maintenant",
  arrhesNow: "Arrhes, à payer maintenant",
  rest: "À payer sur place",
  change: "Modifier",
  changeSlot: "Modifier le créneau",
  details: "Coordonnées",
  refundable: (until: string, late: number, arrhes: boolean) => {
    const rest = arrhes ? "elles restent à l’artiste" : "il reste à l’artiste";
    const share = arrhes ? `elles sont rendues à ${late} %` : `il est rendu à ${late} %`;
    const after = late >= 100 ? "" : ` ; ensuite, ${late > 0 ? share : rest}`;
    return `${arrhes ? "Remboursables" : "Remboursable"} jusqu’au ${until}${after}.`;
  },
  notRefundable: (hours: number, late: number, arrhes: boolean) => {
    const soon = `Ce rendez-vous est dans moins de ${hours > 72 && hours % 24 === 0 ? `${hours / 24} jours` : `${hours} heures`}`;
    if (late > 0) return `${soon} : ${arrhes ? "les arrhes ne sont rendues" : "l’acompte n’est rendu"} qu’à ${late} %.`;
    return `${soon} : ${arrhes ? "les arrhes ne sont plus remboursables" : "l’acompte n’est plus remboursable"}.`;
  },
  holdNote: (minutes: number) =>
    `Dès que vous cliquez, le créneau est à vous pendant ${minutes} minutes, le temps de payer. Sans paiement, il est rendu et rien ne vous est demandé.`,
  heldUntil: (time: string) =>
    `Ce créneau est gardé pour vous jusqu’à ${time}. Reprendre mène au même paiement : vous ne paierez pas deux fois.`,
  pay: (amount: string) => `Payer l’acompte de ${amount}`,
  payArrhes: (amount: string) => `Payer les arrhes de ${amount}`,
  hold: "Retenir le créneau",
  holding: "Un instant…",
  opening: "Ouverture du paiement…",
  addressTold: "Le créneau est retenu. L’adresse est dans le récapitulatif ; il reste à payer.",
  secure: "Paiement par carte chez Stripe. Nous ne voyons pas votre carte.",

  slotTaken: "Ce créneau vient d’être pris. Voici ceux qui restent : rien de ce que vous avez saisi n’est perdu.",
  tooFarAhead:
    "L’agenda n’est pas encore ouvert pour cette date. Choisissez-en une plus proche : rien de ce que vous avez saisi n’est perdu.",
  opensSoon: "Cet artiste ne prend pas de réservation en ligne pour le moment : elles ouvrent bientôt.",
  flashTaken: "Ce flash vient d’être retenu par quelqu’un d’autre. S’il n’est pas payé, il reviendra.",
  heldNote:
    "Quelqu’un paie ce flash en ce moment. Si c’est vous, donnez les mêmes coordonnées : vous retrouverez votre réservation.",
  flashGone: "Ce flash n’est plus proposé.",
  invalid: "Quelques champs sont à revoir.",
  tooManyHolds: "Trop de créneaux attendent déjà leur paiement. Payez-en un, ou réessayez dans quelques minutes.",
  flashRests: "Vous avez retenu ce flash plusieurs fois sans le payer : il est d’abord aux autres.",
  tooManyRequests: "Beaucoup de demandes de réservation viennent de cette connexion.",
  inProgress: "Votre demande est déjà en cours. Réessayez dans quelques secondes : vous ne paierez pas deux fois.",
  calendarDown: "L’agenda de l’artiste ne répond pas, et sans lui aucun créneau ne peut être promis.",
  paymentDown:
    "La page de paiement ne s’ouvre pas. Votre créneau est gardé : réessayez, vous retrouverez la même réservation.",
  noAnswer: "Pas de réponse du réseau. Vos réponses sont gardées : réessayez, vous ne paierez pas deux fois.",
  failed: "Quelque chose a échoué de notre côté. Réessayez dans un instant ; rien n’a été payé.",
  tryIn: (seconds: number) => {
    if (seconds < 90) return `Réessayez dans ${seconds} secondes.`;
    return `Réessayez dans ${Math.ceil(seconds / 60)} minutes.`;
  },
};

/** The shape of every other language. */
export type Words = typeof words;
