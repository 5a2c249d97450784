import Testing

@testable import SagamorePostgresClient

/// The outcome at each point where a connection can break.
@Suite struct PipelineProgressTests {
    private let lost = PostgresError(.connectionLost, "gone")

    private func handedOver(_ steps: PipelineProgress.Step..., isTransaction: Bool = true, readsOnly: Bool = false)
        -> PipelineProgress
    {
        var progress = PipelineProgress(isTransaction: isTransaction, readsOnly: readsOnly, expecting: steps.count)
        for step in steps { progress.handOver(step) }
        return progress
    }

    private func fatal(_ state: String = "57P01") -> PipelineProgress.Answer {
        .refused(PostgresError(.server, "terminating", sqlState: state), isFatal: true)
    }

    @Test func lostBeforeTheCommitIsHandedOver() {
        let progress = handedOver(.begin, .execute(0))
        #expect(progress.outcome(lost: lost)?.code == .connectionLost)
    }

    @Test func lostWithTheCommitOnItsWay() {
        var progress = handedOver(.begin, .execute(0), .commit)
        #expect(progress.outcome(lost: lost)?.code == .outcomeUnknown)
        progress.received(.done(isCommit: false))
        progress.advance()
        progress.received(.done(isCommit: false))
        progress.advance()
        #expect(progress.outcome(lost: lost)?.code == .outcomeUnknown)
    }

    @Test func lostAfterTheCommitWasConfirmed() {
        var progress = handedOver(.commit)
        progress.received(.done(isCommit: true))
        #expect(progress.outcome(lost: lost) == nil)
        progress.received(fatal())
        #expect(progress.outcome(lost: lost) == nil)
    }

    @Test func refusedStatementSettlesItEvenWhenTheConnectionIsLostThen() {
        var progress = handedOver(.begin, .execute(0), .execute(1), .commit)
        progress.received(.done(isCommit: false))
        progress.advance()
        progress.received(.refused(PostgresError(.server, "no", sqlState: "23505"), isFatal: false))
        progress.advance()
        progress.received(.skipped)
        let error = progress.outcome(lost: lost)
        #expect(error?.code == .server)
        #expect(error?.sqlState == "23505")
        #expect(error?.statementIndex == 0)
    }

    @Test func shutdownBeforeTheCommitsTurn() {
        var progress = handedOver(.begin, .execute(0), .commit)
        progress.received(.done(isCommit: false))
        progress.advance()
        progress.received(fatal())
        let error = progress.outcome(lost: lost)
        #expect(error?.code == .connectionLost)
        #expect(error?.sqlState == "57P01")
        #expect(error?.statementIndex == 0)
    }

    @Test func shutdownInTheCommit() {
        var progress = handedOver(.commit)
        progress.received(fatal())
        #expect(progress.outcome(lost: lost)?.code == .outcomeUnknown)
        #expect(progress.outcome(lost: lost)?.sqlState == "57P01")
    }

    @Test func commitThatRolledBack() {
        var progress = handedOver(.commit)
        progress.received(.done(isCommit: false))
        #expect(progress.outcome(lost: nil)?.code == .server)
    }

    @Test func withoutTransactionTheStatementsEndCommits() {
        #expect(handedOver(.execute(0), isTransaction: false).outcome(lost: lost)?.code == .outcomeUnknown)
        #expect(
            handedOver(.execute(0), isTransaction: false, readsOnly: true).outcome(lost: lost)?.code == .connectionLost
        )
        #expect(handedOver(isTransaction: false).outcome(lost: lost)?.code == .connectionLost)
        var running = handedOver(.execute(0), isTransaction: false)
        running.received(fatal())
        #expect(running.outcome(lost: lost)?.code == .connectionLost)
        var ended = handedOver(.execute(0), isTransaction: false)
        ended.received(.done(isCommit: false))
        ended.advance()
        ended.received(fatal())
        #expect(ended.outcome(lost: lost)?.code == .outcomeUnknown)
    }

    @Test func errorWhilePreparingBelongsToItsStatement() {
        var progress = handedOver(.prepare(nil), .begin, .prepare(0), .execute(0), .commit)
        for _ in 0..<2 {
            progress.received(.done(isCommit: false))
            progress.advance()
        }
        progress.received(.refused(PostgresError(.server, "no", sqlState: "42P01"), isFatal: false))
        #expect(progress.outcome(lost: nil)?.statementIndex == 0)
    }
}
