internal import SagamoreAPI
internal import SagamoreProtobuf

/// A workflow's code and state with their types erased.
protocol RunCode: Sendable {
    /// Starts `run` on the core's executor. Called inside ``WorkflowExecutor/enter(_:)``.
    func start(_ core: RunCore, _ input: RawMessage<Payloads>?) -> Task<Void, Never>
    /// Runs the handler of the signal that an event brings. Called inside ``WorkflowExecutor/enter(_:)``.
    func signal(_ core: RunCore, _ eventID: Int64, _ name: String, _ input: RawMessage<Payloads>?) -> SignalOutcome
    /// Accepts or rejects an update, and runs its handler. Called inside ``WorkflowExecutor/enter(_:)``.
    func update(_ core: RunCore, _ update: UpdateInput)
    /// Answers a query.
    func answer(_ name: String, _ input: RawMessage<Payloads>?) throws -> RawMessage<Payloads>
}

/// The outcome of a signal.
enum SignalOutcome: Sendable {
    case handled
    /// No handler has that name. The signal stays in the history, for later code that has one.
    case unknown
    case unreadable(any Error)
}

/// The code of one workflow type.
final class TypedRunCode<Code: Workflow>: RunCode {
    private let box = StateBox(Code.State())
    private let handlers: HandlerTable<Code.State>

    init(_ handlers: HandlerTable<Code.State>) { self.handlers = handlers }

    func start(_ core: RunCore, _ input: RawMessage<Payloads>?) -> Task<Void, Never> {
        let context = WorkflowContext<Code.State>(core: core, box: box)
        return Task(executorPreference: core.executor) {
            do {
                let output = try await Code().run(context, Self.decode(input))
                core.end(.completed(try PayloadCoding.list(output)))
            } catch {
                core.end(.failed(error))
            }
        }
    }

    /// Kept out of the code that waits, whose frame stays in memory as long as the run.
    @inline(never)
    private static func decode(_ input: RawMessage<Payloads>?) throws -> Code.Input {
        do {
            return try PayloadCoding.first(input, as: Code.Input.self)
        } catch {
            throw ApplicationError(
                "workflow '\(Code.type.name)' cannot decode its input: \(error)",
                type: "InvalidInput",
                isNonRetryable: true
            )
        }
    }

    func signal(_ core: RunCore, _ eventID: Int64, _ name: String, _ input: RawMessage<Payloads>?) -> SignalOutcome {
        guard let begin = handlers.signals[name] else { return .unknown }
        let work: SignalWork
        do {
            work = try begin(WorkflowContext<Code.State>(core: core, box: box), input)
        } catch {
            return .unreadable(error)
        }
        if case .waiting(let body) = work { core.run(signal: eventID, body) }
        return .handled
    }

    func update(_ core: RunCore, _ update: UpdateInput) {
        let context = WorkflowContext<Code.State>(core: core, box: box)
        let work: UpdateWork
        do {
            guard let begin = handlers.updates[update.name] else { throw unknown(update.name) }
            work = try begin(context, update.request.input?.args, core.isReplaying)
        } catch {
            return core.reject(update, error)
        }
        core.accept(update)
        switch work {
        case .immediate(let body): core.finish(update, Result { try body() })
        case .waiting(let body):
            core.handlerTasks[update.instanceID] = Task(executorPreference: core.executor) {
                do {
                    core.finish(update, .success(try await body()))
                } catch {
                    core.finish(update, .failure(error))
                }
            }
        }
    }

    private func unknown(_ update: String) -> ApplicationError {
        ApplicationError(
            "workflow '\(Code.type.name)' has no update '\(update)'; known updates: "
                + handlers.updates.keys.sorted().joined(separator: ", "),
            type: "UnknownUpdate"
        )
    }

    func answer(_ name: String, _ input: RawMessage<Payloads>?) throws -> RawMessage<Payloads> {
        guard let answer = handlers.queries[name] else {
            let known = handlers.queries.keys
            throw ApplicationError(
                "workflow '\(Code.type.name)' has no query '\(name)'; known queries: "
                    + known.sorted().joined(separator: ", "),
                type: "UnknownQuery"
            )
        }
        return try answer(box.value, input)
    }
}

/// A workflow type's handlers by name. Handlers of different kinds may share a name; of two signals the later one
/// counts.
struct HandlerTable<State: Sendable>: Sendable {
    private(set) var signals: [String: Handler<State>.Arrival] = [:]
    private(set) var queries: [String: Handler<State>.Answer] = [:]
    private(set) var updates: [String: Handler<State>.Acceptance] = [:]

    init(_ handlers: [Handler<State>]) {
        for handler in handlers {
            switch handler.kind {
            case .signal(let begin): signals[handler.name] = begin
            case .query(let answer): queries[handler.name] = answer
            case .update(let begin): updates[handler.name] = begin
            }
        }
    }
}
