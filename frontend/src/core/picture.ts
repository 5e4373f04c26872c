// The sizes of a picture. An artist's upload has several, and all follow from the path of its widest; a drawing of the
// site has one (shared/src/domain/picture.rs, which the server's page follows).

const WIDTHS = [480, 800, 1_200, 1_600];

/** What `srcset` takes; none for a picture of one size. */
export function srcset(path: string): string | undefined {
  const [, folder, widest] = /^(\/images\/[^/]+\/)(\d+)\.jpg$/.exec(path) ?? [];
  if (folder === undefined) return undefined;
  const most = Number(widest);
  return [...WIDTHS.filter((width) => width < most), most].map((width) => `${folder}${width}.jpg ${width}w`).join(", ");
}

/** How wide the large picture of a page is shown. */
export const HERO_SIZES = "(min-width: 60rem) 50vw, 34rem";

/** How wide a drawing of the gallery is shown. */
export const SHEET_SIZES = "(min-width: 60rem) 30vw, (min-width: 40rem) 45vw, 100vw";
