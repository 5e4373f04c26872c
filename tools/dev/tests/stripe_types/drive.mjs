// Drives the stand-in with Stripe's own SDK, and writes each answer down as a literal of the type that the SDK gives it.
// node drive.mjs FOLDER-OF-THE-PACKAGES ADDRESS-OF-THE-STAND-IN KEY ACCOUNT FOLDER-TO-WRITE-TO

import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [packages, address, key, connected, folder] = process.argv.slice(2);
const sdk = join(packages, "stripe/esm");
const { default: Stripe } = await import(pathToFileURL(join(sdk, "stripe.esm.node.js")));
const { hostname, port } = new URL(address);
const stripe = new Stripe(key, { host: hostname, port: Number(port), protocol: "http", maxNetworkRetries: 0 });

const answers = [];

function keep(type, answer) {
  answers.push({ type, json: JSON.stringify(answer) });
  return answer;
}

async function refused(what, promise, code) {
  const error = await promise.then(
    () => new Error("it was accepted"),
    (error) => error,
  );
  if (error.code !== code) throw new Error(`${what}: ${error.code}, not ${code}: ${error.message}`);
}

function same(what, seen, wanted) {
  if (JSON.stringify(seen) !== JSON.stringify(wanted)) {
    throw new Error(`${what}: ${JSON.stringify(seen)}, not ${JSON.stringify(wanted)}`);
  }
}

async function control(path, body) {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${address}/_control/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

const inAnHour = () => Math.floor(Date.now() / 1000) + 3600;

function session(as, more = {}) {
  return stripe.checkout.sessions.create(
    {
      mode: "payment",
      line_items: [
        { quantity: 1, price_data: { currency: "eur", unit_amount: 8000, product_data: { name: "Acompte" } } },
      ],
      allowed_payment_method_types: ["card"],
      customer_email: "camille@example.com",
      client_reference_id: "booking-1",
      metadata: { booking_id: "booking-1" },
      payment_intent_data: { metadata: { booking_id: "booking-1" }, description: "Acompte" },
      locale: "fr",
      custom_text: { submit: { message: "Rendu en entier si l’artiste annule." } },
      adaptive_pricing: { enabled: false },
      phone_number_collection: { enabled: true },
      expires_at: inAnHour(),
      success_url: "https://shop.example/success?session={CHECKOUT_SESSION_ID}",
      cancel_url: "https://shop.example/cancel",
      ...more,
    },
    as,
  );
}

async function paid(as) {
  const { id } = await session(as);
  await control(`sessions/${id}/pay`, { outcome: "paid" });
  return (await stripe.checkout.sessions.retrieve(id, {}, as)).payment_intent;
}

async function sessions(as) {
  const open = keep("Stripe.Checkout.Session", await session(as));
  const { id } = keep("Stripe.Checkout.Session", await session(as, { expand: ["line_items"], submit_type: "book" }));
  await control(`sessions/${id}/pay`, { outcome: "declined" });
  await control(`sessions/${id}/pay`, { outcome: "paid_later" });
  const expand = ["line_items", "payment_intent.latest_charge"];
  keep("Stripe.Checkout.Session", await stripe.checkout.sessions.retrieve(id, { expand }, as));
  await control(`sessions/${id}/settle`, { succeeded: true });
  keep("Stripe.ApiList<Stripe.LineItem>", await stripe.checkout.sessions.listLineItems(id, {}, as));
  keep("Stripe.Checkout.Session", await stripe.checkout.sessions.expire(open.id, {}, as));
  keep("Stripe.ApiList<Stripe.Checkout.Session>", await stripe.checkout.sessions.list({ status: "complete" }, as));
  await refused("an expired session", stripe.checkout.sessions.expire(open.id, {}, as), undefined);
}

async function payments(as) {
  const declined = await session(as);
  await control(`sessions/${declined.id}/pay`, { outcome: "declined" });
  const intent = await paid(as);
  const expand = ["latest_charge.balance_transaction"];
  const whole = keep("Stripe.PaymentIntent", await stripe.paymentIntents.retrieve(intent, { expand }, as));
  same("the net of a payment", whole.latest_charge.balance_transaction.net, 8000 - 145);
  keep("Stripe.ApiList<Stripe.PaymentIntent>", await stripe.paymentIntents.list({ limit: 100 }, as));
  const charge = { expand: ["payment_intent", "balance_transaction"] };
  keep("Stripe.Charge", await stripe.charges.retrieve(whole.latest_charge.id, charge, as));
  keep("Stripe.ApiList<Stripe.Charge>", await stripe.charges.list({ payment_intent: intent }, as));
  keep("Stripe.ApiList<Stripe.Charge>", await stripe.charges.list({ limit: 100 }, as));
}

async function refunds(as) {
  const intent = await paid(as);
  const give = (amount) => stripe.refunds.create({ payment_intent: intent, amount, metadata: { by: "hand" } }, as);
  const given = keep("Stripe.Refund", await give(1000));
  await control("switches", { refunds: "stay_pending" });
  const pending = keep("Stripe.Refund", await give(1100));
  await control(`refunds/${pending.id}/fail`, { reason: "declined" });
  const calledOff = keep("Stripe.Refund", await give(1200));
  await control(`refunds/${calledOff.id}/cancel`, {});
  await control("switches", { refunds: "requires_action" });
  const waiting = keep("Stripe.Refund", await give(1300));
  keep("Stripe.Refund", await stripe.refunds.cancel(waiting.id, {}, as));
  await control("switches", { refunds: "succeed", balance: 10 });
  await refused("a refund without money", give(1400), "balance_insufficient");
  await control("switches", { balance: null });
  await refused("a refund of too much", give(7001), undefined);
  const expand = ["charge", "payment_intent", "balance_transaction", "failure_balance_transaction"];
  for (const { id } of [given, pending, calledOff, waiting]) {
    keep("Stripe.Refund", await stripe.refunds.retrieve(id, { expand }, as));
  }
  const list = keep("Stripe.ApiList<Stripe.Refund>", await stripe.refunds.list({ payment_intent: intent }, as));
  same("the refunds", list.data.map(({ status }) => status), ["canceled", "canceled", "failed", "succeeded"]);
}

async function disputes(as) {
  const kind = "Stripe.Dispute";
  const ways = [
    ["needs_response", "under_review", "lost", "appeal_needs_response", "appeal_under_review", "won"],
    ["warning_needs_response", "warning_under_review", "needs_response", "lost"],
    ["warning_needs_response", "warning_closed"],
    ["prevented"],
    ["lost"],
  ];
  for (const [status, ...next] of ways) {
    const payment = await paid(as);
    const { id } = await control("disputes", { payment, amount: 3000, status, reason: "general", due_in_days: 5 });
    keep(kind, await stripe.disputes.retrieve(id, {}, as));
    for (const status of next) {
      await control(`disputes/${id}/move`, { status });
      same("the dispute", keep(kind, await stripe.disputes.retrieve(id, {}, as)).status, status);
    }
  }
  const payment = await paid(as);
  const [one, two] = [
    await control("disputes", { payment, amount: 3000 }),
    await control("disputes", { payment, amount: 2000 }),
  ];
  const evidence = { uncategorized_text: "They came.", customer_name: "Camille" };
  keep(kind, await stripe.disputes.update(one.id, { evidence, submit: false, metadata: { case: "7" } }, as));
  keep(kind, await stripe.disputes.update(one.id, { submit: true, expand: ["charge", "payment_intent"] }, as));
  await refused("evidence after it was sent", stripe.disputes.update(one.id, { evidence }, as), undefined);
  keep(kind, await stripe.disputes.close(two.id, {}, as));
  await refused("a refund of what is disputed", stripe.refunds.create({ payment_intent: payment }, as), "charge_disputed");
  keep("Stripe.ApiList<Stripe.Dispute>", await stripe.disputes.list({ payment_intent: payment }, as));
}

async function balance(as) {
  const balance = keep("Stripe.Balance", await stripe.balance.retrieve({}, as));
  const expand = ["data.source"];
  const all = [];
  for await (const movement of stripe.balanceTransactions.list({ limit: 7, expand }, as)) {
    all.push(keep("Stripe.BalanceTransaction", movement));
  }
  const sum = (rows, name) => rows.reduce((cents, row) => cents + row[name], 0);
  same("the balance", sum([...balance.available, ...balance.pending], "amount"), sum(all, "net"));
  const types = [...new Set(all.map(({ type }) => type))].sort();
  same("the types", types, ["adjustment", "charge", "refund", "refund_failure"]);
  keep("Stripe.BalanceTransaction", await stripe.balanceTransactions.retrieve(all[0].id, {}, as));
  const some = await stripe.balanceTransactions.list({ type: "adjustment", created: { gte: 0 } }, as);
  keep("Stripe.ApiList<Stripe.BalanceTransaction>", some);
  await refused("another's", stripe.balanceTransactions.retrieve("txn_none", {}, as), "resource_missing");
}

async function events(as) {
  const seen = new Set();
  for await (const event of stripe.events.list({ limit: 100 }, as)) {
    same("the account", event.account, as.stripeAccount);
    seen.add(event.type);
    keep(`Extract<Stripe.Event, { type: "${event.type}" }>`, event);
  }
  for (const kind of ["created", "updated", "closed", "funds_withdrawn", "funds_reinstated"]) {
    same(`charge.dispute.${kind}`, seen.has(`charge.dispute.${kind}`), true);
  }
}

/// The words of a closed union of the SDK.
function words(file, type) {
  const text = readFileSync(join(sdk, "resources", file), "utf8");
  const union = new RegExp(`type ${type} = ([^;]+);`).exec(text)[1];
  return [...union.matchAll(/'([^']+)'/g)].map(([, word]) => word);
}

async function endpoints() {
  const enabled_events = words("WebhookEndpoints.d.ts", "EnabledEvent");
  const url = "https://shop.example/hook";
  for (const api_version of words("WebhookEndpoints.d.ts", "ApiVersion")) {
    const { id } = await stripe.webhookEndpoints.create({ url, enabled_events: ["*"], api_version });
    await stripe.webhookEndpoints.del(id);
  }
  const made = keep(
    "Stripe.WebhookEndpoint",
    await stripe.webhookEndpoints.create({ url, enabled_events, connect: true, metadata: { of: "InkFlow" } }),
  );
  keep("Stripe.WebhookEndpoint", await stripe.webhookEndpoints.update(made.id, { disabled: true, description: "" }));
  keep("Stripe.WebhookEndpoint", await stripe.webhookEndpoints.retrieve(made.id));
  keep("Stripe.ApiList<Stripe.WebhookEndpoint>", await stripe.webhookEndpoints.list());
  keep("Stripe.DeletedWebhookEndpoint", await stripe.webhookEndpoints.del(made.id));
  const unknown = stripe.webhookEndpoints.create({ url, enabled_events: ["no.such.event"] });
  await refused("an event that nobody knows", unknown, undefined);
}

// The SDK's types with every union closed, and decimals as they travel.
function closeTheTypes() {
  const types = join(folder, "types");
  cpSync(sdk, types, { recursive: true, filter: (name) => !/\.(js|map)$/.test(name) });
  const change = (file, before, after) => {
    const text = readFileSync(join(types, file), "utf8");
    if (!text.includes(before)) throw new Error(`${file} says no longer: ${before}`);
    writeFileSync(join(types, file), text.replace(before, after));
  };
  change("shared.d.ts", "export type OtherString = string & Record<never, never>;", "export type OtherString = never;");
  change("shared.d.ts", "export { Decimal } from './Decimal.js';", "export type Decimal = string;");
}

function write() {
  const dispute = answers.find(({ type }) => type === "Stripe.Dispute").json;
  const broken = [
    dispute.replace(`"status":"needs_response"`, `"status":"on_holiday"`),
    dispute.replace(`"amount":3000`, `"amount":"3000"`),
    dispute.replace(`"livemode":false,`, ""),
    dispute.replace(`"livemode":false,`, `"livemode":false,"colour":"red",`),
  ];
  const lines = answers.map(({ type, json }, at) => `export const answer${at}: ${type} = ${json};`);
  for (const json of broken) {
    if (json === dispute) throw new Error("a dispute is not what it was");
    lines.push("// @ts-expect-error", `export const wrong${lines.length}: Stripe.Dispute = ${json};`);
  }
  mkdirSync(folder, { recursive: true });
  closeTheTypes();
  writeFileSync(
    join(folder, "answers.ts"),
    [`import type Stripe from "./types/stripe.esm.node.js";`, ...lines, ""].join("\n"),
  );
}

await endpoints();
for (const as of [{}, { stripeAccount: connected }]) {
  for (const part of [sessions, payments, refunds, disputes, balance, events]) await part(as);
}
write();
console.log(answers.length);
// Its connections are kept alive.
process.exit(0);
