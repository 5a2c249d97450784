import SagamoreAPI
import SagamoreEngine
import SagamoreGRPC
import SagamoreGRPCFront
import SagamoreProtobuf
import Testing

extension FrontTests {
    /// What clients ask before anything else, and what this version lacks.
    @Suite struct SystemTests {
        @Test func capabilitiesAreThoseThatAreThere() async throws {
            try await withFront { client in
                let response: GetSystemInfoResponse = try await client.call(.getSystemInfo, GetSystemInfoRequest())
                #expect(response.serverVersion == "1.29.0")
                var expected = GetSystemInfoResponse.Capabilities()
                expected.signalAndQueryHeader = true
                expected.internalErrorDifferentiation = true
                expected.activityFailureIncludeHeartbeat = true
                expected.encodedFailureAttributes = true
                expected.buildIDBasedVersioning = true
                expected.upsertMemo = true
                expected.sdkMetadata = true
                expected.eagerWorkflowStart = true
                #expect(response.capabilities == expected)
            }
        }

        @Test func clusterInformation() async throws {
            try await withFront { client in
                let response: GetClusterInfoResponse = try await client.call(.getClusterInfo, GetClusterInfoRequest())
                #expect(response.clusterID == "cluster-id")
                #expect(response.clusterName == "here")
                #expect(response.serverVersion == ClusterInformation.contractVersion)
                #expect(response.historyShardCount == 2)
                #expect(response.persistenceStore == "postgresql")
                #expect(response.supportedClients["temporal-python"] == "<2.0.0")
            }
        }

        @Test func healthIsAnsweredByTheServicesName() async throws {
            try await withFront { client in
                // grpc.health.v1.HealthCheckRequest{service = 1}, HealthCheckResponse{status = 1: SERVING}.
                let name = Array(GRPCFront.serviceName.utf8)
                let request = [0x0A, UInt8(name.count)] + name
                let answer = try await client.channel.call(HealthMethod.check.rawValue, request, deadline: .seconds(20))
                #expect(answer == [0x08, 0x01])
            }
        }
    }

    @Suite struct NamespaceTests {
        @Test func describedByNameAndByID() async throws {
            try await withFront { client in
                var request = DescribeNamespaceRequest()
                request.namespace = "other"
                let response: DescribeNamespaceResponse = try await client.call(.describeNamespace, request)
                let info = try #require(response.namespaceInfo)
                #expect(info.name == "other")
                #expect(info.state == .registered)
                #expect(info.description == "the other one")
                #expect(info.ownerEmail == "other@example.com")
                #expect(info.data == ["of": "other"])
                #expect(info.capabilities?.workerHeartbeats == true)
                #expect(info.capabilities?.workerPollCompleteOnShutdown == true)
                #expect(info.capabilities?.syncUpdate == true)
                #expect(info.capabilities?.asyncUpdate == true)
                #expect(info.limits?.blobSizeLimitError == 2 << 20)
                #expect(!info.supportsSchedules)
                #expect(response.config?.workflowExecutionRetentionTtl?.seconds == 86_400)
                #expect(response.config?.historyArchivalState == .disabled)
                #expect(response.replicationConfig?.activeClusterName == "here")
                request.namespace = ""
                request.id = info.id
                let same: DescribeNamespaceResponse = try await client.call(.describeNamespace, request)
                #expect(same == response)
            }
        }

        @Test func listedInPages() async throws {
            let names = (1...5).map { "n\($0)" }
            try await withFront(namespaces: FakeNamespaces(names)) { client in
                var request = ListNamespacesRequest()
                request.pageSize = 2
                var seen: [[String]] = []
                repeat {
                    let page: ListNamespacesResponse = try await client.call(.listNamespaces, request)
                    seen.append(page.namespaces.compactMap { $0.namespaceInfo?.name })
                    request.nextPageToken = page.nextPageToken
                } while !request.nextPageToken.isEmpty
                #expect(seen == [["n1", "n2"], ["n3", "n4"], ["n5"]])
                request.pageSize = 0
                let all: ListNamespacesResponse = try await client.call(.listNamespaces, request)
                #expect(all.namespaces.count == 5)
                #expect(all.nextPageToken.isEmpty)
            }
        }

        @Test func registered() async throws {
            let namespaces = FakeNamespaces()
            try await withFront(namespaces: namespaces) { client in
                var request = RegisterNamespaceRequest()
                request.namespace = "new"
                request.description = "d"
                request.ownerEmail = "o"
                request.data = ["k": "v"]
                request.workflowExecutionRetentionPeriod = Interval.seconds(3_600).duration
                let _: RegisterNamespaceResponse = try await client.call(.registerNamespace, request)
                let record = try namespaces.namespace(named: "new")
                #expect(record.description == "d")
                #expect(record.ownerEmail == "o")
                #expect(record.data == ["k": "v"])
                #expect(record.retention == .seconds(3_600))

                let again = try #require(await client.refusal(.registerNamespace, request.serializedBytes()))
                #expect(again.code == .alreadyExists)
                #expect(again.message == "Namespace \"new\" already exists")
                #expect(try again.detailNames == ["temporal.api.errordetails.v1.NamespaceAlreadyExistsFailure"])
            }
        }
    }
}
