// Amounts in whichever currency they came in. Nearly all are euros; of the others the code is said, which no sign says as well.

import { money, region } from "../core/format";

/** An amount in a currency's smallest unit, as Stripe counts and names it: "49 €", "50,00 USD". */
export function amountIn(amount: number, currency: string): string {
  if (currency === "eur") return money(amount);
  try {
    const format = new Intl.NumberFormat(region, { style: "currency", currency, currencyDisplay: "code" });
    return format.format(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
  } catch {
    // No code that a browser knows how to write.
    return `${amount} ${currency.toUpperCase()}`;
  }
}
