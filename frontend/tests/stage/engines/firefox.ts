// Firefox, moved by WebDriver BiDi itself (https://w3c.github.io/webdriver-bidi/). The libraries that speak it begin with
// commands that are some months old, and so start either the last ESR or this year's: what is asked for here, both know.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { WebSocket } from "ws";
import { Witness } from "../witness.ts";
import type { Engine, Hand, Size } from "./hand.ts";
import { ended } from "./process.ts";

const PREFERENCES = {
  "intl.accept_languages": "fr-FR, fr",
  "intl.locale.requested": "fr-FR",
  // Nothing is called but the site, and of it only what the page asks for.
  "browser.chrome.site_icons": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "extensions.getAddons.cache.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
};

const EVENTS = ["log.entryAdded", "network.beforeRequestSent", "network.responseCompleted", "network.fetchError"];
const START_MS = 30_000;
const ANSWER_MS = 45_000;

export async function startFirefox(program: string): Promise<Engine> {
  const profile = await mkdtemp(join(tmpdir(), "inkflow-firefox-"));
  const lines = Object.entries(PREFERENCES).map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});`);
  await writeFile(join(profile, "user.js"), lines.join("\n"));
  const child = spawn(
    program,
    ["--headless", "--no-remote", "--remote-debugging-port", "0", "--profile", profile, "about:blank"],
    {
      env: { ...process.env, HOME: profile, TZ: "Europe/Paris" },
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  const end = async (): Promise<void> => {
    await ended(child);
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const line = await Line.to(`${await address(child)}/session`);
    await line.ask("session.new", { capabilities: {} });
    await line.ask("session.subscribe", { events: EVENTS });
    return { session: (size) => open(line, size), end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function open(line: Line, { width, height }: Size): Promise<Hand> {
  // A user context has cookies and a storage of its own.
  const { userContext } = await line.ask("browser.createUserContext", {});
  const { context } = await line.ask("browsingContext.create", { type: "tab", userContext });
  await line.ask("browsingContext.setViewport", { context, viewport: { width, height } });
  const witness = new Witness();
  line.hears = (event, told) => {
    if ((told.context ?? told.source?.context) === context) testify(witness, event, told);
  };
  const target = { context };
  const act = (source: object): Promise<unknown> => line.ask("input.performActions", { context, actions: [source] });
  const evaluate = async (method: "script.evaluate" | "script.callFunction", given: object): Promise<any> => {
    const { type, result, exceptionDetails } = await line.ask(method, { ...given, target, awaitPromise: true });
    if (type === "exception") throw new Error(exceptionDetails.text);
    return result.value;
  };
  return {
    go: (url) => line.ask("browsingContext.navigate", { context, url, wait: "complete" }),
    back: () => evaluate("script.evaluate", { expression: "void history.back()" }),
    reload: () => line.ask("browsingContext.reload", { context, wait: "complete" }),
    address: () => evaluate("script.evaluate", { expression: "location.href" }),
    run: async (look, ...given) => {
      const functionDeclaration = `async () => JSON.stringify(await (${look})(...${JSON.stringify(given)}))`;
      const answer = await evaluate("script.callFunction", { functionDeclaration });
      return answer === undefined ? undefined : JSON.parse(answer);
    },
    load: (expression) => evaluate("script.evaluate", { expression }),
    press: async (x, y) => {
      const actions = [
        { type: "pointerMove", x: Math.round(x), y: Math.round(y) },
        { type: "pointerDown", button: 0 },
        { type: "pointerUp", button: 0 },
      ];
      await act({ type: "pointer", id: "mouse", actions });
    },
    type: async (text) => {
      const actions = [...text].flatMap((value) => [
        { type: "keyDown", value },
        { type: "keyUp", value },
      ]);
      await act({ type: "key", id: "keyboard", actions });
    },
    picture: async () => Buffer.from((await line.ask("browsingContext.captureScreenshot", { context })).data, "base64"),
    expects: (what) => witness.expects(what),
    end: async () => {
      await line.ask("browser.removeUserContext", { userContext });
      line.hears = () => undefined;
      witness.testify();
    },
  };
}

/** What an event says went wrong, in the words of the other engines. */
function testify(witness: Witness, event: string, { level, text, source, request, response, errorText }: any): void {
  if (event === "log.entryAdded" && (level === "error" || level === "warn"))
    witness.note(`console ${level}: ${text} (${source?.realm})`);
  if (event === "network.beforeRequestSent" && request.url.endsWith("/api/page-errors"))
    witness.note(`told: ${request.method}`);
  if (event === "network.responseCompleted" && response.status >= 400)
    witness.note(`${response.status}: ${request.method} ${request.url}`);
  // What a page gives up because it is left.
  if (event === "network.fetchError" && !/ABORT/.test(errorText))
    witness.note(`failed: ${request.method} ${request.url} ${errorText}`);
}

/** The line to a browser: numbered commands with their answers, and events between them. */
class Line {
  hears: (event: string, told: any) => void = () => undefined;
  readonly #socket: WebSocket;
  readonly #asked = new Map<number, { resolve: (value: any) => void; reject: (error: Error) => void }>();
  #count = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data) => {
      const { id, type, method, params, result, error, message } = JSON.parse(String(data));
      if (type === "event") return this.hears(method, params);
      const asked = this.#asked.get(id);
      this.#asked.delete(id);
      if (type === "success") asked?.resolve(result);
      else asked?.reject(new Error(`${error}: ${message}`));
    });
    socket.on("close", () => {
      for (const { reject } of this.#asked.values()) reject(new Error("Firefox is gone"));
    });
  }

  static async to(address: string): Promise<Line> {
    const socket = new WebSocket(address, { perMessageDeflate: false });
    await once(socket, "open");
    return new Line(socket);
  }

  ask(method: string, params: object): Promise<any> {
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no answer to ${method}`)), ANSWER_MS);
      const settle =
        <Given>(then: (given: Given) => void) =>
        (given: Given) => {
          clearTimeout(late);
          then(given);
        };
      this.#asked.set(id, { resolve: settle(resolve), reject: settle(reject) });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }
}

/** Where the browser says that it listens. */
function address(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error("Firefox does not start")), START_MS);
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`Firefox ended with ${code}`)));
    createInterface(child.stderr as NodeJS.ReadableStream).on("line", (said) => {
      const there = /WebDriver BiDi listening on (ws:\S+)/.exec(said)?.[1];
      if (!there) return;
      clearTimeout(late);
      resolve(there);
    });
  });
}
