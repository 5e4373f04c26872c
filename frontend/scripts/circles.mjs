// No file needs itself, by whatever way: not for its types either, and not for what it fetches later. And the ground knows
// nobody above it: `core` serves every page, `dialog` whichever page opens it.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const GROUND = { core: [], dialog: ["core"] };

const FILES = readdirSync("src", { recursive: true }).filter((file) => /\.tsx?$/.test(file));
const folder = (file) => file.split("/")[0];

/** The files that a file names, in whichever form. */
function needs(file) {
  const named = readFileSync(join("src", file), "utf8").matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g);
  const paths = Array.from(named, ([, path]) => join(file, "..", path));
  return FILES.filter((other) => paths.includes(other.replace(/\.tsx?$/, "")));
}

const graph = new Map(FILES.map((file) => [file, needs(file)]));
const wrong = [];
const done = new Set();

(function walk(file, way) {
  if (way.includes(file)) return wrong.push(`a circle: ${[...way.slice(way.indexOf(file)), file].join(" -> ")}`);
  if (done.has(file)) return;
  for (const next of file ? graph.get(file) : FILES) walk(next, file ? [...way, file] : way);
  done.add(file);
})("", []);

for (const [file, others] of graph) {
  const known = GROUND[folder(file)];
  const above =
    known && others.filter((other) => other.includes("/") && ![...known, folder(file)].includes(folder(other)));
  for (const other of above ?? []) wrong.push(`src/${file} needs src/${other}, which lies above it`);
}
for (const line of wrong) console.error(line);
process.exitCode = wrong.length > 0 ? 1 : 0;
