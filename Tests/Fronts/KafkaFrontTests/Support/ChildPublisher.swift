import Foundation
import Glibc
import SagamoreKafkaClient
import Testing

@testable import SagamoreKafkaFront

/// A publisher in a process of its own, which can be killed and stopped. The process runs this test program with a
/// single test.
final class ChildPublisher {
    static let variable = "SAGAMORE_TEST_CHILD_PUBLISHER"

    struct Task: Codable {
        var url: String
        var installation: String
        var process: String
        var bootstrap: String
        var cursors: String
    }

    let pid: pid_t
    private var isWaitedFor = false

    init(_ task: Task) throws {
        let own = try Data(contentsOf: URL(filePath: "/proc/self/cmdline"))
        var arguments = own.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        // Replace the filter, and keep the child from overwriting this program's event stream.
        let options = ["--filter", "--skip", "--event-stream-output-path"]
        while let index = arguments.firstIndex(where: options.contains) {
            arguments.removeSubrange(index..<min(index + 2, arguments.count))
        }
        arguments += ["--filter", "ChildPublisherTests"]
        var environment = ProcessInfo.processInfo.environment
        environment[Self.variable] = String(decoding: try JSONEncoder().encode(task), as: UTF8.self)
        var native: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in native + variables { free(text) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        defer { posix_spawn_file_actions_destroy(&actions) }
        var pid: pid_t = 0
        let path = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let status = posix_spawn(&pid, path, &actions, nil, &native, &variables)
        guard status == 0 else { throw NotInTime(description: "no child process: error \(status)") }
        self.pid = pid
    }

    func signal(_ number: Int32) { kill(pid, number) }

    func kill9() {
        guard !isWaitedFor else { return }
        isWaitedFor = true
        kill(pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    }

    deinit { kill9() }
}

struct ChildPublisherTests {
    private static let task = ProcessInfo.processInfo.environment[ChildPublisher.variable]

    /// Runs until the process is killed or its parent ends.
    @Test(.enabled(if: Self.task != nil, "only in a process that another test starts"))
    func `publishes until killed`() async throws {
        let data = Data(try #require(Self.task).utf8)
        let task = try JSONDecoder().decode(ChildPublisher.Task.self, from: data)
        let kafka = KafkaConfiguration(bootstrap: task.bootstrap)
        var settings = PublisherSettings(
            kafka: kafka,
            installationID: task.installation,
            cursorTopic: task.cursors,
            clock: wallClock
        )
        settings.slowPoll = .milliseconds(5)
        settings.batchRows = 40
        let log = LogBook().logger
        let publisher = ShardPublisher(
            shard: 0,
            settings: settings,
            admin: try KafkaAdmin(kafka),
            makeStore: OutboxWorld.makeStore(task.url, task.process),
            reachability: Reachability(bootstrap: task.bootstrap, log: log),
            log: log
        )
        publisher.start()
        let parent = getppid()
        while getppid() == parent { try await Task.sleep(for: .milliseconds(50)) }
        _exit(0)
    }
}
