-- Whether the artist is mailed each hold before it is paid. Most are not: of three holds one is given up, and what is paid
-- is told at once.
alter table artists add column pending_mails boolean not null default false;
grant insert (pending_mails), update (pending_mails) on artists to inkflow_app;

-- A project has no title: whoever reads it calls it by what it is, in their own language. Until now it had the client's.
update bookings set title = '' where type = 'project' and title <> '';
