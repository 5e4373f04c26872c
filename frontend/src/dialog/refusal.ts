// What a refusal of the booking means for the dialog: what is said, on which step, and what is not true any more.

import type { Artist, Flash, Problem } from "../core/api";
import { forgetWeeks, keepDays } from "../core/weeks";
import { type Mistakes, fields, forgetKey } from "./answers";
import { sentence } from "./problems";
import type { Step } from "./step";

/** What to say, and on which step. */
export interface Alert {
  text: string;
  step: Step;
}

export interface Refusal {
  alert: Alert;
  /** What is wrong with the fields, where that is the refusal. */
  wrong?: Mistakes;
  /** The slot cannot be had, or what is on offer has changed. */
  gone?: "slot" | "offer";
}

/** Forgets what the refusal makes worthless; what the dialog shows is the dialog's. */
export function refusalOf(problem: Problem, artist: Artist, flash: Flash | null): Refusal {
  const text = sentence(problem);
  switch (problem.slug) {
    case "slot-taken":
    case "too-far-ahead":
      forgetKey();
      forgetWeeks();
      if (problem.slots) keepDays(artist, flash, problem.slots);
      return { alert: { text, step: 2 }, gone: "slot" };
    case "invalid": {
      const wrong: Mistakes = {};
      const rest: string[] = [];
      for (const { pointer, detail } of problem.errors) {
        const field = fields(flash).find((each) => each.pointer === pointer);
        if (field) wrong[field.name] = detail;
        else rest.push(detail);
      }
      return { alert: { text: [text, ...rest].join(" "), step: Object.keys(wrong).length > 0 ? 1 : 2 }, wrong };
    }
    case "flash-taken":
    case "not-found":
    case "opens-soon":
      return { alert: { text, step: 3 }, gone: "offer" };
    case "idempotency-mismatch":
      forgetKey();
  }
  return { alert: { text, step: 3 } };
}
