// What is said in place of what could not be drawn: what stands, and what to do. Short enough for both languages.

import type { Root } from "../core/boundary";
import { language } from "../core/language";

type Said = Record<Exclude<Root, "view">, { title: string; text: string }> & { reload: string; close: string };

const fr: Said = {
  artist: {
    title: "Cette page ne s’affiche pas",
    text: "La faute est de notre côté, et nous en sommes avertis. Rechargez la page ; si cela se répète, écrivez à l’artiste ou revenez plus tard.",
  },
  dialog: {
    title: "Cette étape ne s’affiche pas",
    text: "La faute est de notre côté, et nous en sommes avertis. Rien n’est débité, et ce que vous avez écrit est gardé. Rechargez la page ; si cela se répète, écrivez à l’artiste.",
  },
  booking: {
    title: "Cette page ne s’affiche pas",
    text: "La faute est de notre côté, et nous en sommes avertis. Votre rendez-vous et votre paiement n’en souffrent pas. Rechargez la page ; si cela se répète, l’e-mail de confirmation dit la même chose.",
  },
  dashboard: {
    title: "Cette vue ne s’affiche pas",
    text: "La faute est de notre côté, et nous en sommes avertis. Vos rendez-vous et vos réglages n’en souffrent pas, et ce que vous écriviez est gardé. Rechargez la page ; si cela se répète, revenez dans quelques minutes.",
  },
  reload: "Recharger la page",
  close: "Fermer",
};

const en: Said = {
  artist: {
    title: "This page cannot be shown",
    text: "The fault is ours, and we have been told of it. Reload the page; if it happens again, write to the artist or come back later.",
  },
  dialog: {
    title: "This step cannot be shown",
    text: "The fault is ours, and we have been told of it. Nothing has been charged, and what you wrote is kept. Reload the page; if it happens again, write to the artist.",
  },
  booking: {
    title: "This page cannot be shown",
    text: "The fault is ours, and we have been told of it. Your appointment and your payment are not affected. Reload the page; if it happens again, the confirmation email says the same.",
  },
  dashboard: {
    title: "This view cannot be shown",
    text: "The fault is ours, and we have been told of it. Your appointments and settings are not affected, and what you were writing is kept. Reload the page; if it happens again, come back in a few minutes.",
  },
  reload: "Reload the page",
  close: "Close",
};

export const t = language === "fr" ? fr : en;
