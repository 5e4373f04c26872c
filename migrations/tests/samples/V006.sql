-- What V006 made, in use: a note about a booking.
update bookings set note = 'Touch-up free of charge', updated_at = '2026-11-20T10:06:00Z'
    where id = '00000000-0000-7000-8000-0000000000b1';
