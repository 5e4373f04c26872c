// Catches what a page cannot draw, and has whatever fails told to the operator: an empty page says nothing to anybody.

import { Component, type ComponentChild, type ComponentType, type VNode } from "preact";
import { t } from "../artist/words";
import type { FailureProps, Kind } from "./failure";

/** The words and the report, fetched by those who need them. */
const failure = (): Promise<typeof import("./failure")> => import("./failure");

function tell(kind: Kind, error: unknown): void {
  failure().then(
    ({ report }) => report(kind, error),
    () => null,
  );
}

addEventListener("error", ({ error }) => tell("error", error));
addEventListener("unhandledrejection", ({ reason }) => tell("rejection", reason));

type Props = Omit<FailureProps, "again">;

interface State {
  failed: ComponentType<FailureProps> | null;
}

export class Boundary extends Component<Props, State> {
  override state: State = { failed: null };

  override componentDidCatch(error: unknown): void {
    this.setState({ failed: Unanswered });
    tell("render", error);
    failure().then(
      ({ Failure }) => this.setState({ failed: Failure }),
      () => null,
    );
  }

  override render(props: Props, { failed: Failed }: State): ComponentChild {
    return Failed ? <Failed {...props} again={this.again} /> : props.children;
  }

  private readonly again = (): void => this.setState({ failed: null });
}

/** Stands for a part that could not even begin. */
export function Broken({ error }: { error: unknown }): never {
  throw error;
}

/** What there is to say while nothing arrives. */
export function Unanswered(): VNode {
  return (
    <div class="verdict">
      <h1>{t.failedTitle}</h1>
      <p class="lead">{t.failedText}</p>
      <p class="actions">
        <button type="button" class="button" onClick={() => location.reload()}>
          {t.retry}
        </button>
      </p>
    </div>
  );
}
