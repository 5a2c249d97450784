extension Migrations {
    /// What lists, counts and filters need. Columns without defaults: a table with such is not rewritten.
    static let visibility = Migration(
        version: 8,
        summary: "what lists show, and search attributes",
        sql: """
            -- Runs of older versions lack all of these.
            alter table sagamore.runs
                add column execution_at bigint,
                add column transitions bigint,
                add column parent_workflow_id text,
                add column parent_run_id uuid,
                -- NULL: the run is its own root.
                add column root_workflow_id text,
                add column root_run_id uuid,
                -- The command that began the run's chain.
                add column command_id text,
                -- 1 running, 2 compensating, 3 compensated, 4 compensation failed; NULL for what is no saga.
                add column saga_status smallint,
                add column saga_step text,
                -- As clients gave them: encoded Memo and SearchAttributes messages.
                add column memo bytea,
                add column search_attributes bytea;

            -- The search attributes that namespaces have beside those that all have. An attribute that is added again
            -- has another id, so that its old values are not found.
            create table sagamore.search_attributes (
                id integer generated always as identity primary key,
                namespace integer not null,
                name text not null,
                type smallint not null,
                unique (namespace, name)
            );

            -- One row for each value that a run can be found by; several for a list, or for the words of a text. Which
            -- column has it depends on the attribute's type.
            create table sagamore.search_values (
                run_id uuid not null,
                attribute integer not null,
                position smallint not null,
                namespace integer not null,
                word text,
                number bigint,
                fraction double precision,
                primary key (run_id, attribute, position)
            );
            create index search_values_by_word on sagamore.search_values
                (attribute, namespace, word, run_id) where word is not null;
            create index search_values_by_number on sagamore.search_values
                (attribute, namespace, number, run_id) where number is not null;
            create index search_values_by_fraction on sagamore.search_values
                (attribute, namespace, fraction, run_id) where fraction is not null;
            """,
        // A list begins with the newest run, by its id: the primary key has them in that order. A page is a part of it
        // or of one of these. Each of them costs every saga an entry at its start and one at its end, so times of
        // starts have no more than a summary of the table's pages. None begins with the namespace: owners look runs up
        // by namespace and workflow, and a plan that was made while the table was empty would take any such.
        indexes: [
            Migration.Index(
                "runs_by_start",
                "sagamore.runs using brin (started_at) with (pages_per_range = 16, autosummarize = on)"
            ),
            Migration.Index("runs_by_status", "sagamore.runs (status, namespace, run_id)"),
            Migration.Index("runs_by_type", "sagamore.runs (workflow_type, namespace, run_id)"),
            Migration.Index(
                "runs_by_close",
                "sagamore.runs (closed_at, namespace, run_id) where closed_at is not null"
            ),
            Migration.Index("runs_by_command", "sagamore.runs (command_id, namespace) where command_id is not null"),
            Migration.Index(
                "runs_by_parent",
                "sagamore.runs (parent_workflow_id, namespace) where parent_workflow_id is not null"
            ),
            Migration.Index(
                "runs_by_saga",
                "sagamore.runs (saga_status, namespace, run_id) where saga_status in (2, 4)"
            ),
        ]
    )
}
