// The dialog that asks before what cannot be taken back: opened with its heading in focus, closed before it goes.

import { useLayoutEffect, useRef } from "preact/hooks";

interface Asking<Answer> {
  dialog: { current: HTMLDialogElement | null };
  leave: (answer: Answer) => void;
}

export function useAsk<Answer>(over: (answer: Answer) => void, opened?: () => void): Asking<Answer> {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    dialog.current?.showModal();
    dialog.current?.querySelector("h2")?.focus();
    opened?.();
  }, []);
  return {
    dialog,
    // Closed before it goes, so that the focus returns to the button that opened it.
    leave: (answer) => {
      dialog.current?.close();
      over(answer);
    },
  };
}
