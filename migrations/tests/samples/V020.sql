-- What V020 made, in use: somebody who is invited, an address that was given up, and a hold that names nobody any more.
insert into invitations (email, takes_deposits, invited_at) values ('lou@nouveau.example', true, '2026-11-20T10:00:00Z');
insert into former_slugs (slug, artist_id, freed_at)
    values ('zoe-ailleurs', '00000000-0000-7000-8000-0000000000a1', now());
