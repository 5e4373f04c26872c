// The one script of the site: finds out which page this is, and starts it.

import { render } from "preact";
import { ArtistPage } from "./artist/page";
import { speak, t } from "./artist/words";
import { type Artist, Problem, getArtist } from "./core/api";
import { markLanguage } from "./core/language";

const app = document.getElementById("app");

async function readArtist(): Promise<Artist> {
  const data = document.getElementById("data");
  if (data?.textContent) return JSON.parse(data.textContent) as Artist;
  return getArtist(location.pathname.split("/")[2] ?? "");
}

/** What the server wrote is painted before this script takes the processor. */
function firstPaint(): Promise<void> {
  return new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
}

async function startArtist(place: HTMLElement): Promise<void> {
  if (document.getElementById("data")) await firstPaint();
  const [artist] = await Promise.all([readArtist().catch((problem: unknown) => problem), speak()]);
  if (artist instanceof Error) return showFailure(place, artist);
  const found = artist as Artist;
  if (!document.getElementById("data")) document.title = found.display_name;
  render(<ArtistPage artist={found} />, place);
}

function showFailure(place: HTMLElement, problem: Error): void {
  const unknown = problem instanceof Problem && problem.slug === "not-found";
  document.body.classList.add("status");
  render(
    <div class="verdict">
      <h1>{unknown ? t.notFoundTitle : t.failedTitle}</h1>
      <p class="lead">{unknown ? t.notFoundText : t.failedText}</p>
      <p class="actions">
        {unknown ? (
          <a class="button" href="/">
            {t.toHome}
          </a>
        ) : (
          <button type="button" class="button" onClick={() => location.reload()}>
            {t.retry}
          </button>
        )}
      </p>
    </div>,
    place,
  );
}

markLanguage();
if (app?.dataset["page"] === "booking") {
  void import("./booking/page").then(({ start }) => start(app));
} else if (app?.dataset["page"] === "dashboard") {
  void import("./dashboard/app").then(({ start }) => start(app));
} else if (app) {
  void startArtist(app);
}
