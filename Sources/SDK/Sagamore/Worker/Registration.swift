internal import SagamoreAPI
internal import SagamoreProtobuf

/// A workflow, or an activity with its implementation, that a worker can run.
public struct Registration: Sendable {
    enum Content: Sendable {
        case workflow(taskQueue: String, make: @Sendable () -> any RunCode)
        case activity(ActivityCode)
    }

    let name: String
    let content: Content
}

extension Workflow {
    /// Registers the workflow with a worker.
    public static var registered: Registration {
        let table = HandlerTable(handlers)
        return Registration(
            name: type.name,
            content: .workflow(taskQueue: type.taskQueue) { TypedRunCode<Self>(table) }
        )
    }
}

/// An activity's implementation with its types erased.
typealias ActivityCode =
    @Sendable (_ context: ActivityContext, _ input: RawMessage<Payloads>?) async throws -> RawMessage<Payloads>

extension Activity {
    /// Registers the activity and its implementation with a worker.
    ///
    /// `body` runs on its own thread, which it may block. An ``ApplicationError`` that it throws reaches the workflow
    /// unchanged; any other error arrives with its type's name and its description.
    public func implemented(
        _ body: @escaping @Sendable (_ context: ActivityContext, _ input: Input) async throws -> Output
    ) -> Registration {
        let name = name
        return Registration(
            name: name,
            content: .activity { context, payloads in
                let input: Input
                do {
                    input = try PayloadCoding.first(payloads, as: Input.self)
                } catch {
                    throw ApplicationError(
                        "activity '\(name)' cannot decode its input: \(error)",
                        type: "InvalidInput",
                        isNonRetryable: true
                    )
                }
                return try PayloadCoding.list(try await body(context, input))
            }
        )
    }

    /// The activity with an implementation that needs no context, as ``implemented(_:)-(ActivityContext,Input)``.
    public func implemented(_ body: @escaping @Sendable (_ input: Input) async throws -> Output) -> Registration {
        implemented { _, input in try await body(input) }
    }
}

extension Activity where Output == Nothing {
    /// The activity with an implementation that returns nothing.
    public func implemented(
        _ body: @escaping @Sendable (_ context: ActivityContext, _ input: Input) async throws -> Void
    ) -> Registration {
        implemented { context, input in
            try await body(context, input)
            return Nothing()
        }
    }

    /// The activity with an implementation that needs no context and returns nothing.
    public func implemented(_ body: @escaping @Sendable (_ input: Input) async throws -> Void) -> Registration {
        implemented { _, input in
            try await body(input)
            return Nothing()
        }
    }
}

/// Collects registrations, one a line, with conditions and loops.
@resultBuilder
public enum RegistrationBuilder {
    /// One registration.
    public static func buildExpression(_ registration: Registration) -> [Registration] { [registration] }
    /// Several, as a function returns them.
    public static func buildExpression(_ registrations: [Registration]) -> [Registration] { registrations }
    /// All lines.
    public static func buildBlock(_ parts: [Registration]...) -> [Registration] { parts.flatMap { $0 } }
    /// `if` without `else`.
    public static func buildOptional(_ part: [Registration]?) -> [Registration] { part ?? [] }
    /// `if`.
    public static func buildEither(first part: [Registration]) -> [Registration] { part }
    /// `else`.
    public static func buildEither(second part: [Registration]) -> [Registration] { part }
    /// `for`.
    public static func buildArray(_ parts: [[Registration]]) -> [Registration] { parts.flatMap { $0 } }
}

/// The registered workflows and activities of a worker, by name.
struct Registry: Sendable {
    private(set) var workflows: [String: @Sendable () -> any RunCode] = [:]
    private(set) var activities: [String: ActivityCode] = [:]

    init(_ registrations: [Registration], taskQueue: String) throws(WorkerError) {
        guard !registrations.isEmpty else {
            throw WorkerError(
                .badRegistration,
                "the worker for '\(taskQueue)' has no registrations: register a workflow or an activity"
            )
        }
        for registration in registrations {
            let name = registration.name
            let isKnown: Bool
            switch registration.content {
            case .workflow(let queue, let make):
                guard queue == taskQueue else {
                    throw WorkerError(
                        .badRegistration,
                        "workflow '\(name)' belongs to task queue '\(queue)', and this worker serves '\(taskQueue)'"
                    )
                }
                isKnown = workflows.updateValue(make, forKey: name) != nil
            case .activity(let code):
                isKnown = activities.updateValue(code, forKey: name) != nil
            }
            if isKnown { throw WorkerError(.badRegistration, "'\(name)' is registered twice: names must differ") }
            if name.isEmpty { throw WorkerError(.badRegistration, "a registration has an empty name") }
        }
    }

    /// The failure of a task whose type is not registered.
    static func unknown(_ kind: String, _ name: String, known: some Collection<String>) -> ApplicationError {
        let list = known.isEmpty ? "nothing is registered" : "registered: \(known.sorted().joined(separator: ", "))"
        return ApplicationError(
            "\(kind) '\(name)' is not registered with this worker; \(list)",
            type: "NotFoundError"
        )
    }
}
