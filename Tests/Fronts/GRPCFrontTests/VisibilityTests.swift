import SagamoreAPI
import SagamoreEngine
import SagamoreGRPC
import SagamoreProtobuf
import SagamoreServices
import Testing

@testable import SagamoreGRPCFront

extension FrontTests {
    /// Lists, counts, and search attributes.
    @Suite struct VisibilityFrontTests {
        private static let add = OperatorServiceMethod.addSearchAttributes.rawValue

        private static func listed(
            _ client: Client,
            _ request: ListSearchAttributesRequest
        ) async throws -> ListSearchAttributesResponse {
            let path = OperatorServiceMethod.listSearchAttributes.rawValue
            return try ListSearchAttributesResponse(
                serializedBytes: try await client.channel.call(path, request.serializedBytes(), deadline: nil)
            )
        }

        private static func expect(
            _ client: Client,
            _ path: String,
            _ request: some ProtobufMessage,
            _ code: GRPCStatus.Code,
            _ message: String
        ) async {
            do throws(GRPCStatus) {
                _ = try await client.channel.call(path, request.serializedBytes(), deadline: .seconds(20))
                Issue.record("not refused: \(message)")
            } catch {
                #expect(error.code == code && error.message == message)
            }
        }

        @Test func listsHavePagesOfAThousandAtMost() async throws {
            let visibility = FakeVisibility()
            try await withFront(visibility: visibility) { client in
                for size in [Int32(0), -5, 7, 1_000, 1_001] {
                    var request = ListWorkflowExecutionsRequest()
                    request.namespace = "default"
                    request.pageSize = size
                    request.query = "MyInt = 1"
                    request.nextPageToken = Array("before".utf8)
                    let response: ListWorkflowExecutionsResponse = try await client.call(
                        .listWorkflowExecutions,
                        request
                    )
                    #expect(response.executions.map(\.taskQueue) == ["found"])
                    #expect(response.nextPageToken == Array("next".utf8))
                }
            }
            let expected = [1_000, 1_000, 7, 1_000, 1_000].map { "default \($0) before|MyInt = 1" }
            #expect(visibility.asked.withLock { $0 } == expected)
        }

        @Test func oldFiltersBecomeNewOnes() async throws {
            let visibility = FakeVisibility()
            try await withFront(visibility: visibility) { client in
                var open = ListOpenWorkflowExecutionsRequest()
                open.namespace = "default"
                let _: ListOpenWorkflowExecutionsResponse = try await client.call(.listOpenWorkflowExecutions, open)
                var execution = WorkflowExecutionFilter()
                execution.workflowID = #"it's \ mine"#
                open.filters = .executionFilter(execution)
                open.startTimeFilter = StartTimeFilter()
                open.startTimeFilter?.earliestTime = Instant(nanoseconds: 5).timestamp
                let _: ListOpenWorkflowExecutionsResponse = try await client.call(.listOpenWorkflowExecutions, open)
                var closed = ListClosedWorkflowExecutionsRequest()
                closed.namespace = "default"
                closed.maximumPageSize = 3
                var status = StatusFilter()
                status.status = .failed
                closed.filters = .statusFilter(status)
                closed.startTimeFilter = StartTimeFilter()
                closed.startTimeFilter?.latestTime = Instant(nanoseconds: 9).timestamp
                let _: ListClosedWorkflowExecutionsResponse = try await client.call(
                    .listClosedWorkflowExecutions,
                    closed
                )
                closed.filters = .statusFilter(StatusFilter())
                await Self.expect(
                    client,
                    WorkflowServiceMethod.listClosedWorkflowExecutions.rawValue,
                    closed,
                    .invalidArgument,
                    "StatusFilter must be specified and must be not Running."
                )
                closed.startTimeFilter?.earliestTime = Instant(nanoseconds: 10).timestamp
                status.status = .timedOut
                closed.filters = .statusFilter(status)
                await Self.expect(
                    client,
                    WorkflowServiceMethod.listClosedWorkflowExecutions.rawValue,
                    closed,
                    .invalidArgument,
                    "EarliestTime in StartTimeFilter should not be larger than LatestTime."
                )
            }
            #expect(
                visibility.asked.withLock { $0 } == [
                    "default 1000 |ExecutionStatus = 'Running'",
                    #"default 1000 |ExecutionStatus = 'Running' AND WorkflowId = 'it''s \\ mine' AND StartTime >= 5"#,
                    "default 3 |ExecutionStatus != 'Running' AND CloseTime IS NOT NULL"
                        + " AND ExecutionStatus = 3 AND CloseTime <= 9 ORDER BY CloseTime DESC",
                ]
            )
        }

        @Test func groupsAreCountedTogether() async throws {
            let group = CountedRuns.Group(type: .keyword, value: .keyword("Running"))
            let without = CountedRuns.Group(type: .int, value: nil)
            let visibility = FakeVisibility(counts: [
                CountedRuns(group: group, count: 7), CountedRuns(group: without, count: 2),
            ])
            try await withFront(visibility: visibility) { client in
                var request = CountWorkflowExecutionsRequest()
                request.namespace = "default"
                let response: CountWorkflowExecutionsResponse = try await client.call(
                    .countWorkflowExecutions,
                    request
                )
                #expect(response.count == 9 && response.groups.map(\.count) == [7, 2])
                let values = try response.groups.map { try #require($0.groupValues.first).decoded() }
                #expect(values.map(\.data) == [Array("\"Running\"".utf8), Array("null".utf8)])
                #expect(values[0].metadata["type"] == Array("Keyword".utf8))
            }
        }

        @Test func attributesAreAddedListedAndRemoved() async throws {
            try await withFront { client in
                func add(_ types: [String: Int32]) -> AddSearchAttributesRequest {
                    var request = AddSearchAttributesRequest()
                    request.namespace = "default"
                    for (name, type) in types { request.searchAttributes[name] = IndexedValueType(rawValue: type) }
                    return request
                }
                for types: [String: Int32] in [["City": 2, "Rank": 3], ["City": 2]] {
                    _ = try await client.channel.call(Self.add, add(types).serializedBytes(), deadline: nil)
                }
                let refused: [([String: Int32], GRPCStatus.Code, String)] = [
                    (["City": 3], .alreadyExists, "Search attribute City already exists, and its type is Keyword."),
                    (["WorkflowId": 2], .invalidArgument, "Search attribute WorkflowId is reserved by system."),
                    (["BuildIds": 7], .invalidArgument, "Search attribute BuildIds is reserved by system."),
                    (["TemporalX": 2], .invalidArgument, "Search attribute TemporalX is reserved by system."),
                    (["SagaStatus": 2], .invalidArgument, "Search attribute SagaStatus is reserved by system."),
                    (["X": 8], .invalidArgument, "Unknown search attribute type: 8."),
                    (["X": 0], .invalidArgument, "Unknown search attribute type: 0."),
                    ([:], .invalidArgument, "SearchAttributes are not set on request."),
                    (["": 2], .invalidArgument, "The name of a search attribute has 1 to 255 bytes, and no NUL."),
                ]
                for (types, code, message) in refused {
                    await Self.expect(client, Self.add, add(types), code, message)
                }
                var list = ListSearchAttributesRequest()
                list.namespace = "default"
                var listed = try await Self.listed(client, list)
                #expect(listed.customAttributes.map(\.key).sorted() == ["City", "Rank"])
                #expect(listed.systemAttributes["StartTime"] == .datetime)
                var remove = RemoveSearchAttributesRequest()
                remove.namespace = "default"
                remove.searchAttributes = ["City", "none"]
                let removal = OperatorServiceMethod.removeSearchAttributes.rawValue
                _ = try await client.channel.call(removal, remove.serializedBytes(), deadline: nil)
                listed = try await Self.listed(client, list)
                #expect(listed.customAttributes.map(\.key) == ["Rank"])
                remove.searchAttributes = ["Rank", "StartTime"]
                await Self.expect(
                    client,
                    OperatorServiceMethod.removeSearchAttributes.rawValue,
                    remove,
                    .invalidArgument,
                    "Unable to remove non-custom search attributes: StartTime."
                )
            }
        }

        /// A start is checked against what its namespace knows, and its payloads get their types.
        @Test func aStartIsChecked() async throws {
            let (namespaces, history) = (FakeNamespaces(), FakeHistory())
            _ = try namespaces.addSearchAttributes([("City", .keyword), ("Rank", .int)], to: "default")
            func start(_ attributes: [String: String]) -> StartWorkflowExecutionRequest {
                var request = StartWorkflowExecutionRequest()
                request.namespace = "default"
                request.workflowID = "w"
                request.workflowType = WorkflowType()
                request.workflowType?.name = "T"
                request.taskQueue = TaskQueue()
                request.taskQueue?.name = "q"
                var given = SearchAttributes()
                for (name, json) in attributes {
                    var payload = Payload()
                    payload.metadata["encoding"] = Array("json/plain".utf8)
                    payload.data = Array(json.utf8)
                    given.indexedFields[name] = payload
                }
                request.searchAttributes = RawMessage(given)
                return request
            }
            try await withFront(history: history, namespaces: namespaces) { client in
                let refused: [([String: String], String)] = [
                    (["Town": "\"x\""], "Namespace default has no mapping defined for search attribute Town"),
                    (["Rank": "\"x\""], "invalid value for search attribute Rank of type Int: x"),
                    (["Rank": "5.0"], "invalid value for search attribute Rank of type Int: 5"),
                    (["Rank": "[5,6]"], "invalid value for search attribute Rank of type Int: [5 6]"),
                    (["City": "7"], "invalid value for search attribute City of type Keyword: 7"),
                    (["City": "{}"], "invalid value for search attribute City of type Keyword: map[]"),
                    (["StartTime": "null"], "StartTime attribute can't be set in SearchAttributes"),
                    (["BuildIds": "\"a\""], "invalid value for search attribute BuildIds of type KeywordList: a"),
                ]
                for (attributes, message) in refused {
                    let path = WorkflowServiceMethod.startWorkflowExecution.rawValue
                    await Self.expect(client, path, start(attributes), .invalidArgument, message)
                }
            }
        }
    }
}
