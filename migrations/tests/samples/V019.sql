-- What V019 made, in use: an artist who wants to be written to elsewhere, the link that was mailed there, and a mail that was
-- counted against its address.
update artists set account_email = email, email_wanted = 'zoe@studio.example'
    where id = '00000000-0000-7000-8000-0000000000a1';
insert into contact_links (id, artist_id, email, token_hash, created_at, expires_at) values
    ('00000000-0000-7000-8000-000000000031', '00000000-0000-7000-8000-0000000000a1', 'zoe@studio.example',
     sha256('sample'), '2026-11-20T10:08:00Z', '2026-11-22T10:08:00Z');
update email_deliveries set counted_at = created_at where id = '00000000-0000-7000-8000-000000000021';
