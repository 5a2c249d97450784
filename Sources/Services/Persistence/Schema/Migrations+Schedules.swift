extension Migrations {
    static let schedules = Migration(
        version: 10,
        summary: "schedules",
        sql: """
            -- `definition` is an encoded Schedule, `progress` what the schedule has done and is about, in a schema of
            -- our own. A row whose alarm has come is loaded by the node that owns the shards; one without is loaded
            -- when somebody asks for it.
            create table sagamore.schedules (
                namespace integer not null,
                schedule_id text not null,
                -- Tells it from another schedule that had the same id before. Its values are in search_values.
                instance uuid not null unique,
                -- Counts the writes: a writer that knows another number knows another row.
                revision bigint not null,
                alarm_at bigint,
                definition bytea not null,
                progress bytea not null,
                -- As clients gave them: encoded Memo and SearchAttributes messages.
                memo bytea,
                search_attributes bytea,
                primary key (namespace, schedule_id)
            ) with (fillfactor = 70);
            create index schedules_due on sagamore.schedules (alarm_at, instance) where alarm_at is not null;
            -- In the order of their creation, which the instances have.
            create index schedules_by_instance on sagamore.schedules (namespace, instance);
            """
    )
}
