// The same stage, to take pictures instead of telling stories: `make frontend-report` runs this.

import { defineConfig } from "@playwright/test";
import stories from "./playwright.config.ts";

export default defineConfig({
  ...stories,
  testDir: "portraits",
  timeout: 180_000,
  reporter: "line",
  outputDir: "../../.inkflow/report/failures",
  projects: [{ name: "portraits", use: { viewport: { width: 390, height: 844 }, hasTouch: true } }],
});
