// What stands in place of what could not be drawn, and what the operator hears of it: where and what, never who.

import { Component, type ComponentChild } from "preact";
import { type PageError, call } from "../core/api";
import { t } from "./words";

export type Kind = "render" | "error" | "rejection";

/** What failed: a page, the dialog, or one view of the dashboard. */
export type Root = "artist" | "dialog" | "booking" | "dashboard" | "view";

export interface FailureProps {
  root: Root;
  /** Leaves what failed, where there is something behind it. */
  close?: () => void;
  /** Draws it once more. */
  again: () => void;
  children?: ComponentChild;
}

export class Failure extends Component<FailureProps> {
  private heading: HTMLHeadingElement | null = null;
  private sheet: HTMLDialogElement | null = null;

  override componentDidMount(): void {
    const { root, again } = this.props;
    if (root === "artist") document.body.classList.add("status");
    // Another view of the dashboard is another try.
    if (root === "view") addEventListener("hashchange", again);
    this.sheet?.showModal();
    this.heading?.focus();
  }

  override componentWillUnmount(): void {
    removeEventListener("hashchange", this.props.again);
    this.sheet?.close();
  }

  override render({ root, close }: FailureProps): ComponentChild {
    const { title, text } = t[root === "view" ? "dashboard" : root];
    const Frame = root === "dashboard" ? "main" : "div";
    const words = (
      <Frame class={`verdict failure ${root === "dashboard" ? "gate" : root}`}>
        <h1
          id="failure"
          tabIndex={-1}
          ref={(element) => {
            this.heading = element;
          }}
        >
          {title}
        </h1>
        <p class="lead" role="alert">
          {text}
        </p>
        <p class="actions">
          <button type="button" class="button" onClick={() => location.reload()}>
            {t.reload}
          </button>
          {close && (
            <button type="button" class="button quiet" onClick={close}>
              {t.close}
            </button>
          )}
        </p>
      </Frame>
    );
    if (!close) return words;
    const leave = (event: Event): void => {
      event.preventDefault();
      close();
    };
    return (
      <dialog
        class="booking"
        aria-labelledby="failure"
        ref={(element) => {
          this.sheet = element;
        }}
        onCancel={leave}
      >
        {words}
      </dialog>
    );
  }
}

const told = new Set<Kind>();

/** Once for each page and kind: what fails in a loop has said it. */
export function report(kind: Kind, error: unknown): void {
  const { name, message, stack = "" } = error instanceof Error ? error : new Error(String(error));
  const at = Array.from(stack.matchAll(/\/assets\/[\w.-]+:\d+:\d+/g), String).slice(0, 5);
  // What names no script of ours is an extension's, or a page's that frames us.
  if (told.has(kind) || (kind !== "render" && at.length === 0)) return;
  told.add(kind);
  const content: PageError = {
    kind,
    page: location.pathname.replace(/[^\w/.-]/g, "_").slice(0, 120),
    error: name.replace(/[^\w$.]/g, "").slice(0, 60) || "Error",
    message: message.replace(/[\p{Cc}\s]+/gu, " ").slice(0, 200),
    at,
    browser: /(Firefox|Chrome|Version)\/[\d.]+/.exec(navigator.userAgent)?.[0] ?? "",
  };
  call("/api/page-errors", JSON.stringify(content)).catch(() => null);
}
