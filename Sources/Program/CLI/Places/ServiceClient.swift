internal import Glibc
internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreGRPC
internal import SagamoreProtobuf
internal import SagamoreServer

/// Calls a server for one command. A failed call is reported with what to do about it.
struct ServiceClient: Sendable {
    private static let common: [any Parameter] =
        [Places.namespace] + ServerConnection.parameters + [OutputFormat.option, TimeFormat.option]

    /// The options of a command that calls a server: its own, then those that all have.
    static func parameters(_ own: [any Parameter]) -> [any Parameter] { own + common }

    /// What to do about a status, by its code, where a command knows better than the general message.
    typealias Advice = [GRPCStatus.Code: String]

    let namespace: String
    private let channel: GRPCChannel
    private let address: String

    /// SDKs' default. A server answers a long poll before this time, if only with nothing.
    private static let deadline = Duration.seconds(30)

    private init(_ connection: GRPCChannelConfiguration, namespace: String) {
        self.namespace = namespace
        channel = GRPCChannel(connection)
        address = connection.addresses.joined(separator: ",")
    }

    /// Does the work of a command with a client of the server that the options name. A signal ends the program at once.
    static func use<Value: Sendable>(
        _ values: ParsedValues,
        _ work: (ServiceClient) async throws -> Value
    ) async throws -> Value {
        let client = ServiceClient(try ServerConnection.configuration(values), namespace: values[Places.namespace])
        ProcessSignals.watch { signal in exit(128 + signal) }
        defer { client.channel.shutdown() }
        return try await work(client)
    }

    /// Makes a call.
    func call<Request: ProtobufMessage, Response: ProtobufMessage>(
        _ method: WorkflowServiceMethod,
        _ request: Request,
        advice: Advice = [:]
    ) async throws(CommandFailure) -> Response {
        do throws(GRPCStatus) {
            return try await attempt(method.rawValue, request)
        } catch {
            throw failure(error, advice)
        }
    }

    /// Makes a call of an operator.
    func call<Request: ProtobufMessage, Response: ProtobufMessage>(
        _ method: OperatorServiceMethod,
        _ request: Request,
        advice: Advice = [:]
    ) async throws(CommandFailure) -> Response {
        do throws(GRPCStatus) {
            return try await attempt(method.rawValue, request)
        } catch {
            throw failure(error, advice)
        }
    }

    /// Makes a call whose failure the command handles itself.
    func attempt<Request: ProtobufMessage, Response: ProtobufMessage>(
        _ path: String,
        _ request: Request
    ) async throws(GRPCStatus) -> Response {
        let bytes = try await channel.call(path, request.serializedBytes(), deadline: Self.deadline)
        do throws(ProtobufError) {
            return try Response(serializedBytes: bytes)
        } catch {
            throw GRPCStatus(code: .internalError, message: "cannot decode the response: \(error)")
        }
    }

    /// The failure of a command by the status of its call.
    func failure(_ status: GRPCStatus, _ advice: Advice = [:]) -> CommandFailure {
        let problem = problem(status)
        let end = problem.hasSuffix("?") ? "" : "."
        return CommandFailure(advice[status.code].map { "\(problem)\(end) \($0)" } ?? problem)
    }

    private func problem(_ status: GRPCStatus) -> String {
        let message = status.message.hasSuffix(".") ? String(status.message.dropLast()) : status.message
        switch status.code {
        case .unavailable:
            return "no Sagamore server answers at \(address) (\(message)). Start 'sagamore dev', or set --address"
        case .deadlineExceeded:
            return "no answer from \(address) within \(Self.deadline.components.seconds) s"
        case .notFound:
            return "\(message) (namespace \(namespace), \(address))"
        case .permissionDenied, .unauthenticated:
            return "\(message) (\(address)). Set --api-key, or the certificate that the server knows"
        default:
            return "\(address) rejected the request: \(status.code): \(message)"
        }
    }
}
