import Testing

@testable import SagamoreHistoryService

/// Which followers of a run are notified, by how much of its history is committed.
@Suite struct CommittedHistoryTests {
    private func history(_ last: Int64, isClosed: Bool = false) -> CommittedHistory {
        CommittedHistory(lastEventID: last, isClosed: isClosed)
    }

    @Test func nothingIsNewsBeforeTheFirstCommit() {
        let history = CommittedHistory()
        #expect(!history.isStored)
        #expect(!history.hasNewEvents(after: 0, onlyCloseEvent: false))
        #expect(!history.hasNewEvents(after: 0, onlyCloseEvent: true))
    }

    @Test func eventsAreNewsForThoseWhoHaveNotSeenThem() {
        var history = CommittedHistory()
        history.advance(to: self.history(3))
        #expect(history.isStored)
        #expect(history.hasNewEvents(after: 2, onlyCloseEvent: false))
        #expect(!history.hasNewEvents(after: 3, onlyCloseEvent: false))
        #expect(!history.hasNewEvents(after: 0, onlyCloseEvent: true))
    }

    @Test func theEndIsNewsForAll() {
        var history = CommittedHistory()
        history.advance(to: self.history(3))
        history.advance(to: self.history(4, isClosed: true))
        #expect(history.hasNewEvents(after: 3, onlyCloseEvent: false))
        #expect(history.hasNewEvents(after: 0, onlyCloseEvent: true))
    }

    /// A transition of facts alone adds no event.
    @Test func aCommitWithoutEventsNotifiesNobody() {
        var history = self.history(3)
        history.advance(to: self.history(3))
        #expect(history == self.history(3))
        #expect(!history.hasNewEvents(after: 3, onlyCloseEvent: false))
    }
}
