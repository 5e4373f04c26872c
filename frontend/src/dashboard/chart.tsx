// Twelve months of deposits: bars and labels in HTML, so that nothing is scaled or clipped. Lying on a phone, standing
// at a desk. Zero is always on it, and a month may lie on either side.

import type { VNode } from "preact";
import { money } from "../core/format";
import type { Month } from "./types";
import { capital, monthWords } from "./when";
import { t } from "./words";

/** A hundred euros: what the scale spans at least, so that a first small deposit looks small. */
const LEAST = 100_00;

interface Scale {
  low: number;
  high: number;
  ticks: number[];
}

/** A scale of round amounts that holds zero and every month. */
export function scaleOf(curve: readonly Month[]): Scale {
  const values = curve.map((month) => month.revenue_cents);
  const top = Math.max(0, ...values);
  const bottom = Math.min(0, ...values);
  const rough = Math.max(top - bottom, LEAST) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((times) => times * power).find((each) => each >= rough) ?? 10 * power;
  const low = Math.floor(bottom / step) * step;
  const high = Math.max(Math.ceil(top / step) * step, top - bottom < LEAST ? LEAST : step);
  const ticks = Array.from({ length: Math.round((high - low) / step) + 1 }, (_, n) => Math.round(low + n * step));
  return { low, high, ticks };
}

export function Chart({ curve }: { curve: readonly Month[] }): VNode {
  const { low, high, ticks } = scaleOf(curve);
  const share = (value: number): string => `${((value - low) / (high - low)) * 100}%`;
  const last = curve.at(-1);
  return (
    <section class="chart" aria-labelledby="chart-title">
      <h2 id="chart-title">{t.chart.title}</h2>
      <figure aria-labelledby="chart-summary">
        <figcaption id="chart-summary">{summary(curve)}</figcaption>
        <div class="plot" aria-hidden="true">
          <div class="ticks">
            {ticks.map((tick) => (
              <span
                class={
                  tick === 0
                    ? "tick zero"
                    : tick === high || (tick === low && low < (low - high) / 3)
                      ? "tick end"
                      : "tick"
                }
                key={tick}
                data-cents={tick}
                style={{ "--at": share(tick) }}
              >
                <span>{money(tick)}</span>
              </span>
            ))}
          </div>
          <ol class="months">
            {curve.map((month, index) => (
              <li key={month.month} class={month === last ? "now" : ""}>
                <span class="name">
                  {monthWords(month.month, "short")}
                  {(index === 0 || month.month.endsWith("-01")) && <small>{month.month.slice(0, 4)}</small>}
                  {month === last && <small>{t.chart.now}</small>}
                </span>
                <span class="lane">
                  <span
                    class={month.revenue_cents < 0 ? "column below" : "column"}
                    style={{
                      "--from": share(Math.min(0, month.revenue_cents)),
                      "--size": `${(Math.abs(month.revenue_cents) / (high - low)) * 100}%`,
                    }}
                  />
                </span>
                <span class="value">{money(month.revenue_cents)}</span>
              </li>
            ))}
          </ol>
        </div>
      </figure>
      <details>
        <summary>{t.chart.table}</summary>
        <div class="wide" role="group" tabIndex={0} aria-label={t.chart.table}>
          <table>
            <caption class="only-heard">{t.chart.title}</caption>
            <thead>
              <tr>
                <th scope="col">{t.chart.month}</th>
                <th scope="col">{t.chart.captured}</th>
                <th scope="col">{t.chart.refunded}</th>
                <th scope="col">{t.chart.revenue}</th>
              </tr>
            </thead>
            <tbody>
              {[...curve].reverse().map((month) => (
                <tr key={month.month}>
                  <th scope="row">{capital(monthWords(month.month, "long", true))}</th>
                  <td>{money(month.captured_cents)}</td>
                  <td>{money(month.refunded_cents)}</td>
                  <td>{money(month.revenue_cents)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </section>
  );
}

/** What the bars say, for those who do not see them and for those in a hurry. */
function summary(curve: readonly Month[]): string {
  const now = curve.at(-1);
  const before = curve.at(-2);
  if (!now || curve.every((month) => month.captured_cents === 0 && month.refunded_cents === 0)) return t.chart.none;
  const parts = [t.chart.summary(monthWords(now.month, "long"), money(now.revenue_cents))];
  // Not "less than last month": the month is not over.
  if (before) parts.push(t.chart.before(capital(monthWords(before.month, "long")), money(before.revenue_cents)));
  const best = curve.reduce((most, month) => (month.revenue_cents > most.revenue_cents ? month : most));
  if (best !== now && best.revenue_cents > 0)
    parts.push(t.chart.best(monthWords(best.month, "long", true), money(best.revenue_cents)));
  parts.push(t.chart.total(money(curve.reduce((sum, month) => sum + month.revenue_cents, 0))));
  return parts.join(" ");
}
