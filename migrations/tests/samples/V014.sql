-- What V014 made, in use: the artist has moved on, and what was booked before is told on the clock of then.
update artists set timezone = 'Australia/Lord_Howe', updated_at = '2026-11-20T10:08:00Z'
    where id = '00000000-0000-7000-8000-0000000000a1';
