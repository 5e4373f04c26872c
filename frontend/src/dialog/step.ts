/** The steps of the dialog: who comes and for what, when, and what it costs. */
export type Step = 1 | 2 | 3;
