internal import Glibc
internal import SagamoreCommandLineArguments
internal import SagamorePersistence
internal import SagamorePostgresClient
internal import SagamoreThreads

/// Shows on a terminal how far a migration is: a line that is written anew. An index of a large table takes minutes.
final class MigrationProgress: Sendable {
    private struct State {
        var step: Migrator.Progress?
        var isOver = false
    }

    private let state = Monitor(State())
    private let thread: SystemThread?
    private static let pause = Duration.milliseconds(500)

    /// - Parameters:
    ///   - url: where the database is, for a session beside the one that migrates.
    ///   - applicationName: the name of the session that migrates.
    init(url: String, applicationName: String) {
        let state = state
        guard isatty(2) == 1 else {
            thread = nil
            return
        }
        thread = SystemThread.required("migration-progress") {
            let connection = try? PostgresConnection(url, applicationName: "sagamore migration progress")
            defer { connection?.close() }
            var isShown = false
            while true {
                let isOver = state.wait(atMost: Self.pause) { $0.isOver ? true : nil } ?? false
                if isOver { break }
                guard let step = state.withLock({ $0.step }) else { continue }
                let index = connection.flatMap { try? IndexProgress.read($0, madeBy: applicationName) }
                StandardError.write("\r\u{1b}[K\(Self.line(step, index))")
                isShown = true
            }
            if isShown { StandardError.write("\r\u{1b}[K") }
        }
    }

    func note(_ step: Migrator.Progress) { state.withLock { $0.step = step } }

    /// Takes the line away.
    func end() {
        state.change { $0.isOver = true }
        thread?.join()
    }

    static func line(_ step: Migrator.Progress, _ index: IndexProgress?) -> String {
        switch step {
        case .applying(let version): return "applying \(version)"
        case .waiting: return "waiting for another process that makes indexes"
        case .indexing(let name, let number, let count):
            let text = "index \(number) of \(count), \(name)"
            guard let index else { return text }
            return "\(text): \(index.phase)" + (index.share.map { " \(Int(($0 * 100).rounded(.down))) %" } ?? "")
        }
    }
}
