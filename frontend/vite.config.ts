// How the site is built, and how it is served while somebody works on it. Nothing here reaches a browser.

import { resolve } from "node:path";
import { defineConfig, type Plugin } from "vite";

const page = (path: string): string => resolve(import.meta.dirname, path);

/** In production a function answers `/artist/<slug>`; the development server has the shell and the same script. */
const artistShell: Plugin = {
  name: "artist-shell",
  configureServer(server) {
    server.middlewares.use((request, _response, next) => {
      if (request.url) request.url = request.url.replace(/^\/artist\/[a-z0-9-]+/, "/artist.html");
      next();
    });
  },
};

/**
 * Vite wraps each dynamic import in a loader for that chunk's styles and imports. No chunk here has any, and the
 * loader is a tenth of the first script. Should the name change in Vite, the budget in the tests says so.
 */
const plainImports: Plugin = {
  name: "plain-imports",
  enforce: "pre",
  apply: "build",
  load: (id) => (id === "\0vite/preload-helper.js" ? "export const __vitePreload = (load) => load();" : null),
};

/** What the function that answers `/artist/<slug>` must name in its page: its setting ASSETS, ready to be read. */
const assetsForThePage: Plugin = {
  name: "assets-for-the-page",
  apply: "build",
  generateBundle: {
    // After Vite has put the addresses of stylesheets into the scripts: that changes the scripts' own names.
    order: "post",
    handler(_, bundle) {
      const files = Object.keys(bundle).map((file) => `/${file}`);
      const find = (pattern: RegExp): string[] => files.filter((file) => pattern.test(file));
      const [js] = find(/\/site-[^/]*\.js$/);
      const artist = { js, css: find(/\/site-[^/]*\.css$/), preload: find(/\.woff2$/) };
      this.emitFile({ type: "asset", fileName: "assets.json", source: JSON.stringify({ artist }) });
    },
  },
};

/**
 * A page's own styles lie over the site's. The bundler names the stylesheet that many pages share last, whatever the page
 * says: of two rules of one weight the site's would win.
 */
const sharedStylesFirst: Plugin = {
  name: "shared-styles-first",
  apply: "build",
  transformIndexHtml: {
    order: "post",
    handler: (html) =>
      html.replace(/(?: *<link rel="stylesheet"[^>]*>\n)+/, (links) => {
        const isShared = (link: string): boolean => link.includes("/assets/site-");
        return links
          .split(/(?<=\n)/)
          .sort((a, b) => Number(isShared(b)) - Number(isShared(a)))
          .join("");
      }),
  },
};

/** A page is indented for whoever writes it; nothing on these pages shows its white space. */
const withoutIndentation: Plugin = {
  name: "without-indentation",
  apply: "build",
  transformIndexHtml: { order: "post", handler: (html) => html.replace(/^ +/gm, "") },
};

export default defineConfig({
  appType: "mpa",
  plugins: [artistShell, plainImports, assetsForThePage, sharedStylesFirst, withoutIndentation],
  build: {
    target: "es2022",
    manifest: true,
    // The policy of the site allows data: URLs for pictures only.
    assetsInlineLimit: 0,
    // Every chunk is one file that needs nothing but the first script: there is nothing to preload.
    modulePreload: false,
    rolldownOptions: {
      input: [
        "index.html",
        "en/index.html",
        "en/404.html",
        "en/legal.html",
        "artist.html",
        "booking/success.html",
        "booking/cancel.html",
        "dashboard.html",
        "404.html",
        "problems.html",
        "legal.html",
      ].map(page),
      output: {
        // One request before the dialog opens: whatever the first script needs is in it. Hooks are the dashboard's, and
        // a hold is shown to those who have one.
        codeSplitting: {
          groups: [
            {
              name: "site",
              test: /preact\/(dist|jsx-runtime)|preload-helper|src\/(site\.tsx|core\/(?!hold-clock)|artist\/(?!english|hold)|failure\/boundary|dialog\/words)/,
              priority: 1,
            },
          ],
        },
      },
    },
  },
  server: {
    // `make dev` runs the API; its address is another one when PORT is set there.
    proxy: { "/api": { target: process.env["INKFLOW_URL"] ?? "http://127.0.0.1:8080" } },
  },
});
