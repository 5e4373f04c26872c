// French puts a space that never breaks before double punctuation and inside its quotes. `--fix` puts it there,
// without it a missing one is an error. U+00A0 before a colon and in quotes, U+202F before the others.

import { readFileSync, readdirSync, writeFileSync } from "node:fs";

const FRENCH = readdirSync("src", { recursive: true }).filter((file) => file.endsWith("french.ts")).map((file) => `src/${file}`);
const PAGES = ["index.html", "404.html", "legal.html", "problems.html", "artist.html", "booking/success.html", "booking/cancel.html", "dashboard.html"];
const fix = process.argv.includes("--fix");
let wrong = 0;

/** Only what a reader sees: string literals of the dictionaries, text of the pages; never code. */
function typeset(line, file) {
  const text = (part) =>
    part.replace(/(?<=[\p{L}\d)»”…}%€]) :(?=\s|$)/gu, "\u00a0:").replace(/(?<=[\p{L}\d)»”…}%€]) (?=[;?!](?:\s|$|["`<]))/gu, "\u202f")
      .replace(/« /g, "«\u00a0").replace(/ »/g, "\u00a0»").replace(/(\d) (?=€|%|minutes|h\b|min\b)/g, "$1\u00a0")
      .replace(/(\$\{(?:minutes|seconds)\}) (?=min|sec)/g, "$1\u00a0");
  if (file.endsWith(".html")) return /lang="en"/.test(line) ? line : line.replace(/>[^<]+/g, text);
  return line.replace(/"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`/g, text);
}

for (const file of [...FRENCH, ...PAGES]) {
  const before = readFileSync(file, "utf8");
  const after = before.split("\n").map((line) => typeset(line, file)).join("\n");
  if (after === before) continue;
  if (fix) writeFileSync(file, after);
  else {
    wrong += 1;
    console.error(`${file}: a space that may break stands before double punctuation; run: node scripts/typography.mjs --fix`);
  }
}
process.exitCode = wrong > 0 ? 1 : 0;
