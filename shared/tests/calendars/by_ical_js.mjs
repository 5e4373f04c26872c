// What ical.js makes of the files named, one line of JSON each. The first argument is where it is installed.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [, , place, ...names] = process.argv;
const loaded = createRequire(`${place}/`)("ical.js");
const ICAL = loaded.default ?? loaded;

for (const name of names) {
  const calendar = new ICAL.Component(ICAL.parse(readFileSync(name, "utf8")));
  const component = calendar.getFirstSubcomponent("vevent");
  const event = new ICAL.Event(component);
  const attendee = component.getFirstProperty("attendee");
  console.log(
    JSON.stringify({
      errors: [],
      method: calendar.getFirstPropertyValue("method"),
      uid: event.uid,
      sequence: event.sequence,
      status: component.getFirstPropertyValue("status"),
      summary: event.summary,
      location: event.location,
      start: event.startDate.toICALString(),
      organizer: component.getFirstPropertyValue("organizer"),
      attendee: [attendee.getFirstValue(), attendee.getParameter("partstat"), attendee.getParameter("rsvp")],
    }),
  );
}
