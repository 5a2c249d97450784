import SagamoreAPI
import SagamoreEngine
import SagamoreGRPC
import SagamoreProtobuf
import Testing

@testable import SagamoreGRPCFront

/// Errors of the services as statuses with the details that SDKs look for.
@Suite struct StatusTests {
    private let runID = RunID(high: 1, low: 2)

    @Test func everyCodeKeepsItsNameAndMessage() {
        let codes: [(RequestError.Code, GRPCStatus.Code)] = [
            (.invalidArgument, .invalidArgument), (.notFound, .notFound), (.alreadyExists, .alreadyExists),
            (.failedPrecondition, .failedPrecondition), (.permissionDenied, .permissionDenied),
            (.resourceExhausted, .resourceExhausted), (.unavailable, .unavailable), (.unimplemented, .unimplemented),
            (.deadlineExceeded, .deadlineExceeded), (.cancelled, .cancelled), (.internalError, .internalError),
        ]
        for (code, expected) in codes {
            let status = GRPCStatus(RequestError(code, "why"))
            #expect(status.code == expected)
            #expect(status.message == "why")
        }
    }

    @Test func startedAlready() throws {
        let detail = RequestError.Detail.workflowAlreadyStarted(runID: runID, startRequestID: "first")
        let status = GRPCStatus(RequestError(.alreadyExists, "running", detail: detail))
        let failure = try #require(try status.detail(WorkflowExecutionAlreadyStartedFailure.self))
        #expect(failure.startRequestID == "first")
        #expect(failure.runID == "00000000-0000-0001-0000-000000000002")
        #expect(failure.firstExecutionRunID == failure.runID)
    }

    @Test func everyNotFoundHasADetail() throws {
        let errors: [RequestError] = [
            .workflowClosed, .workflowNotFound("x"), .workflowTaskNotFound, .activityTaskNotFound,
        ]
        for error in errors {
            let status = GRPCStatus(error)
            #expect(try status.detailNames == ["temporal.api.errordetails.v1.NotFoundFailure"])
            #expect(status.message == error.message)
        }
    }

    @Test func namespaces() throws {
        let missing = GRPCStatus(.namespaceNotFound("nope"))
        #expect(missing.message == "Namespace nope is not found.")
        #expect(try missing.detail(NamespaceNotFoundFailure.self)?.namespace == "nope")
        let taken = GRPCStatus(RequestError(.alreadyExists, "taken", detail: .namespaceAlreadyExists))
        #expect(try taken.detailNames == ["temporal.api.errordetails.v1.NamespaceAlreadyExistsFailure"])
    }

    @Test func failedQueryCarriesItsFailure() throws {
        var cause = Failure()
        cause.message = "no such query"
        let failed = RequestError(.invalidArgument, "no such query", detail: .queryFailed(RawMessage(cause)))
        let detail = try #require(try GRPCStatus(failed).detail(QueryFailedFailure.self))
        #expect(try detail.failure?.decoded() == cause)
        let bare = RequestError(.invalidArgument, "no such query", detail: .queryFailed(nil))
        #expect(try GRPCStatus(bare).detail(QueryFailedFailure.self)?.failure == nil)
        #expect(try GRPCStatus(bare).detailNames == ["temporal.api.errordetails.v1.QueryFailedFailure"])
    }

    /// SDKs tell a failed query from a wrong request by the detail: it must survive a stack trace and a long message.
    @Test func longQueryFailureKeepsItsType() throws {
        var cause = Failure()
        cause.stackTrace = String(repeating: "at line\n", count: 10_000)
        let message = String(repeating: "ä", count: 5_000)
        let error = RequestError(.invalidArgument, message, detail: .queryFailed(RawMessage(cause)))
        let status = GRPCStatus(error)
        #expect(try status.detailNames == ["temporal.api.errordetails.v1.QueryFailedFailure"])
        #expect(status.details?.count ?? .max < 4_000)
    }

    @Test func queryOfARunThatNobodySawSaysSo() throws {
        let status = GRPCStatus(RequestError.closedBeforeFirstTask)
        #expect(status.code == .failedPrecondition)
        #expect(try status.detailNames == ["temporal.api.errordetails.v1.WorkflowNotReadyFailure"])
    }

    @Test func otherCodesHaveTheDetailThatBelongsToThem() throws {
        let exhausted = GRPCStatus(RequestError(.resourceExhausted, "full"))
        #expect(try exhausted.detailNames == ["temporal.api.errordetails.v1.ResourceExhaustedFailure"])
        let denied = GRPCStatus(RequestError(.permissionDenied, "no"))
        #expect(try denied.detailNames == ["temporal.api.errordetails.v1.PermissionDeniedFailure"])
        for code in [RequestError.Code.invalidArgument, .unavailable, .unimplemented, .internalError] {
            #expect(GRPCStatus(RequestError(code, "x")).details == nil)
        }
    }

    @Test func textsAreCutBetweenCharacters() {
        #expect("äöü".prefix(utf8: 3) == "ä")
        #expect("äöü".prefix(utf8: 6) == "äöü")
        #expect("äöü".prefix(utf8: 0).isEmpty)
    }

    @Test func pollsGetRandomUUIDs() {
        let ids = RequestIDs()
        var seen: Set<String> = []
        for _ in 0..<1_000 {
            let id = ids.next()
            #expect(RunID(id) != nil)
            #expect(Array(id)[14] == "4")
            #expect("89ab".contains(Array(id)[19]))
            seen.insert(id)
        }
        #expect(seen.count == 1_000)
    }

    @Test func workersThatLeftAreForgottenInOrder() {
        let departed = DepartedWorkers(limit: 2)
        func worker(_ key: String) -> DepartedWorkers.Worker { .init(namespace: 1, instanceKey: key) }
        func known() -> [String] { ["a", "b", "c", "d", ""].filter { departed.contains(worker($0)) } }
        departed.insert(worker("a"))
        departed.insert(worker("b"))
        departed.insert(worker("a"))
        departed.insert(worker(""))
        #expect(known() == ["a", "b"])
        departed.insert(worker("c"))
        #expect(known() == ["b", "c"])
        departed.insert(worker("d"))
        #expect(known() == ["c", "d"])
        #expect(!departed.contains(.init(namespace: 2, instanceKey: "d")))
    }
}
