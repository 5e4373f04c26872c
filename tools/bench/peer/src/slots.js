// GET /api/calendar/slots
import { DateTime } from "luxon";
import { rows, warmUp } from "./database.js";
import { bookableUntil, durationOf, freeSlots, local, reach } from "./schedule.js";
import { Refusal, serve } from "./web.js";

const SQL = "select * from agenda($1, $2, $3, $4)";

function parse(parameters = {}) {
  const errors = [];
  const { artist, date, days = "7", flash } = parameters;
  if (!artist) errors.push({ pointer: "#/artist", detail: "is missing: the artist's slug" });
  if (date !== undefined && !DateTime.fromISO(date).isValid)
    errors.push({ pointer: "#/date", detail: "must be a date such as 2026-12-01" });
  if (!/^\d+$/.test(days) || Number(days) < 1 || Number(days) > 31)
    errors.push({ pointer: "#/days", detail: "must be a number from 1 to 31" });
  if (flash !== undefined && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(flash))
    errors.push({ pointer: "#/flash", detail: "must be the id of a flash" });
  if (errors.length) throw new Refusal(422, "invalid", "Some fields need your attention", { errors });
  return { artist, date, days: Number(days), flash };
}

async function slots(event) {
  const query = parse(event.queryStringParameters);
  const now = Date.now();
  const today = new Date(now - 2 * 86_400_000).toISOString().slice(0, 10);
  const [begin, end] = query.date ? reach(query.date, query.days) : reach(today, query.days + 4);
  const [agenda] = await rows(SQL, [query.artist, query.flash ?? null, begin, end]);
  if (!agenda) throw new Refusal(404, "not-found", "Not found");
  if (query.flash && !agenda.flash_id)
    throw new Refusal(404, "not-found", "Not found", { detail: "This flash is not on sale." });
  const date = DateTime.fromMillis(now, { zone: agenda.timezone }).toISODate();
  const days = freeSlots(agenda, query.date ?? date, query.days, now).map(({ date, slots }) => ({
    date,
    slots: slots.map(([start, end]) => ({ start: local(start, agenda.timezone), end: local(end, agenda.timezone) })),
  }));
  return [
    200,
    {
      artist: agenda.slug,
      timezone: agenda.timezone,
      today: date,
      duration_minutes: durationOf(agenda),
      bookable_until: bookableUntil(agenda, now),
      days,
    },
  ];
}

warmUp().then(() => serve("GET", slots));
