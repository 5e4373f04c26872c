-- Sessions that somebody has signed out of. Supabase's access tokens are good until they run out, an hour as a rule and a week at
-- most, whatever becomes of their session, so it is remembered here for longer than that which of them open nothing any more.
create table ended_sessions (
    -- The claim of the same name.
    session_id uuid not null,
    ended_at timestamptz not null,
    -- Supabase knows as well. Until then a refresh token of it may buy new access tokens, so the row stays.
    confirmed boolean not null default false,
    constraint ended_sessions_once primary key (session_id)
);
create index ended_sessions_by_age on ended_sessions (ended_at) where confirmed;
alter table ended_sessions enable row level security;
create policy functions on ended_sessions to inkflow_app using (true) with check (true);
revoke all on ended_sessions from public;
grant select, insert, update, delete on ended_sessions to inkflow_app;

-- The user of `{user, session}`, or no answer at all: the statement that names an account ends with SQLSTATE IN401.
create function account(who uuid[]) returns uuid language plpgsql stable as $$
begin
    if exists (select from ended_sessions e where e.session_id = who[2]) then
        raise exception 'the session has ended' using errcode = 'IN401';
    end if;
    return who[1];
end
$$;

do $$
declare
    f constant regprocedure := 'public.account(uuid[])';
    api_role text;
begin
    execute format('revoke execute on function %s from public', f);
    execute format('grant execute on function %s to inkflow_app', f);
    foreach api_role in array array['anon', 'authenticated'] loop
        if exists (select from pg_roles where rolname = api_role) then
            execute format('revoke all on public.ended_sessions from %I', api_role);
            execute format('revoke execute on function %s from %I', f, api_role);
        end if;
    end loop;
end
$$;
