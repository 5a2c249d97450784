import SagamoreAPI
import SagamoreEngine
import SagamoreGRPC
import SagamoreGRPCFront
import SagamoreProtobuf
import SagamoreServices
import Testing

/// A request that is refused before it reaches a service, and how.
struct Refused: Sendable, CustomTestStringConvertible {
    let name: String
    let method: WorkflowServiceMethod
    let request: [UInt8]
    let code: GRPCStatus.Code
    let message: String

    init<Request: ProtobufMessage>(
        _ name: String,
        _ method: WorkflowServiceMethod,
        _ request: Request,
        _ code: GRPCStatus.Code,
        _ message: String,
        _ change: (inout Request) -> Void
    ) {
        var request = request
        change(&request)
        self.name = name
        self.method = method
        self.request = request.serializedBytes()
        self.code = code
        self.message = message
    }

    init<Request: ProtobufMessage>(
        _ name: String,
        _ method: WorkflowServiceMethod,
        _ request: Request,
        _ message: String,
        _ change: (inout Request) -> Void
    ) {
        self.init(name, method, request, .invalidArgument, message, change)
    }

    var testDescription: String { "\(method): \(name)" }
}

/// Texts one byte too long, and payloads likewise.
let tooLong = String(repeating: "x", count: 1_001)
let tooLarge = payloads(String(repeating: "x", count: 2 << 20))

extension FrontTests {
    /// The words and codes are those that Temporal's server answers with, as far as it refuses these at all.
    @Suite struct ValidationTests {
        @Test(arguments: Refused.ofClients + Refused.ofWorkers + Refused.ofAdministrators)
        func isRefused(_ refused: Refused) async throws {
            try await withFront { client in
                let status = try #require(await client.refusal(refused.method, refused.request))
                #expect(status.code == refused.code)
                #expect(status.message == refused.message)
                let detail = status.code == .notFound
                #expect((status.details != nil) == detail)
            }
        }

        @Test func unknownNamespaceIsNamed() async throws {
            try await withFront { client in
                let request = Refused.start { $0.namespace = "nope" }.serializedBytes()
                let status = try #require(await client.refusal(.startWorkflowExecution, request))
                #expect(status.code == .notFound)
                #expect(status.message == "Namespace nope is not found.")
                #expect(try status.detail(NamespaceNotFoundFailure.self)?.namespace == "nope")
            }
        }

        @Test(
            arguments: [
                ([0xFF, 0xFF, 0xFF], "protobuf: the message ends inside a value"),
                ([0x0A, 0x02, 0xFF, 0xFE], "protobuf: string field 1 is not UTF-8"),
                ([0x0A, 0x7F, 0x41], "protobuf: the message ends inside a value"),
            ] as [([UInt8], String)]
        )
        func bytesThatAreNoRequest(_ bytes: [UInt8], _ reason: String) async throws {
            try await withFront { client in
                let status = try #require(await client.refusal(.startWorkflowExecution, bytes))
                #expect(status.code == .invalidArgument)
                #expect(status.message == "The request cannot be decoded: \(reason).")
            }
        }

        @Test(arguments: [(89, false), (90, true)])
        func nestingThatAnAnswerCouldNotHoldIsRefused(_ causes: Int, _ isTooDeep: Bool) async throws {
            func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
                let length = content.count
                let prefix = length < 128 ? [UInt8(length)] : [UInt8(length & 127) | 128, UInt8(length >> 7)]
                return [number << 3 | 2] + prefix + content
            }
            // Failure.cause is field 4; the request's failure is field 2.
            let failure = (0..<causes).reduce(field(1, [0x78])) { inner, _ in field(4, inner) }
            try await withFront { client in
                let status = try #require(await client.refusal(.respondActivityTaskFailed, field(2, failure)))
                #expect(status.code == .invalidArgument)
                #expect(status.message.contains("nested more than 90 deep") == isTooDeep)
            }
        }

        /// Whatever comes, each call ends with a message or a status, and the server goes on.
        @Test func mutatedRequestsNeverStopTheServer() async throws {
            var generator = SplitMix(state: 20_261_123)
            let samples = Refused.ofClients + Refused.ofWorkers
            try await withFront { client in
                for round in 0..<3 {
                    for sample in samples where sample.request.count < 4_000 {
                        var bytes = sample.request
                        for _ in 0...round where !bytes.isEmpty {
                            let place = Int.random(in: bytes.indices, using: &generator)
                            bytes[place] = .random(in: 0...255, using: &generator)
                        }
                        let status = await client.refusal(sample.method, bytes)
                        #expect(status?.code != .unavailable && status?.code != .deadlineExceeded, "\(sample.name)")
                    }
                }
                let _: GetSystemInfoResponse = try await client.call(.getSystemInfo, GetSystemInfoRequest())
            }
        }
    }
}

/// A small generator whose numbers depend on the seed alone.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
