// The same stage once more, for the three pictures of README.md: `make pictures` runs this.

import { defineConfig } from "@playwright/test";
import stories from "./playwright.config.ts";

export default defineConfig({
  ...stories,
  testDir: "pictures",
  timeout: 180_000,
  reporter: "line",
  outputDir: "../../.inkflow/pictures",
  projects: [{ name: "pictures" }],
});
