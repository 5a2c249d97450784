internal import FoundationEssentials
public import SagamoreAuthorization
internal import SagamoreHTTPClient
public import SagamoreLogging
internal import SagamoreThreads

/// Where the public keys of those who sign tokens are.
public enum KeySetSource: Sendable, Hashable {
    /// A file, by its path.
    case file(String)
    /// An address, the file with the roots of its certificate, and how often it is read.
    case address(String, roots: String?, refresh: Duration)

    /// What stands there now.
    /// - Throws: an error that says why it cannot be used.
    public func read() throws -> JSONWebKeySet { try JSONWebKeySet(try text()) }

    fileprivate func text() throws -> [UInt8] {
        switch self {
        case .file(let path):
            return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        case .address(let address, let roots, _):
            return try HTTPClient.get(
                address,
                limit: JSONWebKeySet.largest,
                timeout: .seconds(10),
                roots: roots,
                allowsPlainText: address.hasPrefix("http://")
            )
        }
    }

    fileprivate var name: String {
        switch self {
        case .file(let path): path
        case .address(let address, _, _): address
        }
    }
}

/// Gives an authenticator the keys of those who sign tokens, now and whenever they change.
struct KeySetWatch: Sendable {
    let source: KeySetSource
    let authenticator: Authenticator
    let log: Logger

    /// How often a file is read, and how often it is asked whether a token had an unknown key.
    static let interval = Duration.seconds(1)
    /// An address is read at most that often, whatever tokens come.
    static let pause = Duration.seconds(10)

    /// Reads on a thread of its own until the signal is given.
    func start(until stopSignal: StopSignal) {
        _ = SystemThread.required("key-set") {
            var state = State()
            repeat {
                if isDue(&state) { read(&state) }
            } while stopSignal.wait(for: Self.interval) == nil
        }
    }

    private struct State {
        var text: [UInt8]?
        var readAt: ContinuousClock.Instant?
        var unknownSigners = 0
        var problem: String?
    }

    private func isDue(_ state: inout State) -> Bool {
        guard case .address(_, _, let refresh) = source, let readAt = state.readAt else { return true }
        let age = ContinuousClock.now - readAt
        let count = authenticator.unknownSignerCount
        let isWanted = state.text == nil || count > state.unknownSigners
        guard age >= refresh || (isWanted && age >= Self.pause) else { return false }
        state.unknownSigners = count
        return true
    }

    private func read(_ state: inout State) {
        state.readAt = .now
        do {
            let text = try source.text()
            state.problem = nil
            guard text != state.text else { return }
            let keySet = try JSONWebKeySet(text)
            authenticator.replace(keySet)
            state.text = text
            log.notice("the key set was read", metadata: ["source": "\(source.name)", "keys": "\(keySet.count)"])
        } catch {
            // The keys that were there stay. Said once for each reason.
            let problem = "\(error)"
            if problem != state.problem {
                log.error("the key set cannot be used", metadata: ["source": "\(source.name)", "error": "\(problem)"])
            }
            state.problem = problem
        }
    }
}
