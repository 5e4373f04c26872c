// The words of the site in French and English, dates and money in both, and the way to the API.
// French is the reference: a key that English lacks is a mistake.

const NBSP = "\u00a0";

const fr = {
  artistsTitle: "Choisissez votre artiste",
  landingLead: "Réservez un flash ou proposez un projet. L’acompte retient le créneau, le reste se règle sur place.",
  seeFlashes: "Voir les flashs",
  leaStyle: "Trait fin, botanique et gravure",
  noaStyle: "Noir dense et lignes franches",
  howTitle: "Comment ça se passe",
  how1: "Vous choisissez un dessin, ou vous décrivez le vôtre.",
  how2: "Vous prenez un créneau dans l’agenda de l’artiste.",
  how3: "Vous payez l’acompte. Le rendez-vous est confirmé aussitôt, par e-mail aussi.",
  notFoundTitle: "Cette page n’existe pas",
  notFoundText: "L’adresse est peut-être incomplète, ou l’artiste a fermé sa page.",
  toHome: "Retour à l’accueil",
  otherLanguage: "English",

  flashesTitle: "Flashs disponibles",
  noFlashes: "Tous les flashs sont partis. Proposez un projet : l’agenda, lui, reste ouvert.",
  projectTitle: "Votre projet",
  projectCall: "Proposer un projet",
  projectText: (deposit, time) => `Une idée à vous ? Décrivez-la : un rendez-vous de ${time}, et ${deposit} d’acompte pour le retenir.`,
  book: "Réserver",
  bookFlash: (title, price) => `Réserver ${title}, ${price}`,
  unique: "Pièce unique",
  repeatable: "Peut être tatoué plusieurs fois",
  held: "Retenu",
  heldHelp: "Quelqu’un est en train de payer l’acompte.",
  sold: "Parti",
  depositOf: (amount) => `acompte ${amount}`,
  loading: "Chargement…",
  artistFailed: "La page de l’artiste ne répond pas.",
  holdBanner: (title, time) => `${title} : votre créneau est gardé jusqu’à ${time}.`,
  resume: "Reprendre le paiement",

  step: (n) => `Étape ${n} sur 3`,
  close: "Fermer",
  back: "Retour",
  next: "Continuer",
  contactTitle: "Vos coordonnées",
  name: "Nom complet",
  email: "Adresse e-mail",
  emailHelp: "La confirmation y sera envoyée.",
  phone: "Téléphone",
  phoneHelp: "Seulement pour ce rendez-vous.",
  description: "Décrivez votre idée",
  descriptionHelp: "Motif, style, taille approximative, ce qui compte pour vous.",
  bodyZone: "Zone du corps",
  bodyZoneHelp: "Par exemple : avant-bras gauche.",
  budget: "Budget (facultatif)",
  budgetHelp: "En euros. Cela aide l’artiste à vous répondre juste.",
  nameMissing: "Indiquez votre nom.",
  emailWrong: "Cette adresse semble incomplète : il faut un @ et un domaine, comme nom@exemple.fr.",
  phoneWrong: "Indiquez un numéro où vous joindre, comme 06 12 34 56 78.",
  descriptionMissing: "Décrivez votre idée en une phrase au moins (10 caractères).",
  bodyZoneMissing: "Indiquez où se placera le tatouage.",
  budgetWrong: "Indiquez un montant en euros, comme 250.",

  slotTitle: "Votre créneau",
  day: "Jour",
  slotCount: (n) => (n === 0 ? "complet" : n === 1 ? "1 créneau" : `${n} créneaux`),
  slotsOf: (day) => `Créneaux du ${day}`,
  studioTime: (zone) => `Heures de l’atelier (${zone}).`,
  yourTime: (time) => `soit ${time} chez vous`,
  noSlots: "Aucun créneau libre sur ces sept jours.",
  nextFree: "Chercher le prochain jour libre",
  nothingFound: "Rien de libre dans les huit prochaines semaines. Écrivez à l’artiste.",
  laterDays: "Jours suivants",
  earlierDays: "Jours précédents",
  chooseSlot: "Choisissez un créneau pour continuer.",
  slotsFailed: "Les créneaux n’ont pas pu être chargés.",
  retry: "Réessayer",

  sumTitle: "Récapitulatif",
  flash: "Flash",
  project: "Projet",
  with: "Artiste",
  date: "Date",
  time: "Heure",
  duration: "Durée",
  place: "Lieu",
  price: "Prix",
  deposit: "Acompte, à payer maintenant",
  arrhes: "Arrhes, à payer maintenant",
  rest: "Reste à régler sur place",
  priceLater: "fixé avec l’artiste",
  pay: (amount) => `Payer l’acompte de ${amount}`,
  payArrhes: (amount) => `Payer les arrhes de ${amount}`,
  holdNote: (minutes) => `Dès que vous cliquez, le créneau est à vous pendant ${minutes}${NBSP}minutes, le temps de payer. Sans paiement, il est rendu et rien ne vous est demandé.`,
  opening: "Ouverture du paiement…",

  slotTaken: "Ce créneau vient d’être pris. Voici ceux qui restent : rien de ce que vous avez saisi n’est perdu.",
  flashTaken: "Ce flash vient d’être retenu par quelqu’un d’autre. S’il n’est pas payé, il reviendra dans la demi-heure.",
  flashGone: "Ce flash n’est plus proposé.",
  invalid: "Quelques champs sont à revoir.",
  tooManyHolds: "Trop de créneaux attendent déjà leur paiement. Payez-en un, ou réessayez dans quelques minutes.",
  tooManyRequests: "Beaucoup de demandes à la suite. Attendez un peu, puis réessayez.",
  inProgress: "Votre demande est déjà en cours. Réessayez dans quelques secondes : vous ne paierez pas deux fois.",
  calendarDown: "L’agenda de l’artiste ne répond pas, et sans lui aucun créneau ne peut être promis. Réessayez dans un instant.",
  paymentDown: "La page de paiement ne s’ouvre pas. Votre créneau est gardé : réessayez, vous retrouverez la même réservation.",
  offline: "Pas de réponse du réseau. Vos réponses sont gardées : réessayez.",
  failed: "Quelque chose a échoué de notre côté. Réessayez dans un instant ; rien n’a été payé.",

  yourBooking: "Votre réservation",
  paidTitle: "C’est confirmé",
  paidText: (deposit) => `L’acompte de ${deposit} est reçu. Un e-mail de confirmation part à votre adresse, avec le rendez-vous pour votre agenda.`,
  confirmedTitle: "Rendez-vous confirmé",
  confirmedText: "L’artiste a confirmé votre rendez-vous.",
  doneTitle: "Rendez-vous passé",
  doneText: "Merci de votre visite.",
  checkingTitle: "Paiement en cours de vérification",
  checkingText: "Cela prend quelques secondes. Cette page se met à jour toute seule.",
  checkingLong: "C’est plus long que d’habitude. Vous pouvez fermer cette page : nous vous écrirons dès que c’est vérifié.",
  notPaidYet: (time) => `Vous n’avez pas encore payé ? Le créneau est gardé jusqu’à ${time}.`,
  overdueTitle: "Le délai de paiement est passé",
  overdueText: "Si vous avez payé, nous le vérifions auprès de la banque et cette page se mettra à jour. Sinon, le créneau est rendu.",
  lapsedTitle: "Le créneau a été rendu",
  lapsedText: "Aucun paiement n’est arrivé à temps. S’il en arrivait encore un, il vous serait rendu. Vous pouvez choisir un autre créneau.",
  failedTitle: "Le paiement n’a pas abouti",
  lateTitle: "Paiement arrivé trop tard",
  lateText: (amount) => `Le créneau n’était plus libre. ${amount} vous sont rendus sur la même carte, sous 5 à 10 jours selon votre banque.`,
  cancelledTitle: "Rendez-vous annulé",
  cancelledBy: { client: "Vous avez annulé ce rendez-vous.", artist: "L’artiste a annulé ce rendez-vous.", calendar: "Le rendez-vous a été annulé dans l’agenda de l’artiste." },
  refundComing: "Le remboursement est en route, sous 5 à 10 jours selon votre banque.",
  refunded: (amount) => `${amount} vous ont été rendus.`,
  notRefunded: "L’acompte reste à l’artiste, comme prévu par ses conditions.",
  disputedTitle: "Paiement contesté",
  disputedText: "Votre banque examine ce paiement. L’artiste en est averti.",
  unknownTitle: "Réservation introuvable",
  unknownText: "Ce lien ne correspond à aucune réservation. Vérifiez l’adresse, ou le lien reçu par e-mail.",
  statusFailed: "L’état de la réservation n’a pas pu être lu. S’il y a eu un paiement, il n’est pas perdu.",
  openCalendar: "Voir le rendez-vous dans l’agenda",
  backToArtist: (name) => `Retour chez ${name}`,
  otherSlot: "Choisir un autre créneau",
  paid: "Acompte payé",
  toPay: "Acompte à payer",
  stoppedTitle: "Paiement interrompu",
  stoppedText: (time) => `Aucun paiement n’est enregistré pour l’instant. Votre créneau est gardé jusqu’à ${time} : vous pouvez reprendre où vous en étiez.`,
};

const en = {
  artistsTitle: "Choose your artist",
  landingLead: "Book a flash or suggest a project. The deposit holds the slot; the rest is paid at the studio.",
  seeFlashes: "See the flashes",
  leaStyle: "Fine line, botanical and engraving",
  noaStyle: "Dense black and bold lines",
  howTitle: "How it works",
  how1: "Choose a drawing, or describe your own.",
  how2: "Take a slot in the artist’s calendar.",
  how3: "Pay the deposit. The appointment is confirmed at once, by email too.",
  notFoundTitle: "This page does not exist",
  notFoundText: "The address may be incomplete, or the artist has closed the page.",
  toHome: "Back to the home page",
  otherLanguage: "Français",

  flashesTitle: "Available flashes",
  noFlashes: "All flashes are gone. Suggest a project: the calendar is still open.",
  projectTitle: "Your project",
  projectCall: "Suggest a project",
  projectText: (deposit, time) => `An idea of your own? Describe it: an appointment of ${time}, held by a deposit of ${deposit}.`,
  book: "Book",
  bookFlash: (title, price) => `Book ${title}, ${price}`,
  unique: "One of a kind",
  repeatable: "May be tattooed more than once",
  held: "On hold",
  heldHelp: "Somebody is paying the deposit.",
  sold: "Gone",
  depositOf: (amount) => `deposit ${amount}`,
  loading: "Loading…",
  artistFailed: "The artist’s page does not answer.",
  holdBanner: (title, time) => `${title}: your slot is held until ${time}.`,
  resume: "Resume payment",

  step: (n) => `Step ${n} of 3`,
  close: "Close",
  back: "Back",
  next: "Continue",
  contactTitle: "Your details",
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
  budgetHelp: "In euros. It helps the artist to answer well.",
  nameMissing: "Enter your name.",
  emailWrong: "This address looks incomplete: it needs an @ and a domain, like name@example.com.",
  phoneWrong: "Enter a number where you can be reached, like +33 6 12 34 56 78.",
  descriptionMissing: "Describe your idea in at least one sentence (10 characters).",
  bodyZoneMissing: "Say where the tattoo goes.",
  budgetWrong: "Enter an amount in euros, such as 250.",

  slotTitle: "Your slot",
  day: "Day",
  slotCount: (n) => (n === 0 ? "full" : n === 1 ? "1 slot" : `${n} slots`),
  slotsOf: (day) => `Slots on ${day}`,
  studioTime: (zone) => `Studio time (${zone}).`,
  yourTime: (time) => `${time} where you are`,
  noSlots: "No free slot in these seven days.",
  nextFree: "Find the next free day",
  nothingFound: "Nothing free in the next eight weeks. Write to the artist.",
  laterDays: "Later days",
  earlierDays: "Earlier days",
  chooseSlot: "Choose a slot to continue.",
  slotsFailed: "The slots could not be loaded.",
  retry: "Try again",

  sumTitle: "Summary",
  flash: "Flash",
  project: "Project",
  with: "Artist",
  date: "Date",
  time: "Time",
  duration: "Duration",
  place: "Place",
  price: "Price",
  deposit: "Deposit, to pay now",
  arrhes: "Deposit, to pay now",
  rest: "Left to pay at the studio",
  priceLater: "agreed with the artist",
  pay: (amount) => `Pay the ${amount} deposit`,
  payArrhes: (amount) => `Pay the ${amount} deposit`,
  holdNote: (minutes) => `As soon as you click, the slot is yours for ${minutes} minutes, time enough to pay. Without payment it is released and you owe nothing.`,
  opening: "Opening the payment page…",

  slotTaken: "This slot has just been taken. Here are those that are left: nothing you typed is lost.",
  flashTaken: "Somebody else has just taken this flash. If they do not pay, it comes back within half an hour.",
  flashGone: "This flash is no longer offered.",
  invalid: "Some fields need your attention.",
  tooManyHolds: "Too many slots are waiting for their payment. Pay one of them, or try again in a few minutes.",
  tooManyRequests: "Many requests in a row. Wait a little, then try again.",
  inProgress: "Your request is already under way. Try again in a few seconds: you will not pay twice.",
  calendarDown: "The artist’s calendar does not answer, and no slot can be promised without it. Try again in a moment.",
  paymentDown: "The payment page does not open. Your slot is held: try again and you will get the same booking.",
  offline: "The network does not answer. Your answers are kept: try again.",
  failed: "Something went wrong on our side. Try again in a moment; nothing has been paid.",

  yourBooking: "Your booking",
  paidTitle: "It is confirmed",
  paidText: (deposit) => `The deposit of ${deposit} has arrived. A confirmation is on its way to your inbox, with the appointment for your calendar.`,
  confirmedTitle: "Appointment confirmed",
  confirmedText: "The artist has confirmed your appointment.",
  doneTitle: "Appointment over",
  doneText: "Thank you for your visit.",
  checkingTitle: "Checking the payment",
  checkingText: "This takes a few seconds. The page updates by itself.",
  checkingLong: "It takes longer than usual. You may close this page: we will write to you as soon as it is checked.",
  notPaidYet: (time) => `Have you not paid yet? The slot is held until ${time}.`,
  overdueTitle: "The time to pay is over",
  overdueText: "If you have paid, we are checking it with the bank and this page updates by itself. If not, the slot is released.",
  lapsedTitle: "The slot has been released",
  lapsedText: "No payment arrived in time. Should one still arrive, it is returned to you. You can choose another slot.",
  failedTitle: "The payment did not go through",
  lateTitle: "The payment came too late",
  lateText: (amount) => `The slot was no longer free. ${amount} goes back to the same card, within 5 to 10 days depending on your bank.`,
  cancelledTitle: "Appointment cancelled",
  cancelledBy: { client: "You cancelled this appointment.", artist: "The artist cancelled this appointment.", calendar: "The appointment was cancelled in the artist’s calendar." },
  refundComing: "The refund is on its way, within 5 to 10 days depending on your bank.",
  refunded: (amount) => `${amount} has been returned to you.`,
  notRefunded: "The artist keeps the deposit, as the conditions say.",
  disputedTitle: "Payment disputed",
  disputedText: "Your bank is looking into this payment. The artist has been told.",
  unknownTitle: "Booking not found",
  unknownText: "This link belongs to no booking. Check the address, or the link in your email.",
  statusFailed: "The state of the booking could not be read. If there was a payment, it is not lost.",
  openCalendar: "See the appointment in the calendar",
  backToArtist: (name) => `Back to ${name}`,
  otherSlot: "Choose another slot",
  paid: "Deposit paid",
  toPay: "Deposit to pay",
  stoppedTitle: "Payment interrupted",
  stoppedText: (time) => `No payment has been recorded so far. Your slot is held until ${time}: you can go on where you stopped.`,
};

function chosenLanguage() {
  const asked = new URLSearchParams(location.search).get("lang");
  if (asked === "fr" || asked === "en") {
    remember("lang", asked);
    return asked;
  }
  const kept = recall("lang");
  if (kept === "fr" || kept === "en") return kept;
  const known = (navigator.languages ?? [navigator.language]).map((tag) => tag.slice(0, 2));
  return known.find((tag) => tag === "fr" || tag === "en") ?? "fr";
}

/** Keeps a value for this tab; a browser that forbids storage only loses the comfort. */
export function remember(key, value) {
  try {
    if (value === null) sessionStorage.removeItem(`inkflow:${key}`);
    else sessionStorage.setItem(`inkflow:${key}`, JSON.stringify(value));
  } catch {
    // Storage may be full or forbidden.
  }
}

/** What `remember` kept, or null. */
export function recall(key) {
  try {
    return JSON.parse(sessionStorage.getItem(`inkflow:${key}`));
  } catch {
    return null;
  }
}

export const lang = chosenLanguage();
export const t = lang === "fr" ? fr : en;

const region = lang === "fr" ? "fr-FR" : "en-GB";

/** An amount of cents as people write it: no decimals when there are none. */
export function money(cents) {
  const digits = cents % 100 === 0 ? 0 : 2;
  return new Intl.NumberFormat(region, { style: "currency", currency: "EUR", minimumFractionDigits: digits, maximumFractionDigits: digits }).format(cents / 100);
}

/** The civil date of an instant in a zone, as YYYY-MM-DD. */
export function civilDate(instant, zone) {
  return new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }).format(new Date(instant));
}

/** "mardi 24 novembre 2026", of a civil date. */
export function longDate(date, { year = true } = {}) {
  return new Intl.DateTimeFormat(region, { timeZone: "UTC", weekday: "long", day: "numeric", month: "long", ...(year && { year: "numeric" }) }).format(new Date(`${date}T12:00:00Z`));
}

/** The three lines of a day's tile: "mar.", "24", "nov.". */
export function shortDate(date) {
  const part = (options) => new Intl.DateTimeFormat(region, { timeZone: "UTC", ...options }).format(new Date(`${date}T12:00:00Z`));
  return { weekday: part({ weekday: "short" }), day: part({ day: "numeric" }), month: part({ month: "short" }) };
}

/** The days after a civil date. */
export function addDays(date, days) {
  const at = new Date(`${date}T12:00:00Z`);
  at.setUTCDate(at.getUTCDate() + days);
  return at.toISOString().slice(0, 10);
}

/** "14 h 30" in French, "14:30" in English, in the given zone (the reader's own by default). */
export function clock(instant, zone) {
  const parts = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" }).format(new Date(instant));
  const [hour, minute] = parts.split(":");
  return lang === "fr" ? `${Number(hour)}${NBSP}h${NBSP}${minute}` : `${hour}:${minute}`;
}

/** Minutes as "2 h 30". */
export function span(minutes) {
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (hours === 0) return `${rest}${NBSP}min`;
  return rest === 0 ? `${hours}${NBSP}h` : `${hours}${NBSP}h${NBSP}${String(rest).padStart(2, "0")}`;
}

/** What is booked, without the artist's name that mails put behind it. */
export function titleOf(booking) {
  const artist = ` · ${booking.artist.display_name}`;
  return booking.title.endsWith(artist) ? booking.title.slice(0, -artist.length) : booking.title;
}

/** French typography: a space that does not break before double punctuation. */
function typeset(text) {
  return lang === "fr" ? text.replace(/ ([:;?!])/g, `${NBSP}$1`) : text;
}

/** An element with attributes, listeners and children; text is always text. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false).map((child) => (typeof child === "string" ? typeset(child) : child)));
  return element;
}

/** Puts the page's fixed words into the chosen language. */
export function translatePage() {
  document.documentElement.lang = lang;
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = typeset(t[element.dataset.t]);
  const other = new URL(location.href);
  other.searchParams.set("lang", lang === "fr" ? "en" : "fr");
  for (const link of document.querySelectorAll("a.language")) {
    link.href = other;
    link.lang = lang === "fr" ? "en" : "fr";
    link.textContent = t.otherLanguage;
  }
}

/** A refusal of the API: `slug` names the problem, `body` is the problem document. */
export class Problem extends Error {
  constructor(slug, body = {}) {
    super(slug);
    this.slug = slug;
    this.body = body;
  }
}

/** The sentence for a problem. */
export function sentence(problem) {
  return typeset(
    {
      "slot-taken": t.slotTaken,
      "flash-taken": t.flashTaken,
      "not-found": t.flashGone,
      invalid: t.invalid,
      "too-many-holds": t.tooManyHolds,
      "too-many-requests": t.tooManyRequests,
      "request-in-progress": t.inProgress,
      "calendar-unavailable": t.calendarDown,
      "payment-unavailable": t.paymentDown,
      offline: t.offline,
    }[problem.slug] ?? t.failed,
  );
}

async function hexDigest(bytes) {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * One call of the API. Throws a `Problem`.
 *
 * CloudFront signs the request to the function only if the browser names the hash of the exact body.
 */
export async function api(path, { body, headers = {} } = {}) {
  const init = { headers: { accept: "application/json", ...headers }, signal: AbortSignal.timeout(15_000) };
  if (body !== undefined) {
    init.method = "POST";
    init.body = new TextEncoder().encode(body);
    init.headers["content-type"] = "application/json";
    init.headers["x-amz-content-sha256"] = await hexDigest(init.body);
  }
  let response;
  try {
    response = await fetch(path, init);
  } catch {
    throw new Problem("offline");
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw new Problem(String(answer.type ?? "").split("#")[1] ?? "internal", answer);
}

/** Leaves for a page outside; only for addresses of the web. */
export function leaveFor(address) {
  const url = new URL(address, location.href);
  if (url.protocol === "https:" || url.protocol === "http:") location.assign(url);
}
