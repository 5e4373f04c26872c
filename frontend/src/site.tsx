// The one script of the site: finds out which page this is, and starts it.

import { render } from "preact";
import { ArtistPage } from "./artist/page";
import { speak, t } from "./artist/words";
import { type Artist, Problem, getArtist } from "./core/api";
import { markLanguage } from "./core/language";
import { Boundary, Broken, Unanswered } from "./failure/boundary";
import type { Root } from "./failure/failure";

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
  render(
    <Boundary root="artist">
      <ArtistPage artist={found} />
    </Boundary>,
    place,
  );
}

function showFailure(place: HTMLElement, problem: Error): void {
  const unknown = problem instanceof Problem && problem.slug === "not-found";
  document.body.classList.add("status");
  render(
    unknown ? (
      <div class="verdict">
        <h1>{t.notFoundTitle}</h1>
        <p class="lead">{t.notFoundText}</p>
        <p class="actions">
          <a class="button" href="/">
            {t.toHome}
          </a>
        </p>
      </div>
    ) : (
      <Unanswered />
    ),
    place,
  );
}

/** A page whose script does not arrive, or fails before anything is drawn, says so as well. */
function begin(root: Root, place: HTMLElement, started: Promise<void>): void {
  started.catch((error: unknown) => {
    render(
      <Boundary root={root}>
        <Broken error={error} />
      </Boundary>,
      place,
    );
  });
}

markLanguage();
if (app?.dataset["page"] === "booking") {
  begin(
    "booking",
    app,
    import("./booking/page").then(({ start }) => start(app)),
  );
} else if (app?.dataset["page"] === "dashboard") {
  begin(
    "dashboard",
    app,
    import("./dashboard/app").then(({ start }) => start(app)),
  );
} else if (app) {
  begin("artist", app, startArtist(app));
}
