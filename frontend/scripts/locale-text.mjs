// What a locale writes is for people: how it writes a date changes between releases of ICU, so nothing may take its text
// apart, or write for a machine with it. Numbers come from `formatToParts`.
//
// What a zone's clock shows is a matter of tables, and those of browsers are often years old: a studio's times come from the
// API as its clock shows them, and only the visitor's own time, which needs no zone, is computed here.

import { readFileSync, readdirSync } from "node:fs";
import ts from "typescript";

const FILES = readdirSync("src", { recursive: true })
  .filter((file) => /\.tsx?$/.test(file) && file !== "api-types.ts")
  .map((file) => `src/${file}`);

const INTL = new Set([
  "DateTimeFormat",
  "NumberFormat",
  "RelativeTimeFormat",
  "ListFormat",
  "PluralRules",
  "DurationFormat",
]);
const WRITERS = new Set(["format", "formatRange", "toLocaleString", "toLocaleDateString", "toLocaleTimeString"]);
/** Our own functions that answer with such a text. */
const WORDS = new Set([
  "money",
  "dateWords",
  "longDay",
  "shortDay",
  "dayRange",
  "clock",
  "span",
  "moment",
  "shortMoment",
  "monthWords",
]);
const READERS = new Set([
  "Number",
  "parseInt",
  "parseFloat",
  "Date",
  "Date.parse",
  "Number.parseInt",
  "Number.parseFloat",
  "exec",
  "test",
  "match",
]);

const nameOf = (callee) => (ts.isPropertyAccessExpression(callee) ? callee.name.text : callee.getText());

/** True for a call whose answer a locale wrote. */
function writes(node) {
  if (!ts.isCallExpression(node)) return false;
  return ts.isPropertyAccessExpression(node.expression)
    ? WRITERS.has(nameOf(node.expression))
    : WORDS.has(nameOf(node.expression));
}

/** True for `timeZone: "Europe/Paris"` and `{ timeZone }`; a civil date at noon UTC names no zone. */
function namesZone(node) {
  if (ts.isShorthandPropertyAssignment(node)) return node.name.text === "timeZone";
  return ts.isPropertyAssignment(node) && node.name.getText() === "timeZone" && node.initializer.getText() !== '"UTC"';
}

/** What is wrong with a node, or null. */
function complaint(node) {
  if (namesZone(node)) return "asks the browser for a zone's clock: print the time as the API tells it";
  if (ts.isNewExpression(node) && INTL.has(nameOf(node.expression)) && node.expression.getText().startsWith("Intl.")) {
    const use = ts.isPropertyAccessExpression(node.parent) ? node.parent.name.text : "";
    const locale = node.arguments?.[0]?.getText();
    if (locale !== "region" && !use.endsWith("ToParts") && use !== "resolvedOptions")
      return `${locale ?? "the browser's locale"} writes, and no reader chose it: use formatToParts`;
  }
  if (!writes(node)) return null;
  const { parent } = node;
  const taken =
    (ts.isPropertyAccessExpression(parent) || ts.isElementAccessExpression(parent)) && parent.expression === node;
  const read =
    (ts.isCallExpression(parent) || ts.isNewExpression(parent)) &&
    parent.arguments?.includes(node) &&
    (READERS.has(parent.expression.getText()) || READERS.has(nameOf(parent.expression)));
  return taken || read ? "takes apart what a locale wrote: use formatToParts" : null;
}

function complaints(text, file) {
  const source = ts.createSourceFile(
    file,
    text,
    ts.ScriptTarget.Latest,
    true,
    file.endsWith("x") ? ts.ScriptKind.TSX : ts.ScriptKind.TS,
  );
  const found = [];
  (function visit(node) {
    const why = complaint(node);
    if (why)
      found.push(
        `${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${why}\n    ${node.getText().split("\n")[0]}`,
      );
    ts.forEachChild(node, visit);
  })(source);
  return found;
}

// A rule that finds nothing is no rule: these are found, those are left alone.
const BAD = [
  'new Intl.DateTimeFormat("en-CA", { year: "numeric" }).format(at)',
  "Number(at.toLocaleString(region))",
  'new Intl.DateTimeFormat(region).format(at).replace(/^0/, "")',
  "at.toLocaleDateString(region).slice(0, 4)",
  "new Date(dateWords(day, {}))",
  "clock(start)[0]",
  "/1 /.test(longDay(day))",
  'new Intl.DateTimeFormat("en", { timeZone }).formatToParts(at)',
  'new Intl.DateTimeFormat("en", { timeZone: artist.timezone }).formatToParts(at)',
];
const GOOD = [
  'new Intl.DateTimeFormat("en", { timeZone: "UTC" }).formatToParts(at)',
  "new Intl.NumberFormat(region, {}).format(cents / 100)",
  "capital(longDay(day))",
  "clock(start) !== clockHere(start)",
  "Intl.DateTimeFormat().resolvedOptions().timeZone",
];
const wrong = [
  ...BAD.filter((line) => complaints(line, "bad.ts").length === 0).map((line) => `not found any more: ${line}`),
  ...GOOD.flatMap((line) => complaints(line, "good.ts")),
  ...FILES.flatMap((file) => complaints(readFileSync(file, "utf8"), file)),
];
for (const line of wrong) console.error(line);
process.exitCode = wrong.length > 0 ? 1 : 0;
