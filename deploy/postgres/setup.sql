-- The role and the database of Sagamore. As a superuser, once:
--
--     psql -v password="'…'" -f setup.sql
--
-- The role owns its database: 'sagamore serve' makes and changes its schema by itself, and touches nothing outside.

\set ON_ERROR_STOP on

create role sagamore with login password :password connection limit 200;
create database sagamore with owner sagamore encoding 'UTF8' template template0;
revoke all on database sagamore from public;

\connect sagamore
revoke all on schema public from public;
