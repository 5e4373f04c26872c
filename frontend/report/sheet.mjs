// Lays the measures and every picture on one sheet: .inkflow/report/index.html, and the same as PNG.

import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const OUT = new URL("../../.inkflow/report/", import.meta.url);
const escape = (text) =>
  String(text).replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);
const table = (head, rows) =>
  `<table><tr>${head.map((cell) => `<th>${escape(cell)}</th>`).join("")}</tr>${rows.map((row) => `<tr>${row.map((cell) => `<td>${escape(cell)}</td>`).join("")}</tr>`).join("")}</table>`;

/** The phone first, then the desk, then the special ways of looking. */
const ORDER = ["390", "320", "390 at 200 %", "390 forced colours", "390 reduced motion", "1280", "1280 forced colours"];
const place = (file) => [file.slice(0, 2) === "fr" ? 0 : 1, ORDER.indexOf(file.slice(3, -4))];

function states() {
  const shots = new URL("shots/", OUT);
  return readdirSync(shots)
    .sort()
    .map((state) => {
      const files = readdirSync(new URL(`${encodeURIComponent(state)}/`, shots)).sort(
        (a, b) => place(a)[0] - place(b)[0] || place(a)[1] - place(b)[1],
      );
      const figure = (file) => {
        const link = `shots/${encodeURIComponent(state)}/${encodeURIComponent(file)}`;
        return `<figure class="${/^.. 1280/.test(file) ? "desk" : "phone"}"><a href="${link}"><img src="${link}" alt=""></a><figcaption>${escape(file.slice(0, -4))}</figcaption></figure>`;
      };
      const rows = ["fr", "en"].map(
        (lang) =>
          `<div class="row">${files
            .filter((file) => file.startsWith(lang))
            .map(figure)
            .join("")}</div>`,
      );
      return `<section><h2>${escape(state)}</h2>${rows.join("")}</section>`;
    });
}

function measures() {
  let found;
  try {
    found = JSON.parse(readFileSync(new URL("measures.json", OUT), "utf8"));
  } catch {
    return "<p>Nothing was measured this time.</p>";
  }
  const { pages, audits, budgets } = found;
  return [
    table(
      ["budget", "found", "limit", ""],
      budgets.map((each) => [each.name, each.value, each.limit, each.kept ? "kept" : "BROKEN"]),
    ),
    table(
      ["page", "requests", "gzip", "script", "style"],
      pages.map((page) => [page.name, page.requests, page.gzip, page.script, page.style]),
    ),
    ...pages.map(
      (page) =>
        `<details><summary>${escape(page.name)}</summary>${table(
          ["file", "kind", "bytes", "gzip"],
          page.rows.map((row) => [row.path, row.kind, row.bytes, row.gzip]),
        )}</details>`,
    ),
    ...audits.map(
      (audit) =>
        `<p><a href="lighthouse-${audit.name}.html">Lighthouse, ${escape(audit.name)}</a>: ${escape(JSON.stringify(audit.scores))}, LCP ${audit["largest contentful paint"]} ms, CLS ${audit["layout shift"]}, TBT ${audit["blocking time"]} ms. ${escape(audit.complaints.join(" · "))}</p>`,
    ),
  ].join("\n");
}

const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>InkFlow, every state</title>
<style>
body { font: 15px/1.4 system-ui, sans-serif; margin: 24px; background: #d9d9d6; color: #111; }
table { border-collapse: collapse; margin: 0 0 16px; background: #fff; } td, th { padding: 3px 10px; border: 1px solid #bbb; text-align: left; }
h2 { margin: 28px 0 8px; } .row { display: flex; gap: 12px; align-items: flex-start; margin-bottom: 16px; }
figure { margin: 0; } figure img { display: block; width: 100%; max-height: 900px; object-fit: cover; object-position: top; background: #fff; }
.phone { width: 200px; } .desk { width: 400px; } figcaption { font-size: 12px; }
</style><h1>InkFlow, every state</h1>${measures()}${states().join("\n")}</html>`;
writeFileSync(new URL("index.html", OUT), html);

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_BIN,
  chromiumSandbox: process.getuid?.() !== 0,
  args: ["--disable-gpu"],
});
const page = await browser.newPage({ viewport: { width: 1960, height: 1000 } });
await page.goto(new URL("index.html", OUT).href);
// One picture holds 16 384 pixels of height, so a long sheet is several.
const height = await page.evaluate(() => document.documentElement.scrollHeight);
const files = [];
for (let top = 0, n = 1; top < height; top += 8000, n += 1) {
  const file = new URL(`sheet-${n}.png`, OUT);
  await page.screenshot({
    path: fileURLToPath(file),
    fullPage: true,
    clip: { x: 0, y: top, width: 1960, height: Math.min(8000, height - top) },
  });
  files.push(fileURLToPath(file));
}
await browser.close();
console.log(`\nLook at it: ${fileURLToPath(new URL("index.html", OUT))}\n  ${files.join("\n  ")}`);
