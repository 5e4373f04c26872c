-- What V016 made, in use: an artist who wants to hear of holds before they are paid.
update artists set pending_mails = true where id = '00000000-0000-7000-8000-0000000000a1';
