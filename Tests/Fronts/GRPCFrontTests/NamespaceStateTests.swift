import SagamoreAPI
import SagamoreEngine
import SagamoreGRPC
import SagamoreGRPCFront
import SagamoreProtobuf
import SagamoreServices
import Testing

extension FrontTests {
    /// Namespaces that are deprecated or deleted, and changes of namespaces.
    @Suite struct NamespaceStateTests {
        private func update(_ fill: (inout UpdateNamespaceRequest) -> Void) -> UpdateNamespaceRequest {
            var request = UpdateNamespaceRequest()
            request.namespace = "other"
            fill(&request)
            return request
        }

        @Test func onlyStartsAreRefusedByADeprecatedNamespace() async throws {
            let namespaces = FakeNamespaces()
            try await withFront(namespaces: namespaces) { client in
                var request = DeprecateNamespaceRequest()
                request.namespace = "default"
                let _: DeprecateNamespaceResponse = try await client.call(.deprecateNamespace, request)
                let start = Refused.start { _ in }.serializedBytes()
                let status = try #require(await client.refusal(.startWorkflowExecution, start))
                #expect(status.code == .failedPrecondition)
                #expect(status.message == "Namespace has invalid state: Deprecated. Must be Registered.")
                let detail = try #require(try status.detail(NamespaceInvalidStateFailure.self))
                #expect(detail.namespace == "default")
                #expect(detail.state == .deprecated)
                #expect(detail.allowedStates == [.registered])
                // The history of this front knows no workflow; it is asked.
                var describe = DescribeWorkflowExecutionRequest()
                describe.namespace = "default"
                describe.execution = WorkflowExecution()
                describe.execution?.workflowID = "w"
                let other = try #require(
                    await client.refusal(.describeWorkflowExecution, describe.serializedBytes())
                )
                #expect(other.code == .internalError)
            }
        }

        @Test func nothingIsDoneInADeletedNamespace() async throws {
            let namespaces = FakeNamespaces()
            try await withFront(namespaces: namespaces) { client in
                var request = DeleteNamespaceRequest()
                request.namespace = "default"
                let bytes = try await client.channel.call(
                    OperatorServiceMethod.deleteNamespace.rawValue,
                    request.serializedBytes(),
                    deadline: .seconds(20)
                )
                let name = try DeleteNamespaceResponse(serializedBytes: bytes).deletedNamespace
                #expect(name == "default-deleted-00000")
                let gone = try #require(
                    await client.refusal(.startWorkflowExecution, Refused.start { _ in }.serializedBytes())
                )
                #expect(gone.code == .notFound)
                #expect(gone.message == "Namespace default is not found.")
                let start = Refused.start { $0.namespace = name }.serializedBytes()
                let status = try #require(await client.refusal(.startWorkflowExecution, start))
                #expect(status.message == "Namespace has invalid state: Deleted. Must be Registered.")
                var list = ListNamespacesRequest()
                var all: ListNamespacesResponse = try await client.call(.listNamespaces, list)
                #expect(all.namespaces.compactMap { $0.namespaceInfo?.name } == ["other"])
                list.namespaceFilter = NamespaceFilter()
                list.namespaceFilter?.includeDeleted = true
                all = try await client.call(.listNamespaces, list)
                #expect(all.namespaces.compactMap { $0.namespaceInfo?.name } == [name, "other"])
            }
        }

        @Test func whatAnUpdateLeavesOutStays() async throws {
            try await withFront { client in
                let request = update {
                    $0.updateInfo = UpdateNamespaceInfo()
                    $0.updateInfo?.ownerEmail = "new@example.com"
                    $0.updateInfo?.data = ["more": "data"]
                    $0.config = NamespaceConfig()
                    $0.config?.workflowExecutionRetentionTtl = Interval.seconds(7_200).duration
                }
                let response: UpdateNamespaceResponse = try await client.call(.updateNamespace, request)
                #expect(response.namespaceInfo?.description == "the other one")
                #expect(response.namespaceInfo?.ownerEmail == "new@example.com")
                #expect(response.namespaceInfo?.data == ["of": "other", "more": "data"])
                #expect(response.config?.workflowExecutionRetentionTtl?.seconds == 7_200)
            }
        }

        @Test func badUpdatesAreRefused() async throws {
            let retention = "A valid retention period is not set on request."
            let cases: [(UpdateNamespaceRequest, String)] = [
                (update { $0.namespace = "" }, "Namespace not set on request."),
                (update { $0.namespace = "nope" }, "Namespace nope is not found."),
                (
                    update {
                        $0.config = NamespaceConfig()
                        $0.config?.workflowExecutionRetentionTtl = Interval.seconds(3_599).duration
                    }, retention
                ),
                (
                    update {
                        $0.config = NamespaceConfig()
                        $0.config?.workflowExecutionRetentionTtl = ProtobufDuration()
                    }, retention
                ),
                (update { $0.deleteBadBinary = "x" }, "Bad binary checksum x doesn't exists."),
                (
                    update { $0.promoteNamespace = true },
                    "global namespace is not enabled on this cluster, cannot update global namespace or promote local "
                        + "namespace: other"
                ),
                (
                    update {
                        $0.replicationConfig = NamespaceReplicationConfig()
                        $0.replicationConfig?.activeClusterName = "elsewhere"
                    }, "Invalid cluster name: elsewhere"
                ),
                (
                    update {
                        $0.updateInfo = UpdateNamespaceInfo()
                        $0.updateInfo?.state = NamespaceState(rawValue: 9)
                    }, "Invalid namespace state update."
                ),
            ]
            try await withFront { client in
                for (request, message) in cases {
                    let status = await client.refusal(.updateNamespace, request.serializedBytes())
                    #expect(status?.message == message)
                }
            }
        }
    }
}
