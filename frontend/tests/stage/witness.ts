// Sees all that a page does wrong without saying so: console errors, exceptions, policy violations, failed requests, and
// what it tells the operator.

import { type BrowserContext, expect } from "@playwright/test";

interface Expected {
  what: RegExp;
  seen: boolean;
}

export class Witness {
  readonly #complaints: string[] = [];
  readonly #expected: Expected[] = [];

  /** Watches every page of a context. */
  async watch(context: BrowserContext): Promise<void> {
    await context.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) => {
        console.error(
          `policy: ${event.violatedDirective} forbids ${event.blockedURI} (${event.sourceFile}:${event.lineNumber}) ${event.sample}`,
        );
      });
    });
    context.on("console", (message) => {
      if (message.type() !== "error" && message.type() !== "warning") return;
      // The answer or the failure itself is judged below, where it can be an expected one.
      if (message.text().startsWith("Failed to load resource")) return;
      this.note(`console ${message.type()}: ${message.text()} (${message.location().url})`);
    });
    context.on("weberror", (error) => this.note(`exception: ${error.error().stack ?? error.error()}`));
    context.on("request", (request) => {
      if (request.url().endsWith("/api/page-errors")) this.note(`told: ${request.postData()}`);
    });
    context.on("requestfailed", (request) => {
      const why = request.failure()?.errorText ?? "";
      // What a page gives up because it is left.
      if (why !== "net::ERR_ABORTED" && why !== "NS_BINDING_ABORTED")
        this.note(`failed: ${request.method()} ${request.url()} ${why}`);
    });
    context.on("response", (response) => {
      if (response.status() >= 400) this.note(`${response.status()}: ${response.request().method()} ${response.url()}`);
    });
  }

  /** A failure that belongs to the story, such as /409: POST .*\/create/. It must come. */
  expects(what: RegExp): void {
    this.#expected.push({ what, seen: false });
  }

  testify(): void {
    expect(this.#complaints, "what the pages did wrong").toEqual([]);
    const missing = this.#expected.filter((expected) => !expected.seen).map((expected) => String(expected.what));
    expect(missing, "failures that should have come").toEqual([]);
  }

  /** What went wrong, as `kind: what`; not a complaint where the story expects it. */
  note(complaint: string): void {
    const expected = this.#expected.find((one) => one.what.test(complaint));
    if (expected) expected.seen = true;
    else this.#complaints.push(complaint);
  }
}
