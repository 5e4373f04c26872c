// How long a slot is still held: seen by the minute, heard twice (a voice each second would drown the page).

import { Component, type ComponentChild } from "preact";

interface Props {
  until: string;
  left: (minutes: number) => string;
  endsSoon: (minutes: number) => string;
  onEnd: () => void;
}

interface State {
  minutes: number;
}

const HEARD_AT = [5, 1];

export class HoldClock extends Component<Props, State> {
  override state: State = { minutes: this.left() };
  private timer = 0;

  override componentDidMount(): void {
    this.timer = window.setInterval(() => this.tick(), 1000);
  }

  override componentWillUnmount(): void {
    clearInterval(this.timer);
  }

  override render({ left, endsSoon }: Props, { minutes }: State): ComponentChild {
    const heard = HEARD_AT.find((mark) => minutes === mark);
    return (
      <>
        <span class="time-left" aria-hidden="true">
          {left(minutes)}
        </span>
        <span class="only-heard" role="status">
          {heard === undefined ? "" : endsSoon(heard)}
        </span>
      </>
    );
  }

  private left(): number {
    return Math.ceil((Date.parse(this.props.until) - Date.now()) / 60_000);
  }

  private tick(): void {
    const minutes = this.left();
    if (minutes !== this.state.minutes) this.setState({ minutes });
    if (minutes <= 0) {
      clearInterval(this.timer);
      this.props.onEnd();
    }
  }
}
