// French puts a space that never breaks before double punctuation and inside its quotes. `--fix` puts it there,
// without it a missing one is an error. U+00A0 before a colon and in quotes, U+202F before the others.

import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import ts from "typescript";

const FRENCH = readdirSync("src", { recursive: true })
  .filter((file) => file.endsWith("french.ts"))
  .map((file) => `src/${file}`);
const PAGES = [
  "index.html",
  "404.html",
  "legal.html",
  "problems.html",
  "artist.html",
  "booking/success.html",
  "booking/cancel.html",
  "dashboard.html",
];
const fix = process.argv.includes("--fix");
let wrong = 0;

function typeset(text) {
  return text
    .replace(/(?<=[\p{L}\d)»”…}%€])[ \n]+:(?=\s|$)/gu, "\u00a0:")
    .replace(/(?<=[\p{L}\d)»”…}%€])[ \n]+(?=[;?!](?:\s|$|["`<]))/gu, "\u202f")
    .replace(/«[ \n]+/g, "«\u00a0")
    .replace(/[ \n]+»/g, "\u00a0»")
    .replace(/(\d)[ \n]+(?=€|%|minutes|h\b|min\b)/g, "$1\u00a0");
}

/** Only what a reader sees of a dictionary: its strings, and of a template what stands around the code. */
function dictionary(text, file) {
  const found = [];
  (function visit(node) {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node))
      found.push(node);
    ts.forEachChild(node, visit);
  })(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  for (const node of found.reverse()) {
    const counted = ts.isTemplateSpan(node.parent) && ["minutes", "seconds"].includes(node.parent.expression.getText());
    const words = counted ? node.getText().replace(/^\} (?=min|sec)/, "}\u00a0") : node.getText();
    text = text.slice(0, node.getStart()) + typeset(words) + text.slice(node.end);
  }
  return text;
}

/** Only what a reader sees of a page: the text of what is not English. */
function page(text) {
  const english = [];
  return text.replace(/<!--[^]*?-->|<[^>]+>|[^<]+/g, (part) => {
    const [, end, name] = /^<(\/?)(\w+)/.exec(part) ?? [];
    if (!name) return english.includes(true) || part.startsWith("<") ? part : typeset(part);
    if (end) english.pop();
    else if (!/^(meta|link|br|img|input)$/.test(name)) english.push(/ lang="en"/.test(part));
    return part;
  });
}

for (const file of [...FRENCH, ...PAGES]) {
  const before = readFileSync(file, "utf8");
  const after = file.endsWith(".html") ? page(before) : dictionary(before, file);
  if (after === before) continue;
  if (fix) writeFileSync(file, after);
  else {
    wrong += 1;
    console.error(
      `${file}: a space that may break stands before double punctuation; run: node scripts/typography.mjs --fix`,
    );
  }
}
process.exitCode = wrong > 0 ? 1 : 0;
