extension Migrations {
    static let builds = Migration(
        version: 12,
        summary: "builds of workers",
        sql: """
            -- The build of the worker that has completed a workflow task with this transition, '' where it named none,
            -- and the checksum of its program: each where it is new to the run, else NULL, as in all older rows. In the
            -- row that is written anyway, as the step is.
            alter table sagamore.journal add column build_id text, add column binary_checksum text;
            """
    )
}
