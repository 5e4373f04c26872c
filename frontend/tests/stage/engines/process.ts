import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

/** Asks a process to end, and ends it when it does not. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  const stubborn = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await exit;
  clearTimeout(stubborn);
}
