// After the payment page: what the database says about a booking, never what the address suggests.

import { api, civilDate, clock, h, lang, leaveFor, longDate, money, remember, t, titleOf, translatePage } from "/words.js";

const QUICK = [1, 2, 4, 8, 8, 8, 8, 8];
const SLOW = 20;
const GIVE_UP_AFTER = 40;

const app = document.querySelector("#app");
const id = new URLSearchParams(location.search).get("id") ?? "";
const stopped = app.dataset.page === "cancel";
let turn = 0;

translatePage();
look();

async function look() {
  let found;
  try {
    if (!/^[0-9a-f-]{36}$/i.test(id)) return show(unknown());
    found = await api(`/api/bookings/${id}`);
  } catch (problem) {
    if (problem.slug === "not-found" || problem.slug === "malformed" || problem.slug === "invalid") return show(unknown());
    if (turn === 0) show(unread());
    return later();
  }
  const { face, waiting } = read(found);
  show(face);
  if (!waiting) remember("hold", null);
  if (found.acompte_paid) remember("answers", null);
  if (waiting) later();
}

function later() {
  if (turn >= GIVE_UP_AFTER) return;
  const seconds = QUICK[turn] ?? SLOW;
  turn += 1;
  setTimeout(look, seconds * 1000);
}

function show(face) {
  document.title = `${face.title} · InkFlow`;
  // Drawn again only when something changed, so that a screen reader hears each state once.
  const mark = JSON.stringify([face.title, face.text, face.mark]);
  if (app.dataset.mark === mark) return;
  app.dataset.mark = mark;
  app.replaceChildren(
    h("p", { class: `seal ${face.tone}`, "aria-hidden": "true" }, { good: "✓", wait: "…", bad: "!" }[face.tone]),
    h("h1", { tabindex: -1 }, face.title),
    h("div", { role: "status" }, face.text.map((text) => h("p", { class: "lead" }, text))),
    ...(face.more ?? []),
  );
}

function unknown() {
  return { tone: "bad", title: t.unknownTitle, text: [t.unknownText], more: [home()] };
}

function unread() {
  return { tone: "wait", title: t.yourBooking, text: [t.statusFailed], more: [h("button", { type: "button", class: "button quiet", onclick: look }, t.retry)] };
}

function home() {
  return h("p", {}, h("a", { href: "/" }, t.toHome));
}

/** Which face a booking has, and whether it may still change by itself. */
function read(b) {
  const { status, payment_status: payment, cancel_reason: reason } = b;
  const deposit = money(b.deposit_cents);
  const until = b.hold_expires_at && clock(b.hold_expires_at, b.timezone);
  const face = (tone, title, ...text) => ({ tone, title, text, mark: [until, b.checkout_url, b.calendar_url, turn > QUICK.length], more: [details(b), ...links(b)] });

  if (payment === "disputed") return { face: face("bad", t.disputedTitle, t.disputedText) };
  if (status === "completed") return { face: face("good", t.doneTitle, t.doneText) };
  if (status === "confirmed") {
    return b.acompte_paid ? { face: face("good", t.paidTitle, t.paidText(deposit)) } : { face: face("good", t.confirmedTitle, t.confirmedText) };
  }
  if (status === "cancelled") {
    const moneyCame = payment === "refund_pending" || payment === "refunded" || b.refunded_cents > 0;
    if (reason === "hold_expired" || reason === "payment_failed") {
      if (moneyCame) return { face: face("bad", t.lateTitle, t.lateText(money(b.refunded_cents || b.deposit_cents))), waiting: payment === "refund_pending" };
      return { face: face("bad", reason === "payment_failed" ? t.failedTitle : t.lapsedTitle, t.lapsedText) };
    }
    const refund = payment === "refund_pending" ? t.refundComing : b.refunded_cents > 0 ? t.refunded(money(b.refunded_cents)) : b.acompte_paid ? t.notRefunded : "";
    return { face: face("bad", t.cancelledTitle, ...[t.cancelledBy[reason], refund].filter(Boolean)), waiting: payment === "refund_pending" };
  }
  // Pending: the payment may be on its way, or never have been made.
  if (b.hold_lapsed) return { face: face("wait", t.overdueTitle, t.overdueText), waiting: true };
  if (stopped && b.checkout_url) return { face: face("wait", t.stoppedTitle, t.stoppedText(until)), waiting: true };
  const long = turn >= QUICK.length;
  const text = [long ? t.checkingLong : t.checkingText];
  if (b.checkout_url && until && (stopped || turn > 3)) text.push(t.notPaidYet(until));
  return { face: face("wait", t.checkingTitle, ...text), waiting: true };
}

function details(b) {
  const row = (name, value, className) => value && h("div", { class: className }, h("dt", {}, name), h("dd", {}, value));
  const place = [b.artist.address, b.artist.address?.includes(b.artist.city) ? null : b.artist.city].filter(Boolean).join(", ");
  return h(
    "dl",
    { class: "summary" },
    row(b.type === "flash" ? t.flash : t.project, titleOf(b)),
    row(t.with, b.artist.display_name),
    row(t.date, longDate(civilDate(b.start, b.timezone))),
    row(t.time, `${clock(b.start, b.timezone)} – ${clock(b.end, b.timezone)} (${b.timezone})`),
    row(t.place, place),
    b.status !== "cancelled" && row(b.acompte_paid ? t.paid : t.toPay, money(b.deposit_cents), "strong"),
    b.status !== "cancelled" && typeof b.rest_cents === "number" && row(t.rest, money(b.rest_cents)),
  );
}

function links(b) {
  const page = `/artist/${encodeURIComponent(b.artist.slug)}`;
  const live = b.status === "confirmed";
  const payable = b.status === "pending" && b.checkout_url && (stopped || turn > 3);
  const gone = b.status === "cancelled" || b.hold_lapsed;
  return [
    h(
      "p",
      { class: "actions" },
      payable && h("button", { type: "button", class: "button", onclick: () => leaveFor(b.checkout_url) }, t.resume),
      live && webAddress(b.calendar_url) && h("a", { class: "button", href: b.calendar_url, rel: "noopener" }, t.openCalendar),
      h("a", { class: gone ? "button" : "button quiet", href: page, hreflang: lang }, gone || payable ? t.otherSlot : t.backToArtist(b.artist.display_name)),
    ),
  ];
}

function webAddress(address) {
  return typeof address === "string" && /^https?:\/\//.test(address);
}
