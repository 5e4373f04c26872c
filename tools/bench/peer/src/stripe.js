// Stripe with our key and our version.
import Stripe from "stripe";

const base = new URL(process.env.STRIPE_API_BASE ?? "https://api.stripe.com");

export const stripe = new Stripe(process.env.STRIPE_SECRET_KEY, {
  apiVersion: "2026-09-30.endive",
  protocol: base.protocol.slice(0, -1),
  host: base.hostname,
  port: base.port || undefined,
  maxNetworkRetries: 2,
  timeout: 5000,
  telemetry: false,
});
