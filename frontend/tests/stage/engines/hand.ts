// What every engine can do for a story, whatever protocol moves it: no more than a hand, an eye and an address bar.

export interface Hand {
  go(address: string): Promise<void>;
  back(): Promise<void>;
  reload(): Promise<void>;
  address(): Promise<string>;
  /** Runs a function in the page; it sees its arguments and the page, and its answer is JSON. */
  run<Given extends unknown[], Answer>(look: (...given: Given) => Answer, ...given: Given): Promise<Answer>;
  /** Runs a script in the page for what it leaves behind. */
  load(script: string): Promise<void>;
  /** Presses a point of the window, as a mouse does. */
  press(x: number, y: number): Promise<void>;
  /** Types into what has the focus. */
  type(text: string): Promise<void>;
  picture(): Promise<Buffer>;
  /** A failure that belongs to the story, where the engine tells of failures. */
  expects(what: RegExp): void;
  /** Ends the session, and fails for what the engine saw go wrong. */
  end(): Promise<void>;
}

export interface Size {
  width: number;
  height: number;
}

/** A browser that is running: each story gets a session of its own. */
export interface Engine {
  session(size: Size): Promise<Hand>;
  end(): Promise<void>;
}
