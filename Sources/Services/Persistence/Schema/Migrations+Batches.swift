extension Migrations {
    static let batches = Migration(
        version: 9,
        summary: "batches",
        sql: """
            -- What is done to many runs. `cursor` says where the next page begins; `request` is an encoded
            -- StartBatchOperationRequest.
            create table sagamore.batches (
                namespace integer not null,
                job_id text not null,
                started_at bigint not null,
                closed_at bigint,
                -- As in the contract: 1 running, 2 completed, 3 failed or stopped.
                state smallint not null default 1,
                total bigint not null default 0,
                completed bigint not null default 0,
                failed bigint not null default 0,
                cursor bytea not null default '',
                request bytea not null,
                ending text not null default '',
                primary key (namespace, job_id)
            );
            create index batches_running on sagamore.batches (started_at) where state = 1;
            """
    )
}
