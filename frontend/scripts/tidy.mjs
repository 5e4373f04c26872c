// On a touch screen the last thing pressed stays hovered, and looks as if it were chosen: `:hover` only where a pointer can
// leave again.

import { readFileSync } from "node:fs";

const SHEETS = ["src/site.css", "src/dialog/dialog.css", "src/dashboard/dashboard.css", "../tools/dev/pages/dev.css"];
let wrong = 0;

for (const sheet of SHEETS) {
  const text = readFileSync(sheet, "utf8").replace(/\/\*[^]*?\*\//g, (comment) => comment.replace(/[^\n]/g, " "));
  const inside = [];
  let prelude = "";
  let line = 1;
  for (const character of text) {
    if (character === "\n") line += 1;
    if (character === "{") {
      if (prelude.includes(":hover") && !inside.some((outer) => outer.includes("(hover: hover)"))) {
        wrong += 1;
        console.error(
          `${sheet}:${line}: ${prelude.trim()} sticks on a touch screen; put it under @media (hover: hover)`,
        );
      }
      inside.push(prelude);
      prelude = "";
    } else if (character === "}" || character === ";") {
      if (character === "}") inside.pop();
      prelude = "";
    } else prelude += character;
  }
}
process.exitCode = wrong > 0 ? 1 : 0;
