import SagamorePersistence
import Testing

@testable import SagamoreCLI

struct MigrationProgressTests {
    @Test func theLineTellsTheIndexAndHowFarItIs() {
        let step = Migrator.Progress.indexing("runs_by_type", number: 2, of: 7)
        #expect(MigrationProgress.line(step, nil) == "index 2 of 7, runs_by_type")
        #expect(MigrationProgress.line(.applying("8: lists"), nil) == "applying 8: lists")
    }
}
