-- btree_gist lets one GiST index hold both "same artist" (=) and "overlapping time" (&&).
-- On Supabase extensions live in the schema `extensions`; elsewhere in `public`.
do $$
begin
    if exists (select from pg_namespace where nspname = 'extensions') then
        create extension if not exists btree_gist with schema extensions;
    else
        create extension if not exists btree_gist;
    end if;
end
$$;

-- The role of the functions. It owns nothing and may only do what the last migration of each table
-- grants. It cannot log in until an operator gives it a password:
--     alter role inkflow_app login password '...';
do $$
begin
    if not exists (select from pg_roles where rolname = 'inkflow_app') then
        create role inkflow_app nologin;
    end if;
exception
    -- Two databases of one cluster migrated at the same moment: the other one made it.
    when duplicate_object or unique_violation then null;
end
$$;

-- Timeouts belong to the role, not to the connection: a transaction pooler forgets `SET`.
-- A statement outlives neither the outside calls (5-8 s) nor the function's own timeout.
do $$
begin
    alter role inkflow_app set statement_timeout = '5s';
    alter role inkflow_app set lock_timeout = '3s';
    alter role inkflow_app set idle_in_transaction_session_timeout = '10s';
exception
    when internal_error then null; -- "tuple concurrently updated": the same sentence, said twice at once
end
$$;

-- Nothing that later migrations create may be reachable through Supabase's Data API, whose roles
-- older projects still grant everything by default.
do $$
declare
    api_role text;
begin
    foreach api_role in array array['anon', 'authenticated'] loop
        if exists (select from pg_roles where rolname = api_role) then
            execute format('alter default privileges in schema public revoke all on tables from %I', api_role);
            execute format('alter default privileges in schema public revoke all on sequences from %I', api_role);
            execute format('alter default privileges in schema public revoke all on functions from %I', api_role);
        end if;
    end loop;
end
$$;
-- Functions are executable by everybody unless said otherwise.
alter default privileges revoke execute on functions from public;
