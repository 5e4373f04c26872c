// WebKit, moved by WebKitGTK's own driver: plain WebDriver, and a screen that nobody looks at.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { json } from "node:stream/consumers";
import type { Engine, Hand, Size } from "./hand.ts";
import { ended } from "./process.ts";

const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

/** `locale` is a folder with `fr_FR.UTF-8`: without one the browser speaks the language "C", and `Intl` throws. */
export async function startWebKit({ driver, locale }: { driver: string; locale: string }): Promise<Engine> {
  const home = await mkdtemp(join(tmpdir(), "inkflow-webkit-"));
  const screen = spawn("Xvfb", ["-displayfd", "3", "-screen", "0", "1280x1000x24", "-nolisten", "tcp"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  const display = await firstLine(screen);
  const port = await freePort();
  const env = {
    ...process.env,
    DISPLAY: `:${display}`,
    LOCPATH: locale,
    LANG: "fr_FR.UTF-8",
    LC_ALL: "fr_FR.UTF-8",
    TZ: "Europe/Paris",
    HOME: home,
    XDG_CONFIG_HOME: home,
    XDG_CACHE_HOME: home,
    XDG_DATA_HOME: home,
    XDG_RUNTIME_DIR: home,
  };
  const child = spawn(driver, [`--port=${port}`], { env, stdio: "ignore" });
  const base = `http://127.0.0.1:${port}`;
  for (
    const until = Date.now() + 10_000;
    !(await fetch(`${base}/status`).then(
      (answer) => answer.ok,
      () => false,
    ));
  ) {
    if (Date.now() > until || child.exitCode !== null) throw new Error(`${driver} does not answer`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    session: (size) => open(base, size),
    end: async () => {
      // The driver first: without its screen it would end with a core dump.
      await ended(child);
      await ended(screen);
      await rm(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function open(base: string, { width, height }: Size): Promise<Hand> {
  const ask = async (method: string, path: string, body?: unknown): Promise<any> => {
    const { status, value } = await command(method, `${base}${path}`, body);
    if (status !== 200) throw new Error(`WebDriver ${method} ${path}: ${value?.error}: ${value?.message}`);
    return value;
  };
  const { sessionId, capabilities } = await ask("POST", "/session", {
    capabilities: {
      alwaysMatch: {
        browserName: "MiniBrowser",
        // Full screen has no toolbar: a toolbar is wider than a phone.
        "webkitgtk:browserOptions": { args: ["--automation", "--full-screen"] },
      },
    },
  });
  const at = `/session/${sessionId}`;
  const run = (source: string, given: unknown[]): Promise<any> =>
    ask("POST", `${at}/execute/sync`, { script: source, args: given });
  await ask("POST", `${at}/timeouts`, { pageLoad: 30_000, script: 15_000 });
  await ask("POST", `${at}/window/rect`, { x: 0, y: 0, width, height });
  const inside = await run("return innerWidth", []);
  if (inside !== width) throw new Error(`the window is ${inside} wide, not ${width} (${capabilities.browserVersion})`);
  return {
    go: (address) => ask("POST", `${at}/url`, { url: address }),
    back: () => ask("POST", `${at}/back`, {}),
    reload: () => ask("POST", `${at}/refresh`, {}),
    address: () => ask("GET", `${at}/url`),
    run: (look, ...given) => run(`return (${look}).apply(null, arguments)`, given),
    load: (script) => run(`${script}\nreturn null`, []),
    press: async (x, y) => {
      const actions = [
        { type: "pointerMove", duration: 0, x: Math.round(x), y: Math.round(y) },
        { type: "pointerDown", button: 0 },
        { type: "pointerUp", button: 0 },
      ];
      await ask("POST", `${at}/actions`, { actions: [{ type: "pointer", id: "mouse", actions }] });
    },
    type: async (text) => {
      const active = await ask("GET", `${at}/element/active`);
      await ask("POST", `${at}/element/${active[ELEMENT]}/value`, { text });
    },
    picture: async () => Buffer.from(await ask("GET", `${at}/screenshot`), "base64"),
    // The protocol tells of no failures: the page's own ears do.
    expects: () => undefined,
    // A session that is not deleted leaves its processes behind.
    end: () => ask("DELETE", at),
  };
}

/** Each command has a connection of its own: the driver closes what has been idle, at times just when the next one is sent. */
async function command(method: string, address: string, body: unknown): Promise<{ status: number; value: any }> {
  const asked = request(address, { method, agent: false, timeout: 60_000 });
  asked.on("timeout", () => asked.destroy(new Error(`no answer to ${method} ${address}`)));
  asked.end(body === undefined ? "" : JSON.stringify(body));
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  const { value } = (await json(answer)) as { value: any };
  return { status: answer.statusCode ?? 0, value };
}

async function firstLine(child: ChildProcess): Promise<string> {
  const lines = createInterface(child.stdio[3] as NodeJS.ReadableStream);
  const [line] = await Promise.race([
    once(lines, "line"),
    once(child, "exit").then(() => Promise.reject(new Error("Xvfb does not start"))),
  ]);
  return line;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
