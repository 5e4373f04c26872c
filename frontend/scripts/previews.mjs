// The pictures that messengers show beside a link: they read no SVG, and want 1200 by 630.

import { readdir } from "node:fs/promises";
import sharp from "sharp";

const WIDTH = 1200;
const HEIGHT = 630;
/** The ground of every hero picture, so that the sides show no seam. */
const NIGHT = "#12100e";

for (const file of await readdir("public/hero")) {
  if (!file.endsWith(".svg")) continue;
  const target = `dist/hero/${file.replace(/svg$/, "jpg")}`;
  const { size } = await sharp(`public/hero/${file}`, { density: 72 })
    .resize(WIDTH, HEIGHT, { fit: "contain", background: NIGHT })
    .flatten({ background: NIGHT })
    .jpeg({ quality: 82, mozjpeg: true })
    .toFile(target);
  console.log(`${target} ${WIDTH}x${HEIGHT} ${size} bytes`);
}
