// Step 1: who comes, and for what.

import type { VNode } from "preact";
import type { Flash } from "../core/api";
import { type Answers, type Field, type FieldName, type Mistakes, fields } from "./answers";
import type { Reader } from "./reading";
import { t } from "./words";

interface Props {
  flash: Flash | null;
  answers: Answers;
  wrong: Mistakes;
  /** Says how the server understands what is typed; there once somebody types. */
  reader: Reader | null;
  answer: (name: FieldName, value: string) => void;
  check: (event: Event) => void;
}

export function DetailsStep(props: Props): VNode {
  return (
    <form class="details" noValidate onSubmit={props.check}>
      <div class="fields">{fields(props.flash).map((field) => input(field, props))}</div>
      <footer>
        <button type="submit" class="button">
          {t.next}
        </button>
      </footer>
    </form>
  );
}

function input(
  { name, label, help, lines, type, autocomplete, inputmode, optional, most, heading }: Field,
  { answers, wrong, reader, answer }: Props,
): VNode {
  const error = wrong[name];
  const isRead = name === "phone" || name === "email";
  const described = [help && `${name}-help`, isRead && `${name}-said`, error && `${name}-error`]
    .filter(Boolean)
    .join(" ");
  const shared = {
    id: name,
    name,
    value: answers[name] ?? "",
    maxLength: most,
    required: !optional,
    ...(!lines && { enterKeyHint: "next" as const }),
    "aria-invalid": Boolean(error),
    ...(described && { "aria-describedby": described }),
    onInput: (event: { currentTarget: { value: string } }) => answer(name, event.currentTarget.value),
  };
  return (
    <div class={`field ${name}`} key={name}>
      {heading && <h3>{heading}</h3>}
      <label for={name}>{label}</label>
      {help && (
        <p class="help" id={`${name}-help`}>
          {help}
        </p>
      )}
      {lines ? (
        <textarea rows={lines} {...shared} />
      ) : (
        // The JSX types know each kind of input on its own, not the choice between them.
        <input
          type={(type ?? "text") as "text"}
          {...(autocomplete && { autocomplete })}
          {...(inputmode && { inputMode: inputmode })}
          {...shared}
        />
      )}
      {isRead && (
        <p class="said" role="status" id={`${name}-said`}>
          {reader?.said(name)}
        </p>
      )}
      {error && (
        <p class="error" id={`${name}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}
