// Weighs what the pages load and asks Lighthouse: median of three, under an applied slow connection. Runs under
// `dev with-site`; writes .inkflow/report/measures.json and fails when a budget is broken.

import { mkdirSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";
import { chromium } from "playwright-core";

const OUT = new URL("../../.inkflow/report/", import.meta.url);
const site = process.env.SITE_URL;
const flags = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const isRoot = process.getuid?.() === 0;

/** What the site promises; sizes in bytes as gzip -9 makes them, times in milliseconds. */
const BUDGETS = {
  "script before the dialog": 12_000,
  "script with the dialog": 20_000,
  "requests of the vitrine": 12,
  "largest contentful paint": 1_600,
  "layout shift": 0.02,
  "blocking time": 50,
  performance: 100,
  accessibility: 100,
  "best-practices": 100,
  seo: 100,
};
const AT_LEAST = new Set(["performance", "accessibility", "best-practices", "seo"]);

const PAGES = [
  { name: "home", path: "/" },
  { name: "artist", path: "/artist/lea-marchetti" },
  { name: "artist, dialog open", path: "/artist/lea-marchetti", then: openDialog },
  { name: "success", path: "/booking/success?id=019aa000-0000-7000-8000-0000000000ff" },
  { name: "legal", path: "/legal" },
];

async function openDialog(page) {
  await page.getByRole("button", { name: /^Réserver Hirondelle/ }).click();
  await page.getByRole("dialog").waitFor();
}

const TEXT = /^(text\/|application\/(json|javascript|manifest|problem)|image\/svg)/;

async function weigh(browser) {
  const weighed = [];
  for (const { name, path, then } of PAGES) {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 }, locale: "fr-FR" });
    const page = await context.newPage();
    const files = [];
    page.on("response", (response) => files.push(response));
    await page.goto(site + path);
    await page.waitForLoadState("networkidle");
    await then?.(page);
    await page.waitForLoadState("networkidle");
    const rows = await Promise.all(
      files.map(async (response) => {
        const body = await response.body().catch(() => Buffer.alloc(0));
        const type = response.headers()["content-type"] ?? "";
        return {
          path: response.url().replace(site, ""),
          kind: response.request().resourceType(),
          bytes: body.length,
          gzip: TEXT.test(type) ? gzipSync(body, { level: 9 }).length : body.length,
        };
      }),
    );
    const of = (kind) => rows.filter((row) => row.kind === kind).reduce((sum, row) => sum + row.gzip, 0);
    weighed.push({
      name,
      requests: rows.length,
      gzip: rows.reduce((sum, row) => sum + row.gzip, 0),
      script: of("script"),
      style: of("stylesheet"),
      rows,
    });
    await context.close();
  }
  return weighed;
}

/** Three runs in a browser each; the one in the middle by its largest paint speaks. */
async function audit(name, path) {
  const runs = [];
  for (let run = 0; run < 3; run += 1) {
    // Its own launcher: Playwright's flags would switch off what Lighthouse looks at.
    const chrome = await launch({
      chromePath: process.env.CHROMIUM_BIN,
      chromeFlags: ["--headless=new", ...flags, ...(isRoot ? ["--no-sandbox"] : [])],
    });
    try {
      runs.push(
        await lighthouse(site + path, {
          port: chrome.port,
          output: "html",
          logLevel: "error",
          throttlingMethod: "devtools",
          onlyCategories: ["performance", "accessibility", "best-practices", "seo"],
        }),
      );
    } finally {
      chrome.kill();
    }
  }
  const paint = (run) => run.lhr.audits["largest-contentful-paint"].numericValue;
  runs.sort((a, b) => paint(a) - paint(b));
  const middle = runs[1];
  writeFileSync(new URL(`lighthouse-${name}.html`, OUT), middle.report);
  const { audits, categories } = middle.lhr;
  const median = (id) => runs.map((run) => run.lhr.audits[id].numericValue).sort((a, b) => a - b)[1];
  const score = (id) => runs.map((run) => Math.round(run.lhr.categories[id].score * 100)).sort((a, b) => a - b)[1];
  return {
    name,
    path,
    scores: Object.fromEntries(Object.keys(categories).map((id) => [id, score(id)])),
    "first contentful paint": Math.round(median("first-contentful-paint")),
    "largest contentful paint": Math.round(median("largest-contentful-paint")),
    "all largest paints": runs.map((run) => Math.round(paint(run))),
    "layout shift": Number(median("cumulative-layout-shift").toFixed(4)),
    "blocking time": Math.round(median("total-blocking-time")),
    complaints: Object.values(audits)
      .filter(
        (audit) =>
          audit.score !== null &&
          audit.score < 1 &&
          !["informative", "notApplicable", "manual"].includes(audit.scoreDisplayMode),
      )
      .map((audit) => `${audit.id}: ${audit.displayValue ?? audit.title}`),
  };
}

mkdirSync(OUT, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_BIN,
  chromiumSandbox: !isRoot,
  args: flags,
});
const pages = await weigh(browser);
await browser.close();
const audits = [await audit("artist", "/artist/lea-marchetti"), await audit("home", "/")];

const by = (name) => pages.find((page) => page.name === name);
const [artist] = audits;
const found = {
  "script before the dialog": by("artist").script,
  "script with the dialog": by("artist, dialog open").script,
  "requests of the vitrine": by("artist").requests,
  "largest contentful paint": artist["largest contentful paint"],
  "layout shift": artist["layout shift"],
  "blocking time": artist["blocking time"],
  ...artist.scores,
};
const budgets = Object.entries(BUDGETS).map(([name, limit]) => {
  const value = found[name];
  return { name, value, limit, kept: AT_LEAST.has(name) ? value >= limit : value <= limit };
});

console.log("\npage                  requests   gzip in all   script   style");
for (const page of pages) {
  console.log(
    `${page.name.padEnd(22)}${String(page.requests).padStart(8)}${String(page.gzip).padStart(14)}${String(page.script).padStart(9)}${String(page.style).padStart(8)}`,
  );
}
for (const audit of audits) {
  console.log(`\nLighthouse, ${audit.name} (mobile, applied throttling, median of 3): ${JSON.stringify(audit.scores)}`);
  console.log(
    `  LCP ${audit["largest contentful paint"]} ms (${audit["all largest paints"].join(", ")}), FCP ${audit["first contentful paint"]} ms, CLS ${audit["layout shift"]}, TBT ${audit["blocking time"]} ms`,
  );
  for (const complaint of audit.complaints) console.log(`  - ${complaint}`);
}
console.log("\nbudget                          found     limit");
for (const { name, value, limit, kept } of budgets)
  console.log(`${kept ? "  " : "! "}${name.padEnd(26)}${String(value).padStart(9)}${String(limit).padStart(10)}`);
writeFileSync(new URL("measures.json", OUT), JSON.stringify({ pages, audits, budgets }, null, 1));
process.exitCode = budgets.every((budget) => budget.kept) ? 0 : 1;
