-- After 'PUBLISHING HAS STOPPED for this shard', when the reason is that the database was restored and its clock is
-- behind what it was. Mend the clock, stop all nodes, run this as the owner of the schema, once, and start them:
--
--     psql -d sagamore -f renumber-outbox.sql
--
-- Kafka knows each published record by its number, and numbers above the restored counter are in use there. This raises
-- the counters beyond them, by the microseconds since 1970: also beyond what an earlier run of this script has raised
-- and the database has lost again. docs/OPERATIONS.md says what else there is to decide.

\set ON_ERROR_STOP on

begin;
set local search_path = sagamore;

do $$
begin
    -- A shard without slices belongs to nobody, whatever its row says.
    if exists (
        select from shards where owner <> '' and lease_until > now() - interval '2 seconds'
            and id in (select shard from slices)
    ) then
        raise exception 'a node has the shards: stop all nodes, and wait for 4 seconds after one that was killed';
    end if;
end
$$;

select (extract(epoch from now()) * 1000000)::bigint as more \gset

-- Nodes that ran since then have used numbers again. Records with such numbers would count as published: all that wait
-- get new ones. A few from before the restored moment, which are on their topics, come a second time.
update outbox set sequence = sequence + :more;
update outbox_waits set
    after_sequence = after_sequence + :more, through_sequence = through_sequence + :more;
update shards set outbox_sequence = outbox_sequence + :more;

commit;
