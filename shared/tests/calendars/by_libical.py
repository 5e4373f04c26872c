"""What libical makes of the files named, one line of JSON each. Its functions are called as any C program does."""

import ctypes
import json
import sys
from ctypes import c_char_p, c_int, c_void_p
from pathlib import Path

library = ctypes.CDLL(sys.argv[1])


def function(name, result, *arguments):
    found = getattr(library, name)
    found.restype, found.argtypes = result, arguments
    return found


parse = function("icalparser_parse_string", c_void_p, c_char_p)
errors = function("icalcomponent_count_errors", c_int, c_void_p)
restricted = function("icalrestriction_check", c_int, c_void_p)
inner = function("icalcomponent_get_inner", c_void_p, c_void_p)
method = function("icalcomponent_get_method", c_int, c_void_p)
method_name = function("icalproperty_method_to_string", c_char_p, c_int)
status = function("icalcomponent_get_status", c_int, c_void_p)
status_name = function("icalproperty_status_to_string", c_char_p, c_int)
sequence = function("icalcomponent_get_sequence", c_int, c_void_p)
text = {name: function(f"icalcomponent_get_{name}", c_char_p, c_void_p) for name in ("uid", "summary", "location")}
kind = function("icalproperty_string_to_kind", c_int, c_char_p)
first = function("icalcomponent_get_first_property", c_void_p, c_void_p, c_int)
value = function("icalproperty_get_value_as_string", c_char_p, c_void_p)
parameter = function("icalproperty_get_parameter_as_string", c_char_p, c_void_p, c_char_p)

for name in sys.argv[2:]:
    calendar = parse(Path(name).read_bytes())
    event = inner(calendar)
    of = lambda wanted: first(event, kind(wanted))
    # The rules of RFC 5546 for each method: what is wrong with the file is noted in it.
    restricted(calendar)
    print(json.dumps({
        "errors": [] if errors(calendar) == 0 else [f"{errors(calendar)} errors"],
        "method": method_name(method(calendar)).decode(),
        "uid": text["uid"](event).decode(),
        "sequence": sequence(event),
        "status": status_name(status(event)).decode(),
        "summary": text["summary"](event).decode(),
        "location": text["location"](event).decode(),
        "start": value(of(b"DTSTART")).decode(),
        "organizer": value(of(b"ORGANIZER")).decode(),
        "attendee": [value(of(b"ATTENDEE")).decode(), parameter(of(b"ATTENDEE"), b"PARTSTAT").decode(),
                     parameter(of(b"ATTENDEE"), b"RSVP").decode()],
    }))
