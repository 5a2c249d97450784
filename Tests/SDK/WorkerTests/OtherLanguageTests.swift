import Foundation
import SagamoreProgramTestSupport
import Testing

@testable import Sagamore

/// Workflows and activities of different languages call each other.
@Suite(.timeLimit(.minutes(2)), .enabled(PythonWorker.missing) { PythonWorker.python != nil })
struct OtherLanguageTests {
    private struct Parts: Codable, Sendable {
        var words: [String]
        var separator: String?
        var count: Int
    }

    private struct Joined: Codable, Sendable, Equatable {
        var text: String
        var isLong: Bool
        var ratio: Double
        enum CodingKeys: String, CodingKey {
            case text, ratio
            case isLong = "is_long"
        }
    }

    private struct Detail: Codable, Equatable { var code: Int }

    private struct Report: Codable, Sendable, Equatable {
        var text: String
        var isLong: Bool
        var ratio: Double
        var data: [Int]
        var nothing: Int?
        var failure: String
        enum CodingKeys: String, CodingKey {
            case text, ratio, data, nothing, failure
            case isLong = "is_long"
        }
    }

    private struct SwiftCaller: Workflow {
        static let type = WorkflowKind<String, Report>("SwiftCaller", taskQueue: "any")

        func run(_ context: WorkflowContext<NoState>, _ queue: String) async throws -> Report {
            var options = ActivityOptions.startToCloseTimeout(.seconds(10))
            options.taskQueue = queue
            let join = Activity<Parts, Joined>("py_join", options)
            let reverse = Activity<[UInt8], [UInt8]>("py_reverse", options)
            let nothing = Activity<String?, Int?>("py_nothing", options)
            let fail = Activity<String, String>("py_fail", options)
            let joined = try await context.execute(join, Parts(words: ["a", "Swift"], separator: nil, count: 2))
            let data = try await context.execute(reverse, [0, 1, 255])
            let none = try await context.execute(nothing, nil)
            var failure = "none"
            do {
                _ = try await context.execute(fail, "why not")
            } catch let error as ActivityError {
                guard let cause = error.cause as? ApplicationError else { throw error }
                let code = try cause.details.decode(Detail.self).code
                failure = "\(cause.type) \(cause.message) \(code) \(cause.isNonRetryable)"
            }
            return Report(
                text: joined.text,
                isLong: joined.isLong,
                ratio: joined.ratio,
                data: data.map { Int($0) },
                nothing: none,
                failure: failure
            )
        }
    }

    private static let options = ActivityOptions.startToCloseTimeout(.seconds(10))

    @Test func aSwiftWorkflowCallsPythonAndAPythonWorkflowCallsSwift() async throws {
        let pythonQueue = "python-\(UUID().uuidString)"
        try await withWorker { queue in
            SwiftCaller.registered(on: queue)
            Activity<Parts, Joined>("swift_join", Self.options).implemented { parts in
                let words = Array(repeating: parts.words, count: parts.count).flatMap { $0 }
                let text = words.joined(separator: parts.separator ?? "+")
                return Joined(text: text, isLong: text.count > 10, ratio: 0.5)
            }
            Activity<[UInt8], [UInt8]>("swift_reverse", Self.options).implemented { data in data.reversed() }
            Activity<Nothing, Nothing>("swift_nothing", Self.options).implemented { _ in Nothing() }
            Activity<String, String>("swift_fail", Self.options).implemented { reason in
                throw ApplicationError(
                    reason,
                    type: "SwiftFailure",
                    isNonRetryable: true,
                    details: try EncodedValues(Detail(code: 7))
                )
            }
        } _: { client, queue, _ in
            let address = client.options.address
            let python = try await blocking {
                try PythonWorker(address: address, queue: pythonQueue, swiftQueue: queue)
            }
            defer { python.stop() }
            let inSwift = try await client.start(SwiftCaller.self, pythonQueue, queue: queue).result()
            #expect(
                inSwift
                    == Report(
                        text: "a+Swift+a+Swift",
                        isLong: true,
                        ratio: 0.5,
                        data: [255, 1, 0],
                        nothing: nil,
                        failure: "PyFailure why not 7 true"
                    )
            )
            let caller = WorkflowKind<String, Report>("PyCaller", taskQueue: pythonQueue)
            let inPython = try await client.execute(caller, "py", WorkflowOptions(id: UUID().uuidString))
            #expect(
                inPython
                    == Report(
                        text: "a+py+a+py",
                        isLong: false,
                        ratio: 0.5,
                        data: [255, 1, 0],
                        nothing: nil,
                        failure: "SwiftFailure why not 7 true"
                    )
            )
        }
    }
}
