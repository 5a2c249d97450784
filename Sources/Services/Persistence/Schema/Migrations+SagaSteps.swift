extension Migrations {
    static let sagaSteps = Migration(
        version: 11,
        summary: "steps of sagas",
        sql: """
            -- The step that a run has begun with this transition; NULL for one that begins none, and for older rows. In
            -- the row that is written anyway: the step that a run is at costs no row of its own.
            alter table sagamore.journal add column step text;
            """
    )
}
