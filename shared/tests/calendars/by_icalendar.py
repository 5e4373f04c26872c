"""What icalendar makes of the files named, one line of JSON each."""

import json
import sys
from pathlib import Path

import icalendar

for name in sys.argv[1:]:
    calendar = icalendar.Calendar.from_ical(Path(name).read_bytes())
    (event,) = calendar.walk("VEVENT")
    print(json.dumps({
        "errors": [str(error) for error in calendar.errors + event.errors],
        "method": str(calendar["METHOD"]),
        "uid": str(event["UID"]),
        "sequence": int(event["SEQUENCE"]),
        "status": str(event["STATUS"]),
        "summary": str(event["SUMMARY"]),
        "location": str(event["LOCATION"]),
        "start": event.start.strftime("%Y%m%dT%H%M%SZ"),
        "organizer": str(event["ORGANIZER"]),
        "attendee": [str(event["ATTENDEE"]), event["ATTENDEE"].params["PARTSTAT"], event["ATTENDEE"].params["RSVP"]],
    }))
