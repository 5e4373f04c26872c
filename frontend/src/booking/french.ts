// What the pages after the payment say. French is the reference: what English lacks does not compile.

export const words = {
  yourBooking: "Votre réservation",
  loading: "Chargement…",
  paidTitle: "C’est confirmé",
  paidText: (deposit: string) =>
    `L’acompte de ${deposit} est reçu. Un e-mail de confirmation part à votre adresse, avec le rendez-vous pour votre agenda.`,
  confirmedTitle: "Rendez-vous confirmé",
  confirmedText: "L’artiste a confirmé votre rendez-vous.",
  doneTitle: "Rendez-vous passé",
  doneText: "Merci de votre visite.",
  checkingTitle: "Paiement en cours de vérification",
  checkingText: "Cela prend quelques secondes. Cette page se met à jour toute seule.",
  checkingLong:
    "C’est plus long que d’habitude. Vous pouvez fermer cette page : nous vous écrirons dès que c’est vérifié.",
  notPaid: "Stripe n’a reçu aucun paiement pour cette réservation.",
  toPayment: "Je n’ai pas terminé le paiement",
  overdueTitle: "Le délai de paiement est passé",
  overdueText:
    "Si vous avez payé, nous le vérifions auprès de la banque et cette page se mettra à jour. Sinon, le créneau est rendu.",
  lapsedTitle: "Le créneau a été rendu",
  lapsedText:
    "Aucun paiement n’est arrivé à temps. S’il en arrivait encore un, il vous serait rendu. Vous pouvez choisir un autre créneau.",
  failedTitle: "Le paiement n’a pas abouti",
  lateTitle: "Paiement arrivé trop tard",
  lateText: "Le créneau n’était plus libre.",
  cancelledTitle: "Rendez-vous annulé",
  givenBackTitle: "Créneau libéré",
  givenBackText: "Vous avez rendu ce créneau. Rien n’a été payé, rien ne vous est demandé.",
  cancelledByClient: "Vous avez annulé ce rendez-vous.",
  cancelledByArtist: "L’artiste a annulé ce rendez-vous.",
  cancelledByCalendar: "Le rendez-vous a été annulé dans l’agenda de l’artiste.",
  refundComing: (amount: string) =>
    `Le remboursement de ${amount} est en route vers la carte qui a payé, sous 5 à 10 jours selon votre banque.`,
  refunded: (amount: string) =>
    `${amount} vous ont été rendus sur la carte qui a payé : selon votre banque, la somme y apparaît sous 5 à 10 jours.`,
  refundedAll: "Votre paiement vous a été rendu sur la carte qui a payé.",
  refundOwed:
    "Un remboursement vous est dû et n’est pas encore parti. L’artiste s’en occupe ; pour le joindre, répondez à l’un de nos e-mails.",
  byBank: (amount: string) => `Votre banque vous a rendu ${amount}.`,
  byBankAll: "Votre banque vous a rendu ce paiement.",
  notRefunded: "L’acompte reste à l’artiste, comme prévu par ses conditions.",
  keptPart: (amount: string) => `${amount} restent à l’artiste, comme prévu par ses conditions.`,
  stillStands: "Le rendez-vous est maintenu.",
  disputedTitle: "Paiement contesté",
  disputedText: "Votre banque examine ce paiement. L’artiste en est averti.",
  disputedCancelled:
    "Votre banque examine le paiement et décide d’abord. Si elle ne vous le rend pas elle-même, ce qui vous revient selon les conditions de l’artiste vous est rendu ensuite.",
  otherwiseTitle: "Paiement reçu, l’artiste décide",
  otherwiseText: (came: string, asked: string) =>
    `${came} sont arrivés, alors que ${asked} étaient demandés. Votre créneau reste gardé.`,
  otherwiseNext: (artist: string) =>
    `${artist} accepte ce paiement ou vous le rend, et vous l’apprenez par e-mail. Vous n’avez rien à payer d’ici là. Une question : son adresse est ci-dessous.`,
  backTitle: "Paiement rendu",
  stoppedTitle: "Paiement interrompu",
  stoppedText: (time: string) =>
    `Rien n’a été débité pour l’instant. Votre créneau est gardé jusqu’à ${time} : vous pouvez reprendre où vous en étiez.`,
  unknownTitle: "Réservation introuvable",
  unknownText: "Ce lien ne correspond à aucune réservation. Vérifiez l’adresse, ou le lien reçu par e-mail.",
  unreadText: "L’état de la réservation n’a pas pu être lu. S’il y a eu un paiement, il n’est pas perdu.",
  retry: "Réessayer",
  toHome: "Retour à l’accueil",
  project: "Projet",
  with: "Artiste",
  place: "Lieu",
  onMap: "Voir sur la carte",
  paid: "Acompte payé",
  left: "Acompte restant",
  toPay: "Acompte à payer",
  asked: "Acompte demandé",
  came: "Reçu",
  returned: "Rendu",
  onItsWay: "En route vers vous",
  fromBank: "Rendu par votre banque",
  rest: "À payer sur place",
  fromTo: (from: string, to: string, clock: string) => `${from} – ${to}, ${clock}`,
  addToCalendar: "Ajouter à mon agenda",
  inGoogle: "Google Agenda",
  inOutlook: "Outlook",
  write: "Écrire à l’artiste",
  custom: "Sur mesure",
  openCalendar: "Voir sur Cal.com",
  backToArtist: (name: string) => `Retour chez ${name}`,
  otherSlot: "Choisir un autre créneau",
  resume: "Reprendre le paiement",
  release: "Libérer le créneau",
  releasing: "Un instant…",
  releaseFailed: "Le créneau n’a pas pu être libéré. Il se libère de lui-même s’il n’est pas payé.",
  holdEndsSoon: (minutes: number) =>
    minutes > 1 ? `Il reste ${minutes} minutes pour payer l’acompte.` : "Il reste une minute pour payer l’acompte.",
  nextTitle: "Et maintenant",
  nextMail: "Gardez l’e-mail de confirmation : il contient l’adresse et le fichier pour votre agenda.",
  nextBefore: "La veille, pas d’alcool ; le jour même, mangez avant de venir et portez un vêtement qui dégage la zone.",
  nextThere: "Venez à l’heure, avec une pièce d’identité. Le reste se règle sur place.",
};

/** The shape of every other language. */
export type Words = typeof words;
