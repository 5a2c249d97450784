/// One step of the schema. Steps are never changed once released; new ones are added at the end.
struct Migration: Sendable {
    let version: Int32
    let summary: String
    let sql: String
    /// Indexes of tables that may be large: made afterwards, while others read and write the table.
    var indexes: [Index] = []

    struct Index: Sendable {
        let name: String
        /// The table, the columns, and the condition.
        let definition: String

        init(_ name: String, _ definition: String) {
            self.name = name
            self.definition = definition
        }
    }
}

enum Migrations {
    static let all: [Migration] = [
        baseline, outboxGaps, visibility, batches, schedules, sagaSteps, builds, statistics,
    ]

    /// Earlier steps belonged to development versions, whose databases cannot be migrated.
    static var first: Int32 { baseline.version }

    /// The newest form of facts and rows that this program reads. Level 2: snapshots. Level 3: chains,
    /// children, updates. Level 4: runs of schedules. Level 5: builds
    /// in snapshots.
    ///
    /// A migration raises the installation's level to this one. From then on a program that reads less takes no shard,
    /// so an owner may write the newer forms as soon as it finds the level in the installation's row.
    static let formatLevel: Int32 = 5

    /// Times are nanoseconds since 1970 as `bigint`. Storage of bytes is external (not compressed): rows are small, and
    /// CPU is what a saga costs. Indexes begin with run ids or times and not with slices, so that inserts stay
    /// together: a shard's rows are found among those of the others.
    private static let baseline = Migration(
        version: 6,
        summary: "shards, slices, namespaces, runs, alarms, backlog, journal, snapshots, inbox, outbox",
        sql: """
            create table sagamore.installation (
                singleton boolean primary key default true check (singleton),
                id uuid not null,
                -- What may be written: a program that reads less refuses the database.
                format_level integer not null default 1,
                created_at timestamptz not null default now()
            );

            -- One row a shard, updated by every commit: room on the page keeps those updates HOT. A shard is the unit
            -- of ownership and a stream of outbox records; its row stays when it has no slices any more. An owner that
            -- has seen more commits than the row counts looks at a database that lost some. `slice_version` is the same
            -- in all rows: only who knows the newest table of slices takes a shard.
            create table sagamore.shards (
                id integer primary key,
                epoch bigint not null default 0,
                node text not null default '',
                owner text not null default '',
                lease_until timestamptz not null default '-infinity',
                outbox_sequence bigint not null default 0,
                commit_count bigint not null default 0,
                slice_version bigint not null default 1
            ) with (fillfactor = 20);

            -- Which shard writes the runs of a slice. A run's slice is a hash of its workflow and never changes.
            create table sagamore.slices (
                slice smallint primary key check (slice between 0 and 4095),
                shard integer not null
            );

            -- The first statement of every commit of a shard. It raises when the caller is not the owner any more:
            -- a check that only returned no rows would let the transaction go through.
            create function sagamore.fence(shard integer, expected_epoch bigint, outbox_rows bigint) returns bigint
            language plpgsql as $function$
            declare sequence bigint;
            begin
                update sagamore.shards
                    set outbox_sequence = outbox_sequence + outbox_rows, commit_count = commit_count + 1
                    where id = shard and epoch = expected_epoch returning outbox_sequence into sequence;
                if not found then
                    raise exception 'shard % is not owned with epoch % any more', shard, expected_epoch
                        using errcode = 'SG001';
                end if;
                return sequence;
            end
            $function$;

            -- Called for a workflow that was taken to be new and is not: the transaction must not go through.
            create function sagamore.refuse_known_workflow() returns void
            language plpgsql as $function$
            begin
                raise exception 'a workflow that was taken to be new has a run' using errcode = 'SG002';
            end
            $function$;

            -- Called for a run that begins with the history of another one, of which a part was deleted meanwhile.
            create function sagamore.refuse_incomplete_copy() returns void
            language plpgsql as $function$
            begin
                raise exception 'a journal to be copied has lost rows' using errcode = 'SG003';
            end
            $function$;

            create table sagamore.namespaces (
                number integer generated always as identity primary key,
                id uuid not null unique,
                name text not null unique,
                description text not null,
                owner_email text not null,
                retention bigint not null,
                data_keys text[] not null,
                data_values text[] not null,
                -- As in the contract: 1 registered, 2 deprecated, 3 deleted.
                state smallint not null default 1,
                -- Set by the deletion, which renames the namespace: its runs are deleted, then this row.
                deleted_at timestamptz,
                created_at timestamptz not null default now()
            );

            -- What lists show, and how the current run of a workflow id is found: the newest one.
            create table sagamore.runs (
                run_id uuid primary key,
                namespace integer not null,
                slice smallint not null,
                status smallint not null,
                started_at bigint not null,
                closed_at bigint,
                history_length bigint not null,
                history_bytes bigint not null,
                workflow_id text not null,
                workflow_type text not null,
                task_queue text not null,
                start_request_id text not null
            ) with (fillfactor = 85);
            create index runs_by_workflow on sagamore.runs (namespace, workflow_id, run_id);

            -- One narrow row a run that still has to do something. alarm_at is null while the run is active: recovery
            -- looks at it. A parked run has the time at which its owner must look. A run whose task found no room in a
            -- full task queue waits for that queue here, and is paged back in order.
            create table sagamore.alarms (
                run_id uuid primary key,
                alarm_at bigint,
                open_namespace integer,
                slice smallint not null,
                open_workflow_id text
            ) with (fillfactor = 85);
            create index alarms_active on sagamore.alarms (run_id) where alarm_at is null;
            create index alarms_parked on sagamore.alarms (alarm_at, run_id) where alarm_at is not null;
            -- The last word on a rule that the engine keeps: one open run a workflow id. On alarms, which have one row
            -- for each open run and lose it at the end: an index on open runs would make each end of a run write to all
            -- indexes of its table.
            create unique index alarms_open on sagamore.alarms (open_namespace, open_workflow_id);

            -- Runs that a reset began, and the run whose history each repeats.
            create table sagamore.resets (
                run_id uuid primary key,
                base_run_id uuid not null
            );
            create index resets_by_base on sagamore.resets (base_run_id, run_id);

            -- Deleted runs whose journals are not erased yet. Their rows in runs stay without a status (0), so that the
            -- run before them does not become the newest one.
            create table sagamore.deletions (
                run_id uuid primary key,
                slice smallint not null
            );

            -- One row for each task that found no room in its task queue. `task` is the id of the activity's
            -- ActivityTaskScheduled, or 0 for the workflow task.
            create table sagamore.backlog (
                run_id uuid not null,
                task bigint not null,
                since bigint not null,
                place bigint not null,
                slice smallint not null,
                priority smallint not null,
                queue text not null,
                primary key (run_id, task)
            );
            create index backlog_by_queue on sagamore.backlog (queue, priority, place);

            -- What clients have set for a task queue: rate limits and weights, an encoded TaskQueueConfig.
            create table sagamore.task_queues (
                queue text primary key,
                settings bytea not null
            );

            -- Append only: one row a transition (or several of one run that were committed together). `events` is an
            -- encoded History message, as it is served; `facts` what happened besides.
            create table sagamore.journal (
                run_id uuid not null,
                sequence bigint not null,
                first_event_id bigint not null,
                events bytea not null,
                facts bytea not null,
                primary key (run_id, sequence)
            );
            alter table sagamore.journal alter column events set storage external;
            alter table sagamore.journal alter column facts set storage external;

            -- The state of a run after the transition `sequence`, in the form `format`. What a snapshot holds needs no
            -- facts any more: journal rows up to it keep their events alone. The state's bytes are stored apart from
            -- the row, so that looking for a row reads none of them.
            create table sagamore.snapshots (
                run_id uuid primary key,
                sequence bigint not null,
                format smallint not null,
                state bytea not null
            );
            alter table sagamore.snapshots alter column state set storage external;

            -- Commands that were carried out or refused, by what makes them the same.
            create table sagamore.inbox (
                received_at bigint not null,
                namespace integer not null,
                workflow_id text not null,
                command_id text not null,
                cluster text not null,
                topic text not null,
                topic_partition integer not null,
                record_offset bigint not null
            );
            create unique index inbox_commands on sagamore.inbox (namespace, workflow_id, command_id);
            create index inbox_by_time on sagamore.inbox using brin (received_at);

            -- Records on their way to a topic, numbered by the shard's row.
            create table sagamore.outbox (
                shard integer not null,
                sequence bigint not null,
                topic text not null,
                key bytea,
                value bytea,
                headers bytea not null,
                primary key (shard, sequence)
            );
            alter table sagamore.outbox alter column value set storage external;

            -- Records of `shard` after `after_sequence` wait until those of `for_shard` through `through_sequence` are
            -- published: slices moved from one to the other, and the records of a key keep their order.
            create table sagamore.outbox_waits (
                shard integer not null,
                after_sequence bigint not null,
                for_shard integer not null,
                through_sequence bigint not null,
                primary key (shard, after_sequence, for_shard)
            );

            -- How far a shard's records of a topic are published; the cursor in Kafka is the truth, this outlives it.
            create table sagamore.outbox_positions (
                shard integer not null,
                topic text not null,
                sequence bigint not null,
                primary key (shard, topic)
            ) with (fillfactor = 20);

            -- Records that a broker refuses for good.
            create table sagamore.dead_events (
                shard integer not null,
                sequence bigint not null,
                topic text not null,
                key bytea,
                value bytea,
                headers bytea not null,
                error text not null,
                refused_at timestamptz not null default now(),
                primary key (shard, sequence)
            );

            -- The newest heartbeat details of running activities, written at most once an interval.
            create table sagamore.heartbeats (
                run_id uuid not null,
                scheduled_event_id bigint not null,
                attempt integer not null,
                details bytea not null,
                recorded_at bigint not null,
                primary key (run_id, scheduled_event_id)
            );
            """
    )

    /// Columns without defaults: a table with such is not rewritten.
    private static let outboxGaps = Migration(
        version: 7,
        summary: "numbers that an owner leaves out",
        sql: """
            -- The owner has left out the numbers behind the first, up to and with the second: a cursor among them
            -- belongs to commits that the database has lost.
            alter table sagamore.shards add column outbox_found bigint, add column outbox_start bigint;
            """
    )
}
