// The artist's page: the gallery, and the booking dialog in three steps.
// The page's own data stands in #data when the server made it; otherwise it is asked for.

import { Problem, addDays, api, civilDate, clock, h, lang, leaveFor, longDate, money, recall, remember, sentence, shortDate, span, t, titleOf, translatePage } from "/words.js";

const DAYS = 7;
const WEEKS_AHEAD = 8;
const SLOTS_ARE_STALE_AFTER = 60_000;

const app = document.querySelector("#app");
let artist = null;

async function start() {
  translatePage();
  const embedded = document.querySelector("#data");
  const slug = app.dataset.slug || new URLSearchParams(location.search).get("slug") || location.pathname.split("/")[2] || "";
  try {
    artist = embedded ? JSON.parse(embedded.textContent) : await api(`/api/artists/${encodeURIComponent(slug)}`);
  } catch (problem) {
    app.append(h("p", { class: "alert", role: "alert" }, problem.slug === "not-found" ? t.notFoundTitle : t.artistFailed));
    return;
  }
  if (!app.querySelector(".hero")) app.prepend(hero());
  showGallery();
  const held = await showHold();
  const query = new URLSearchParams(location.search);
  const asked = artist.flashes.find((flash) => flash.id === query.get("flash"));
  const project = query.has("projet");
  tidyAddress();
  // Back from the payment page: what is held matters more than the dialog that led there.
  if (held) return;
  if (asked?.state === "available") booking.open(asked);
  else if (project) booking.open(null);
}

function hero() {
  document.title = `${artist.display_name} · InkFlow`;
  return h(
    "header",
    { class: "hero" },
    artist.hero_image && h("img", { class: "hero-art", src: artist.hero_image, alt: "", width: 800, height: 800 }),
    h("div", { class: "hero-words" }, h("p", { class: "city" }, artist.city), h("h1", {}, artist.display_name), h("p", { class: "bio" }, artist.bio)),
  );
}

function showGallery() {
  document.querySelector(".gallery")?.remove();
  if (!document.querySelector(".project-call")) {
    const words = app.querySelector(".hero-words") ?? app;
    words.append(
      h("p", { class: "project-text" }, t.projectText(money(artist.project.deposit_cents), span(artist.project.duration_minutes))),
      h("button", { type: "button", class: "button project-call", onclick: () => booking.open(null) }, t.projectCall),
    );
  }
  const cards = artist.flashes.map(card);
  app.append(
    h(
      "section",
      { class: "gallery", "aria-labelledby": "flashes" },
      h("h2", { id: "flashes" }, t.flashesTitle),
      cards.length > 0 ? h("ul", { class: "cards" }, cards) : h("p", {}, t.noFlashes),
    ),
  );
}

function card(flash, index) {
  const price = money(flash.price_cents);
  const free = flash.state === "available";
  return h(
    "li",
    { class: `card ${flash.state}` },
    h("img", { src: flash.image, alt: flash.title, width: 800, height: 800, loading: index < 2 ? null : "lazy" }),
    h(
      "div",
      { class: "card-words" },
      h("h3", {}, flash.title),
      h("p", { class: "price" }, price),
      h("p", { class: "facts" }, `${span(flash.duration_minutes)} · ${t.depositOf(money(flash.deposit_cents))}`),
      h("p", { class: "facts" }, flash.repeatable ? t.repeatable : t.unique),
    ),
    free
      ? h("button", { type: "button", class: "button quiet", "aria-label": t.bookFlash(flash.title, price), onclick: () => booking.open(flash) }, t.book)
      : h("p", { class: "stamp", title: flash.state === "held" ? t.heldHelp : null }, flash.state === "held" ? t.held : t.sold),
  );
}

/** A hold that this tab has opened and not paid: one line that leads back to the payment. True if there is one. */
async function showHold() {
  const kept = recall("hold");
  document.querySelector(".hold-banner")?.remove();
  if (!kept || kept.artist !== artist.slug) return false;
  let held;
  try {
    held = await api(`/api/bookings/${encodeURIComponent(kept.id)}`);
  } catch {
    return false;
  }
  document.querySelector(".hold-banner")?.remove();
  if (!held.checkout_url) {
    remember("hold", null);
    return false;
  }
  app.prepend(
    h(
      "aside",
      { class: "hold-banner" },
      h("p", {}, t.holdBanner(titleOf(held), clock(held.hold_expires_at, artist.timezone))),
      h("button", { type: "button", class: "button", onclick: () => leaveFor(held.checkout_url) }, t.resume),
    ),
  );
  return true;
}

// A page that comes back from the back-forward cache still has the state it had when it left for the payment.
addEventListener("pageshow", (event) => {
  if (event.persisted && artist) {
    booking.awake();
    showHold();
  }
});

/** The dialog: what is booked, the answers so far, and one history entry for each step. */
const booking = {
  dialog: null,
  flash: null,
  step: 0,
  answers: {},
  errors: {},
  alert: null,
  from: null,
  days: null,
  loadedAt: 0,
  loading: null,
  day: null,
  slot: null,
  searching: false,
  sending: false,

  open(flash) {
    this.flash = flash;
    this.answers = recall("answers") ?? {};
    this.errors = {};
    this.alert = null;
    this.slot = null;
    this.day = null;
    this.days = null;
    this.sending = false;
    this.searching = false;
    this.from = civilDate(Date.now(), artist.timezone);
    this.dialog = h("dialog", { class: "booking", "aria-labelledby": "step-title" });
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog) this.dialog.close();
    });
    this.dialog.addEventListener("close", () => this.closed());
    document.body.append(this.dialog);
    this.dialog.showModal();
    this.goTo(1);
    // Asked for now, so that they are there when the form is filled in.
    this.load();
  },

  /** Forward to a step: the browser's Back leads to the one before, then out. */
  goTo(step) {
    const url = new URL(location.href);
    if (this.flash) url.searchParams.set("flash", this.flash.id);
    else url.searchParams.set("projet", "");
    history.pushState({ step }, "", url);
    this.show(step);
  },

  show(step) {
    this.step = step;
    const draw = [null, () => this.form(), () => this.picker(), () => this.summary()][step];
    this.dialog.replaceChildren(
      h(
        "header",
        { class: "sheet-head" },
        h("p", { class: "step" }, `${this.flash?.title ?? t.projectTitle} · ${t.step(step)}`),
        h("h2", { id: "step-title", tabindex: -1 }, [null, t.contactTitle, t.slotTitle, t.sumTitle][step]),
        h("button", { type: "button", class: "close", "aria-label": t.close, onclick: () => this.dialog.close() }, "×"),
        h("div", { class: `progress at-${step}`, "aria-hidden": "true" }),
      ),
      h("div", { class: "alert-place", role: "alert" }, this.alert ? h("p", { class: "alert" }, this.alert) : null),
      draw(),
    );
    this.dialog.scrollTop = 0;
    const wrong = this.dialog.querySelector("[aria-invalid=true]");
    (wrong ?? this.dialog.querySelector("h2")).focus();
    this.alert = null;
  },

  /** Each step has pushed one entry, so that closing leaves as many behind. */
  closed() {
    const entries = this.step;
    this.step = 0;
    this.dialog.remove();
    this.dialog = null;
    if (entries > 0) history.go(-entries);
  },

  stepped(state) {
    if (!this.dialog) {
      tidyAddress();
      return;
    }
    const step = state?.step ?? 0;
    if (step === 0) {
      this.step = 0;
      this.dialog.close();
      tidyAddress();
    } else if (step > 1 && !this.formIsFilled()) {
      this.show(1);
    } else if (step > 2 && !this.slot) {
      this.show(2);
    } else {
      this.show(step);
    }
  },

  awake() {
    if (!this.dialog) return;
    this.sending = false;
    this.show(this.step);
  },

  // Step 1: who comes, and for what.

  form() {
    const field = (name, pointer, label, { help, type = "text", area = false, optional = false, ...more }) => {
      const error = this.errors[pointer];
      const described = [help && `${name}-help`, error && `${name}-error`].filter(Boolean).join(" ");
      const control = h(area ? "textarea" : "input", {
        id: name, name, type: area ? null : type, required: !optional, "aria-invalid": error ? "true" : null, "aria-describedby": described || null, ...more,
        oninput: (event) => {
          this.answers[name] = event.target.value;
          remember("answers", this.answers);
        },
        onchange: () => this.recheck(name, pointer),
      });
      control.value = this.answers[name] ?? "";
      return h(
        "div",
        { class: "field" },
        h("label", { for: name }, label),
        help && h("p", { class: "help", id: `${name}-help` }, help),
        control,
        h("p", { class: "error", id: `${name}-error`, hidden: !error }, error ?? ""),
      );
    };
    return h(
      "form",
      {
        class: "sheet-body",
        novalidate: true,
        onsubmit: (event) => {
          event.preventDefault();
          this.errors = this.mistakes();
          if (Object.keys(this.errors).length > 0) {
            this.alert = t.invalid;
            this.show(1);
          } else {
            this.goTo(2);
          }
        },
      },
      this.flash
        ? null
        : [
            field("description", "#/project/description", t.description, { help: t.descriptionHelp, area: true, rows: 4, maxlength: 2000 }),
            field("body_zone", "#/project/body_zone", t.bodyZone, { help: t.bodyZoneHelp, maxlength: 80 }),
            field("budget", "#/project/budget", t.budget, { help: t.budgetHelp, inputmode: "decimal", optional: true, maxlength: 12 }),
          ],
      field("name", "#/client/name", t.name, { autocomplete: "name", maxlength: 100 }),
      field("email", "#/client/email", t.email, { help: t.emailHelp, type: "email", autocomplete: "email", inputmode: "email", maxlength: 254 }),
      field("phone", "#/client/phone", t.phone, { help: t.phoneHelp, type: "tel", autocomplete: "tel", inputmode: "tel", maxlength: 40 }),
      h("footer", { class: "sheet-foot" }, h("button", { class: "button", type: "submit" }, t.next)),
    );
  },

  mistakes() {
    const text = (name) => (this.answers[name] ?? "").trim();
    const found = {};
    if (text("name").length < 2) found["#/client/name"] = t.nameMissing;
    if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text("email"))) found["#/client/email"] = t.emailWrong;
    if (text("phone").replace(/\D/g, "").length < 7) found["#/client/phone"] = t.phoneWrong;
    if (!this.flash) {
      if (text("description").length < 10) found["#/project/description"] = t.descriptionMissing;
      if (!text("body_zone")) found["#/project/body_zone"] = t.bodyZoneMissing;
      if (text("budget") && !(this.budget() > 0)) found["#/project/budget"] = t.budgetWrong;
    }
    return found;
  },

  formIsFilled() {
    return Object.keys(this.mistakes()).length === 0;
  },

  /** After the first try, a field says at once when it is right. */
  recheck(name, pointer) {
    if (!this.errors[pointer]) return;
    const still = this.mistakes()[pointer];
    const control = this.dialog.querySelector(`#${name}`);
    const words = this.dialog.querySelector(`#${name}-error`);
    if (still) words.textContent = still;
    else {
      delete this.errors[pointer];
      control.removeAttribute("aria-invalid");
      words.hidden = true;
    }
  },

  budget() {
    const text = (this.answers.budget ?? "").replace(/[\s€]/g, "").replace(",", ".");
    return text === "" ? null : Number(text);
  },

  // Step 2: when.

  async load(from = this.from) {
    const query = new URLSearchParams({ artist: artist.slug, date: from, days: DAYS });
    if (this.flash) query.set("flash", this.flash.id);
    const flash = this.flash;
    const request = api(`/api/calendar/slots?${query}`);
    this.loading = request;
    this.from = from;
    this.days = null;
    this.failure = null;
    try {
      const answer = await request;
      if (this.loading !== request || this.flash !== flash) return;
      this.take(answer.days);
    } catch (problem) {
      if (this.loading !== request) return;
      this.failure = problem;
    }
    this.loading = null;
    if (this.dialog && this.step === 2) this.redrawPicker();
  },

  take(days) {
    this.days = days;
    this.loadedAt = Date.now();
    if (!days.some((day) => day.slots.some((slot) => slot.start === this.slot?.start))) this.slot = null;
    const kept = days.find((day) => day.date === this.day && day.slots.length > 0);
    this.day = (kept ?? days.find((day) => day.slots.length > 0))?.date ?? null;
  },

  picker() {
    const stale = this.days && Date.now() - this.loadedAt > SLOTS_ARE_STALE_AFTER;
    if ((stale || this.failure) && !this.loading) this.load();
    return h(
      "form",
      {
        class: "sheet-body",
        novalidate: true,
        onsubmit: (event) => {
          event.preventDefault();
          if (this.slot) this.goTo(3);
          else {
            const place = this.dialog.querySelector(".alert-place");
            place.replaceChildren(h("p", { class: "alert" }, t.chooseSlot));
          }
        },
      },
      h("div", { class: "picker" }, this.pickerContent()),
      h(
        "footer",
        { class: "sheet-foot" },
        h("button", { type: "button", class: "button quiet", onclick: () => history.back() }, t.back),
        h("button", { type: "submit", class: "button" }, t.next),
      ),
    );
  },

  redrawPicker(focus) {
    const place = this.dialog.querySelector(".picker");
    place.replaceChildren(...this.pickerContent());
    if (focus) place.querySelector(focus)?.focus();
  },

  pickerContent() {
    if (this.failure) {
      return [
        h("p", { class: "alert", role: "alert" }, `${t.slotsFailed} ${sentence(this.failure)}`),
        h("button", { type: "button", class: "button quiet", onclick: () => { this.load(); this.redrawPicker(); } }, t.retry),
      ];
    }
    if (!this.days || this.searching) return [h("p", { class: "waiting", role: "status" }, t.loading)];
    const today = civilDate(Date.now(), artist.timezone);
    const move = (days) => () => {
      this.load(addDays(this.from, days));
      this.redrawPicker();
    };
    const pages = h(
      "div",
      { class: "pages" },
      this.from > today && h("button", { type: "button", class: "link", onclick: move(-DAYS) }, `← ${t.earlierDays}`),
      h("button", { type: "button", class: "link later", onclick: move(DAYS) }, `${t.laterDays} →`),
    );
    if (!this.day) {
      return [
        h("p", { role: "status" }, t.noSlots),
        h("button", { type: "button", class: "button quiet", onclick: () => this.searchOn() }, t.nextFree),
        pages,
      ];
    }
    const shown = this.days.find((day) => day.date === this.day);
    return [
      h("fieldset", { class: "days" }, h("legend", {}, t.day), h("div", { class: "tiles" }, this.days.map((day) => this.dayTile(day)))),
      pages,
      h(
        "fieldset",
        { class: "slots" },
        h("legend", {}, t.slotsOf(longDate(this.day, { year: false }))),
        h("div", { class: "times" }, shown.slots.map((slot) => this.slotTile(slot))),
      ),
      h("p", { class: "help" }, t.studioTime(artist.timezone)),
    ];
  },

  dayTile(day) {
    const { weekday, day: number, month } = shortDate(day.date);
    const id = `day-${day.date}`;
    return h(
      "div",
      { class: "tile" },
      h("input", {
        type: "radio", name: "day", id, value: day.date, checked: day.date === this.day, disabled: day.slots.length === 0,
        "aria-label": `${longDate(day.date, { year: false })}, ${t.slotCount(day.slots.length)}`,
        onchange: () => {
          this.day = day.date;
          this.redrawPicker(`#${id}`);
        },
      }),
      h("label", { for: id }, h("span", {}, weekday), h("strong", {}, number), h("span", {}, month), h("small", {}, t.slotCount(day.slots.length))),
    );
  },

  slotTile(slot) {
    const id = `slot-${slot.start.replace(/\W/g, "")}`;
    const time = clock(slot.start, artist.timezone);
    const own = clock(slot.start);
    return h(
      "div",
      { class: "tile" },
      h("input", {
        type: "radio", name: "slot", id, value: slot.start, checked: slot.start === this.slot?.start,
        "aria-label": `${longDate(this.day, { year: false })}, ${time}`,
        onchange: () => {
          this.slot = slot;
          this.dialog.querySelector(".alert-place").replaceChildren();
        },
      }),
      h("label", { for: id }, h("strong", {}, time), own !== time && h("small", {}, t.yourTime(own))),
    );
  },

  /** Week after week, until one has a free day. */
  async searchOn() {
    this.searching = true;
    this.redrawPicker();
    for (let week = 0; week < WEEKS_AHEAD && !this.day && !this.failure; week += 1) {
      await this.load(addDays(this.from, DAYS));
      if (!this.dialog || this.step !== 2) break;
    }
    this.searching = false;
    if (!this.dialog || this.step !== 2) return;
    this.redrawPicker("input:checked");
    if (!this.day && !this.failure) this.dialog.querySelector(".picker").prepend(h("p", { class: "alert", role: "alert" }, t.nothingFound));
  },

  // Step 3: what it costs, and the payment.

  summary() {
    const { flash, slot } = this;
    const deposit = flash ? flash.deposit_cents : artist.project.deposit_cents;
    const arrhes = artist.deposit_nature === "arrhes";
    const minutes = (Date.parse(slot.end) - Date.parse(slot.start)) / 60_000;
    const row = (name, value, className) => h("div", { class: className }, h("dt", {}, name), h("dd", {}, value));
    const pay = h("button", { type: "submit", class: "button pay" }, (arrhes ? t.payArrhes : t.pay)(money(deposit)));
    return h(
      "form",
      {
        class: "sheet-body",
        onsubmit: (event) => {
          event.preventDefault();
          this.pay(pay);
        },
      },
      h(
        "dl",
        { class: "summary" },
        row(flash ? t.flash : t.project, flash ? flash.title : this.answers.description.trim().slice(0, 80)),
        row(t.with, artist.display_name),
        row(t.date, longDate(civilDate(slot.start, artist.timezone))),
        row(t.time, `${clock(slot.start, artist.timezone)} (${artist.timezone})`),
        row(t.duration, span(minutes)),
        artist.address && row(t.place, artist.address),
        row(t.price, flash ? money(flash.price_cents) : t.priceLater),
        row(arrhes ? t.arrhes : t.deposit, money(deposit), "strong"),
        flash && row(t.rest, money(flash.price_cents - deposit)),
      ),
      h("p", { class: "policy" }, (lang === "fr" ? artist.policy.text_fr : artist.policy.text_en) ?? ""),
      h("p", { class: "help" }, t.holdNote(artist.hold_minutes ?? 30)),
      h(
        "footer",
        { class: "sheet-foot" },
        h("button", { type: "button", class: "button quiet", onclick: () => history.back() }, t.back),
        pay,
      ),
    );
  },

  /** The request as it is sent; the same answers always give the same bytes. */
  request() {
    const { flash, answers } = this;
    const text = (name) => (answers[name] ?? "").trim();
    return JSON.stringify({
      artist: artist.slug,
      type: flash ? "flash" : "project",
      ...(flash
        ? { flash_id: flash.id }
        : { project: { description: text("description"), body_zone: text("body_zone"), budget: this.budget() } }),
      client: { name: text("name"), email: text("email"), phone: text("phone") },
      start: this.slot.start,
      locale: lang,
    });
  },

  async pay(button) {
    if (this.sending) return;
    this.sending = true;
    const words = button.textContent;
    button.textContent = t.opening;
    button.setAttribute("aria-disabled", "true");
    const body = this.request();
    try {
      const ask = () => api("/api/bookings/create", { body, headers: { "idempotency-key": keyFor(body) } });
      let made = await ask();
      if (!made.checkout_url && made.status !== "confirmed") {
        // The key still stands for a booking of before that has lapsed since: this is a new wish.
        forgetKey();
        made = await ask();
      }
      remember("hold", { id: made.booking_id, artist: artist.slug });
      leaveFor(made.checkout_url ?? `/booking/success?id=${encodeURIComponent(made.booking_id)}`);
      // The button stays as it is until the page has gone, or comes back through `awake`.
    } catch (problem) {
      this.sending = false;
      if (!this.dialog) return;
      button.textContent = words;
      button.removeAttribute("aria-disabled");
      this.refused(problem);
    }
  },

  refused(problem) {
    if (!(problem instanceof Problem)) throw problem;
    this.alert = sentence(problem);
    if (problem.slug === "idempotency-mismatch") forgetKey();
    if (problem.slug === "slot-taken") {
      forgetKey();
      const wanted = this.slot.start;
      this.slot = null;
      if (Array.isArray(problem.body.slots)) {
        this.take(problem.body.slots);
        this.from = this.days[0]?.date ?? this.from;
        this.day = nearestDay(this.days, wanted) ?? this.day;
      } else {
        this.load();
      }
      history.go(2 - this.step);
    } else if (problem.slug === "invalid") {
      const mine = ["#/client/", "#/project/"];
      const errors = problem.body.errors ?? [];
      this.errors = Object.fromEntries(errors.filter((error) => mine.some((start) => error.pointer.startsWith(start))).map((error) => [error.pointer, error.detail]));
      const other = errors.filter((error) => !(error.pointer in this.errors)).map((error) => error.detail);
      if (other.length > 0) this.alert = `${this.alert} ${other.join(" ")}`;
      history.go((Object.keys(this.errors).length > 0 ? 1 : 2) - this.step);
    } else {
      if (problem.slug === "flash-taken" || problem.slug === "not-found") refreshGallery();
      this.show(3);
    }
  },
};

addEventListener("popstate", (event) => booking.stepped(event.state));

async function refreshGallery() {
  try {
    artist = await api(`/api/artists/${encodeURIComponent(artist.slug)}`);
    showGallery();
  } catch {
    // The gallery on the page stays; the server decides anyway.
  }
}

function nearestDay(days, wanted) {
  const far = (slot) => Math.abs(Date.parse(slot.start) - Date.parse(wanted));
  let best = null;
  for (const day of days) {
    for (const slot of day.slots) {
      if (best === null || far(slot) < best.far) best = { date: day.date, far: far(slot) };
    }
  }
  return best?.date;
}

function tidyAddress() {
  const url = new URL(location.href);
  if (!url.searchParams.has("flash") && !url.searchParams.has("projet")) return;
  url.searchParams.delete("flash");
  url.searchParams.delete("projet");
  history.replaceState(null, "", url);
}

/** One key for one request: a retry of the same answers is the same booking, another slot is another one. */
function keyFor(body) {
  const kept = recall("key");
  if (kept?.body === body) return kept.key;
  const key = crypto.randomUUID();
  remember("key", { body, key });
  return key;
}

function forgetKey() {
  remember("key", null);
}

start();
