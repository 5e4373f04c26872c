-- What a backup of the schema `public` needs and does not hold: the role of the functions, and the extensions, where this
-- database keeps them. For psql, on an empty database: infra/README.md, "Restore". tools/testing/tests/restore.rs runs that.
\ir sql/V001__extensions_and_role.sql
do $$
begin
    if exists (select from pg_namespace where nspname = 'extensions') then
        create extension if not exists pg_trgm with schema extensions;
    else
        create extension if not exists pg_trgm;
    end if;
end
$$;
