import SagamoreEngine
import Testing

@testable import SagamoreGRPCFront

extension FrontTests {
    /// How much namespaces and callers may ask for. Times are nanoseconds.
    @Suite struct AdmissionTests {
        private static let second: Int64 = 1_000_000_000

        private func request(
            _ load: CallLoad = .request,
            in namespace: String = "a",
            by caller: String? = nil,
            bytes: Int = 0
        ) -> AdmissionState.Request {
            AdmissionState.Request(load: load, namespace: namespace, caller: caller, bytes: bytes)
        }

        private func isAdmitted(
            _ state: inout AdmissionState,
            _ request: AdmissionState.Request,
            at now: Int64 = 0
        ) -> Bool {
            if case .admitted = state.admit(request, at: now) { true } else { false }
        }

        private func polls(_ outcome: AdmissionState.Outcome) throws -> [AdmissionState.Key] {
            guard case .admitted(let polls) = outcome else { throw Refused() }
            return polls
        }

        private struct Refused: Error {}

        /// Over any long time no more than the rate and a burst, and no less, whatever the times are.
        @Test(arguments: [1, 7, 1_000]) func ratesHold(rate: Int) {
            var table = RequestLimitTable()
            table.namespace.requestsPerSecond = rate
            var state = AdmissionState(table)
            var generator = SystemRandomNumberGenerator()
            var (now, admitted) = (Int64(5), 0)
            let end = now + 20 * Self.second
            while now < end {
                if isAdmitted(&state, request(), at: now) { admitted += 1 }
                now += Int64.random(in: 0...(Self.second / Int64(rate) / 8), using: &generator)
            }
            // Between two tries a place may be free for an eighth of its time.
            #expect((17 * rate...21 * rate).contains(admitted), "\(admitted)")
        }

        @Test func aRefusalSaysWhenToAskAgain() throws {
            var table = RequestLimitTable()
            table.namespace.requestsPerSecond = 10
            var state = AdmissionState(table)
            for _ in 0..<10 { #expect(isAdmitted(&state, request(), at: 100)) }
            guard case .refused(let refusal) = state.admit(request(), at: 100) else {
                Issue.record("the eleventh of a burst of ten was admitted")
                return
            }
            #expect(refusal.wait == Self.second / 10)
            #expect(!isAdmitted(&state, request(), at: 100 + refusal.wait - 1))
            #expect(isAdmitted(&state, request(), at: 100 + refusal.wait))
            #expect(refusal.error.code == .resourceExhausted)
            #expect(
                refusal.error.message == "namespace rate limit exceeded: 10 requests a second; try again in 100 ms"
            )
        }

        @Test func namespacesAndCallersAreApart() {
            var table = RequestLimitTable()
            table.namespace.requestsPerSecond = 2
            table.caller.requestsPerSecond = 3
            table.namespaces["big"] = RequestLimits()
            var state = AdmissionState(table)
            #expect(isAdmitted(&state, request(in: "a", by: "x")))
            #expect(isAdmitted(&state, request(in: "a", by: "x")))
            // What the namespace refuses costs the caller nothing.
            for _ in 0..<5 { #expect(!isAdmitted(&state, request(in: "a", by: "x"))) }
            #expect(isAdmitted(&state, request(in: "b", by: "x")))
            // What the caller's limit refuses costs the namespace nothing.
            for _ in 0..<5 { #expect(!isAdmitted(&state, request(in: "b", by: "x"))) }
            #expect(isAdmitted(&state, request(in: "b", by: "y")))
            for _ in 0..<100 { #expect(isAdmitted(&state, request(in: "big"))) }
        }

        @Test func longPollsAreCountedUntilTheyEnd() throws {
            var table = RequestLimitTable()
            table.namespace.longPolls = 2
            table.caller.longPolls = 1
            var state = AdmissionState(table)
            let first = try polls(state.admit(request(.longPoll, by: "x"), at: 0))
            #expect(!isAdmitted(&state, request(.longPoll, by: "x")))
            #expect(isAdmitted(&state, request(.longPoll, by: "y")))
            #expect(!isAdmitted(&state, request(.longPoll, by: "z")))
            #expect(isAdmitted(&state, request(by: "z")))
            state.pollEnded(first)
            #expect(isAdmitted(&state, request(.longPoll, by: "z")))
            #expect(!isAdmitted(&state, request(.longPoll, by: "x")))
        }

        /// A poll that began before its namespace had a limit takes nothing from the count when it ends.
        @Test func aPollIsGivenBackWhereItWasTaken() throws {
            var table = RequestLimitTable()
            table.caller.longPolls = 10
            var state = AdmissionState(table)
            let early = try polls(state.admit(request(.longPoll, by: "x"), at: 0))
            state.limits.namespace.longPolls = 1
            #expect(isAdmitted(&state, request(.longPoll, by: "x")))
            state.pollEnded(early)
            #expect(!isAdmitted(&state, request(.longPoll, by: "x")))
        }

        @Test func bytesAreCounted() {
            var table = RequestLimitTable()
            table.namespace.payloadBytesPerSecond = 1_000
            var state = AdmissionState(table)
            // One request that is larger than a second's worth goes, and the next ones pay for it.
            #expect(isAdmitted(&state, request(bytes: 3_000), at: 0))
            #expect(!isAdmitted(&state, request(bytes: 1), at: 2 * Self.second))
            #expect(isAdmitted(&state, request(bytes: 900), at: 3 * Self.second))
        }

        @Test func openWorkflowsAreCountedSinceTheyWereRead() {
            var table = RequestLimitTable()
            table.namespace.runningWorkflows = 3
            var state = AdmissionState(table)
            #expect(isAdmitted(&state, request(.start)), "nothing was counted yet")
            state.open["a"] = 1
            #expect(isAdmitted(&state, request(.start)))
            #expect(isAdmitted(&state, request(.start)))
            #expect(!isAdmitted(&state, request(.start)))
            #expect(isAdmitted(&state, request()))
            state.open["a"] = 2
            #expect(isAdmitted(&state, request(.start)))
        }

        @Test func namesThatDoNotExistFillNoMemory() {
            var table = RequestLimitTable()
            table.namespace.requestsPerSecond = 1_000
            var state = AdmissionState(table)
            for number in 0..<(3 * AdmissionState.most) {
                #expect(isAdmitted(&state, request(in: "n\(number)"), at: Int64(number) * Self.second))
            }
            #expect(state.rememberedCount <= AdmissionState.most)
        }
    }
}
