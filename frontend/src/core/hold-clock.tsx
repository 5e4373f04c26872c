// Watches the end of a hold. The hour is on the page, the same everywhere; that it comes near is heard twice.

import { Component, type ComponentChild } from "preact";

interface Props {
  until: string;
  endsSoon: (minutes: number) => string;
  /** By this clock it is over. Said again for as long as it is shown: the server's clock decides. */
  onEnd: () => void;
}

interface State {
  minutes: number;
}

const HEARD_AT = [5, 1];
const SAID_AGAIN = 20_000;

export class HoldClock extends Component<Props, State> {
  override state: State = { minutes: this.left() };
  private timer = 0;
  private said = 0;

  override componentDidMount(): void {
    this.timer = window.setInterval(() => this.tick(), 1000);
  }

  override componentWillUnmount(): void {
    clearInterval(this.timer);
  }

  override render({ endsSoon }: Props, { minutes }: State): ComponentChild {
    return (
      <span class="only-heard" role="status">
        {HEARD_AT.includes(minutes) ? endsSoon(minutes) : ""}
      </span>
    );
  }

  private left(): number {
    return Math.ceil((Date.parse(this.props.until) - Date.now()) / 60_000);
  }

  private tick(): void {
    const minutes = this.left();
    if (minutes !== this.state.minutes) this.setState({ minutes });
    if (minutes > 0 || Date.now() < this.said + SAID_AGAIN) return;
    this.said = Date.now();
    this.props.onEnd();
  }
}
