// Step 2: when.

import type { VNode } from "preact";
import { civilDate, clock, longDay } from "../core/format";
import { CalComSlotPicker, type PickerProps } from "./slot-picker";
import type { Step } from "./step";
import { t } from "./words";

interface Props extends PickerProps {
  check: (event: Event) => void;
  backTo: (step: Step) => void;
}

export function SlotStep(props: Props): VNode {
  const { slot } = props;
  return (
    <form class="slots" noValidate onSubmit={props.check}>
      <CalComSlotPicker key={props.near} {...props} />
      <footer>
        <button type="button" class="link" onClick={() => props.backTo(1)}>
          {t.back}
        </button>
        <p class="chosen" aria-hidden="true">
          {slot && t.chosen(longDay(civilDate(slot.start)), clock(slot.start, slot.start_turn))}
        </p>
        <button type="submit" class="button">
          {t.next}
        </button>
      </footer>
    </form>
  );
}
