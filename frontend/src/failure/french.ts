// What is said in place of what could not be drawn: what stands, and what to do. French is the reference: what English
// lacks does not compile.

export const words = {
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

/** The shape of every other language. */
export type Words = typeof words;
