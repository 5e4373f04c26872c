// The landing page of the local platform: shows its state and pulls its switches. It knows nothing of bookings.

const lang = (new URLSearchParams(location.search).get("lang") ?? navigator.language).startsWith("en") ? "en" : "fr";

/** An element with its attributes, listeners (`onchange`) and children. */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat());
  return element;
}

const fr = {
  up: (when) => `Tout fonctionne depuis ${when}.`,
  down: "La plateforme ne répond plus : elle est arrêtée, ou elle redémarre.",
  onTime: "Les fonctions sont à l’heure de la machine.",
  shifted: (span) => `Les fonctions et les simulateurs vivent ${span} plus tard que la machine.`,
  minutes: (n) => (n === 1 ? "1 minute" : `${n} minutes`),
  hours: (n) => (n === 1 ? "1 heure" : `${n} heures`),
  days: (n) => (n === 1 ? "1 jour" : `${n} jours`),
  waiting: "Messages en file",
  working: "En cours",
  dead: "File morte",
  mails: "E-mails",
  unknown: "?",
  services: {
    mail: "E-mail (SES)",
    queue: "File (SQS)",
    postgres: "PostgreSQL",
    stripe: "API de Stripe",
    webhooks: "Webhooks de Stripe",
    calendar: "Agenda (Cal.com)",
    accounts: "Comptes (Supabase Auth)",
  },
  positions: {
    ok: "marche",
    down: "en panne",
    slow: "lent",
    bounce: "refuse tout",
    late: "répond tard",
    mute: "ne répond pas",
    returned: "accepte, puis rend",
  },
  lost: "tous perdus",
  outside: "Le vrai service, ou le vôtre : rien à couper d’ici.",
  sweep: (done) => `Balayage fait : ${done || "rien à faire"}.`,
  swept: {
    relayed: "tâches relancées",
    not_relayed: "tâches en attente",
    asked: "paiements vérifiés",
    payments_found: "paiements retrouvés",
    released: "créneaux rendus",
    forgotten: "traces effacées",
    failed: "échecs",
  },
  clock: "L’heure a changé.",
  killed: (n) => (n === 0 ? "Aucune instance ne tournait." : n === 1 ? "1 instance tuée." : `${n} instances tuées.`),
  armed: "La prochaine tâche du worker sera interrompue en plein travail.",
  reset: "Tout est remis à zéro.",
  real: "Les comptes sont ceux d’un vrai projet Supabase : entrez par /dashboard.",
  sure: "Effacer toutes les réservations de cette machine ?",
  failed: (why) => `Refusé : ${why}`,
};

const en = {
  up: (when) => `Everything has been running since ${when}.`,
  down: "The platform does not answer: it has stopped, or is starting again.",
  onTime: "The functions keep the machine’s time.",
  shifted: (span) => `The functions and the stand-ins live ${span} later than the machine.`,
  minutes: (n) => (n === 1 ? "1 minute" : `${n} minutes`),
  hours: (n) => (n === 1 ? "1 hour" : `${n} hours`),
  days: (n) => (n === 1 ? "1 day" : `${n} days`),
  waiting: "Messages queued",
  working: "In progress",
  dead: "Dead letters",
  mails: "Mails",
  unknown: "?",
  services: {
    mail: "Mail (SES)",
    queue: "Queue (SQS)",
    postgres: "PostgreSQL",
    stripe: "Stripe’s API",
    webhooks: "Stripe’s webhooks",
    calendar: "Calendar (Cal.com)",
    accounts: "Accounts (Supabase Auth)",
  },
  positions: {
    ok: "works",
    down: "down",
    slow: "slow",
    bounce: "refuses all",
    late: "answers late",
    mute: "never answers",
    returned: "takes, then returns",
  },
  lost: "all lost",
  outside: "The real service, or yours: nothing to cut from here.",
  sweep: (done) => `Swept: ${done || "nothing to do"}.`,
  swept: {
    relayed: "jobs sent again",
    not_relayed: "jobs waiting",
    asked: "payments checked",
    payments_found: "payments found",
    released: "slots released",
    forgotten: "traces forgotten",
    failed: "failures",
  },
  clock: "The time has changed.",
  killed: (n) => (n === 0 ? "No instance was running." : n === 1 ? "1 instance killed." : `${n} instances killed.`),
  armed: "The worker’s next job will be cut off midway.",
  reset: "Everything starts over.",
  real: "The accounts are those of a real Supabase project: enter by /dashboard.",
  sure: "Delete all bookings on this machine?",
  failed: (why) => `Refused: ${why}`,

  page: {
    local: "Local platform: no account, no card, and no mail leaves. Ctrl-C stops all of it.",
    title: "InkFlow on this machine",
    lead: "The functions run as they do on AWS Lambda. Take the tour, then break something.",
    tour: "The tour",
    tour1: "Léa Marchetti’s page",
    tour1text: "Lyon, opening hours of her own, five flashes. On Fridays she is open until midnight.",
    tour2: "Book a flash",
    tour2text:
      "The swallow at €150: details, slot, summary. Open the same page in a second browser and take the same slot: only one gets it.",
    tour3: "Suggest a project to Noa Keller",
    tour3text: "Strasbourg, calendar kept in Cal.com: only slots free on both sides are offered.",
    tour4: "Pay the deposit",
    tour4text:
      "“Pay the deposit” leads to the simulated payment page. One button for each outcome: paid, card declined, notification (webhook) lost, 10 s late, doubled, expired.",
    tour5: "The way back",
    tour5text:
      "The confirmation page says what the database says, never what the address suggests. After a lost notification it asks Stripe itself; if you have closed it, a sweep does within a minute.",
    tour6: "The inbox",
    tour6text: "The artist’s and the client’s mails, with the appointment attached.",
    tour7: "Noa’s week in Cal.com",
    tour7text: "The booking is there. Take a slot elsewhere, cancel, break the calendar.",
    tour8: "The dashboard",
    tour8text:
      "Enter as the artist, by the real door: Supabase Auth signs, the function session sets the cookies. The password is in .inkflow/dev.env; a link by mail arrives in the inbox above.",
    enterLea: "Enter as Léa",
    enterNoa: "Enter as Noa",
    time: "Time",
    timeText:
      "The sweeper runs each minute: it sends lost jobs again, releases holds that ran out, and asks Stripe about payments without news.",
    sweep: "Sweep now",
    later: "31 minutes on",
    tomorrow: "One day on",
    now: "Back to the present",
    failures: "Failures",
    failuresText: "Nothing may be lost, nothing may happen twice.",
    kill: "Kill the worker",
    killMidway: "Kill it in the middle of its next job",
    machine: "The machine",
    function: "Function",
    instances: "Warm instances",
    coldStarts: "Cold starts",
    real: "What is real, what is simulated",
    real1: "Real",
    real1text:
      "the compiled functions, the Lambda runtime API they speak, PostgreSQL and its schema, AWS’s clients for SQS and SES.",
    real2: "Simulated by others",
    real2text: "SQS and SES, by ministack: queue, redelivery and dead letters as at AWS. No mail leaves.",
    real3: "Simulated by us",
    real3text:
      "Stripe (API, payment page, signed webhooks), Cal.com (slots, bookings, webhooks), Supabase Auth (accounts, keys, links by mail), CloudFront and the function URLs, the sweeper’s clock. With STRIPE_SECRET_KEY=sk_test_…, CALCOM_API_BASE or SUPABASE_URL the real service takes its place.",
    again: "Start over",
    againText:
      "Deletes the bookings, the mails, the simulated payments and the shift of time, then brings the two artists back.",
    reset: "Reset everything",
  },
};

const t = lang === "fr" ? fr : en;
const region = lang === "fr" ? "fr-FR" : "en-GB";
const CHOICES = {
  mail: ["ok", "bounce", "down", "slow", "late", "mute", "returned"],
  queue: ["ok", "down", "slow"],
  postgres: ["ok", "down"],
  stripe: ["ok", "down", "slow"],
  webhooks: ["ok", "down"],
  calendar: ["ok", "down", "slow"],
};

const at = (id) => document.getElementById(id);

document.documentElement.lang = lang;
if (t.page) {
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t.page[element.dataset.t];
  document.title = t.page.title;
}

async function look() {
  try {
    const response = await fetch("/dev/status.json", { signal: AbortSignal.timeout(5000) });
    if (!response.ok) throw new Error(String(response.status));
    show(await response.json());
  } catch {
    at("state").className = "state";
    say(at("state"), t.down);
  }
}

/** Text that is set only when it changes, so that a screen reader does not repeat it. */
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function show(status) {
  at("state").className = "state up";
  const started = new Date(status.started);
  say(at("state"), t.up(started.toLocaleTimeString(region, { hour: "2-digit", minute: "2-digit" })));
  const shift = status.clock_shift_seconds ?? 0;
  say(at("clock"), shift === 0 ? t.onTime : t.shifted(spanOf(shift)));
  const calcom = status.stand_ins?.calcom;
  if (calcom) at("week").href = `${calcom}/week?user=noa-keller`;
  const queue = status.queue ?? {};
  const figures = [
    [t.waiting, queue.waiting],
    [t.working, queue.working],
    [t.dead, queue.dead],
    [t.mails, status.mails],
  ];
  at("queue").replaceChildren(
    ...figures.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, String(value ?? t.unknown)))),
  );
  at("functions").replaceChildren(
    ...(status.functions ?? []).map((f) =>
      h("tr", {}, h("td", {}, f.name), h("td", {}, String(f.instances)), h("td", {}, String(f.cold_starts))),
    ),
  );
  accounts = status.accounts ?? [];
  showSwitches(status.switches ?? {});
}

let accounts = [];

/** Signs in as anybody would, through the API of the site. */
async function enter(which) {
  const account = accounts[which];
  if (!account) return announce(t.real, true);
  const body = new TextEncoder().encode(JSON.stringify({ email: account.email, password: account.password }));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
  const hash = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const headers = { "content-type": "application/json", "x-amz-content-sha256": hash };
  const response = await fetch("/api/session", { method: "POST", headers, body });
  if (response.ok) location.assign("/dashboard");
  else announce(t.failed((await response.json()).title ?? response.status), true);
}

function spanOf(seconds) {
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3600);
  const minutes = Math.round((seconds % 3600) / 60);
  return [days && t.days(days), hours && t.hours(hours), minutes && t.minutes(minutes)].filter(Boolean).join(" ");
}

function showSwitches(positions) {
  const place = at("switches");
  for (const [name, position] of Object.entries(positions)) {
    const row = at(`switch-${name}`) ?? place.appendChild(switchFor(name));
    row.querySelector(".choices").hidden = position === null;
    row.querySelector(".none").hidden = position !== null;
    for (const input of row.querySelectorAll("input")) input.checked = input.value === position;
  }
}

function switchFor(name) {
  const choices = CHOICES[name] ?? ["ok", "down", "slow"];
  return h(
    "fieldset",
    { id: `switch-${name}` },
    h("legend", {}, t.services[name] ?? name),
    h(
      "div",
      { class: "choices" },
      choices.map((value) =>
        h(
          "div",
          { class: value === "ok" ? "tile" : "tile trouble" },
          h("input", { type: "radio", name, value, id: `${name}-${value}`, onchange: () => pull(name, value) }),
          h(
            "label",
            { for: `${name}-${value}` },
            name === "webhooks" && value === "down" ? t.lost : t.positions[value],
          ),
        ),
      ),
    ),
    h("p", { class: "none", hidden: true }, t.outside),
  );
}

async function pull(name, value) {
  const positions = await post("/dev/switches", { [name]: value });
  if (positions) showSwitches(positions);
}

async function post(path, body) {
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error ?? response.status);
    return answer;
  } catch (error) {
    announce(t.failed(error.message), true);
    return null;
  }
}

let quiet = 0;

function announce(text, bad = false) {
  at("said").className = bad ? "said bad" : "said";
  at("said").textContent = text;
  clearTimeout(quiet);
  quiet = setTimeout(() => {
    at("said").textContent = "";
  }, 6000);
}

const actions = {
  enterLea: () => enter(0),
  enterNoa: () => enter(1),
  async sweep() {
    const answer = await post("/dev/sweep", {});
    if (answer)
      announce(
        t.sweep(
          Object.entries(answer.swept ?? {})
            .filter(([, n]) => n > 0)
            .map(([name, n]) => `${n} ${t.swept[name] ?? name}`)
            .join(", "),
        ),
      );
  },
  later: () => move({ advance_seconds: 31 * 60 }),
  tomorrow: () => move({ advance_seconds: 86_400 }),
  now: () => move({ shift_seconds: 0 }),
  async kill() {
    const answer = await post("/dev/kill", { function: "worker" });
    if (answer) announce(t.killed(answer.killed));
  },
  async killMidway() {
    if (await post("/dev/kill", { function: "worker", during_next_ms: 50 })) announce(t.armed);
  },
  async reset() {
    if (confirm(t.sure) && (await post("/dev/reset", {}))) announce(t.reset);
  },
};

async function move(change) {
  if (await post("/dev/clock", change)) announce(t.clock);
}

for (const button of document.querySelectorAll("[data-do]")) {
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    await actions[button.dataset.do]();
    button.removeAttribute("aria-disabled");
    look();
  });
}

look();
setInterval(() => {
  if (document.visibilityState === "visible") look();
}, 2000);
