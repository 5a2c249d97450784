internal import FoundationEssentials
internal import Glibc
public import SagamoreKafkaClient
internal import SagamoreThreads

/// A single-node Apache Kafka on loopback for tests and measurements. It is started from an unpacked distribution, can
/// be killed and restarted, and is removed at the end, even when this process is killed.
public final class TemporaryKafka: Sendable {
    /// Where clients reach it: `127.0.0.1:port`.
    public let bootstrap: String
    /// Where clients reach the listener that is not for everybody; empty without one.
    public let secureBootstrap: String
    /// The folder with its data, settings and log.
    public let folder: String

    private let distribution: KafkaDistribution
    private let heap: String
    private let process: Locked<GuardedProcess?>

    /// Whether `SAGAMORE_TEST_KAFKA_HOME` names a distribution.
    public static var isAvailable: Bool { KafkaDistribution.fromEnvironment != nil }

    /// The reason to print for skipped tests.
    public static let whySkipped = "exactly-once was not checked: SAGAMORE_TEST_KAFKA_HOME names no Apache Kafka"

    /// Starts a broker on free ports and waits until it answers, which takes about 5 s.
    ///
    /// - Parameters:
    ///   - home: the unpacked distribution; `SAGAMORE_TEST_KAFKA_HOME` when nil.
    ///   - settings: broker properties that override the defaults.
    ///   - security: of a second listener; nil for none.
    ///   - heap: the heap size of its Java VM, as in `-Xmx`.
    /// - Throws: ``KafkaError`` when there is no distribution or no Java, or when the broker does not answer, with the
    ///   last lines of its log.
    public init(
        home: String? = nil,
        settings: [String: String] = [:],
        security: KafkaSecurity? = nil,
        heap: String = "384m"
    ) throws(KafkaError) {
        guard let distribution = home.map({ KafkaDistribution(home: $0) }) ?? .fromEnvironment else {
            throw KafkaError(code: .failed, message: Self.whySkipped)
        }
        self.distribution = distribution
        self.heap = heap
        var template = Array("/tmp/sagamore-kafka-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw KafkaError(code: .failed, message: "no temporary folder") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let ports = LoopbackPorts.free(3)
        bootstrap = "127.0.0.1:\(ports[0])"
        secureBootstrap = security == nil ? "" : "127.0.0.1:\(ports[2])"
        process = Locked(nil)
        let properties = distribution.properties(
            folder: folder,
            port: ports[0],
            controllerPort: ports[1],
            secure: security.map { (ports[2], $0) },
            settings: settings
        )
        guard let file = fopen("\(folder)/server.properties", "w") else {
            throw KafkaError(code: .failed, message: "cannot write to the temporary folder")
        }
        fputs(properties, file)
        fclose(file)
        try format(security?.formatArguments ?? [])
        try restart()
    }

    private func format(_ more: [String]) throws(KafkaError) {
        let java = ["java"] + distribution.format("\(folder)/server.properties", more)
        guard let process = GuardedProcess(java, folder: folder, log: "\(folder)/log") else {
            throw KafkaError(code: .failed, message: "no process could be started")
        }
        while process.isRunning { SystemThread.sleep(.milliseconds(20)) }
        process.end(.kill)
    }

    /// Restarts the broker on the same port with the same data, and waits until it answers.
    /// - Throws: ``KafkaError`` when it does not answer within a minute, with the last lines of its log.
    public func restart() throws(KafkaError) {
        let java = ["java"] + distribution.run("\(folder)/server.properties", heap: heap)
        let started = process.withLock { process -> GuardedProcess? in
            process?.end(.stop)
            process = GuardedProcess(java, folder: folder, log: "\(folder)/log")
            return process
        }
        guard let started else { throw KafkaError(code: .failed, message: "no process could be started") }
        let admin = try KafkaAdmin(KafkaConfiguration(bootstrap: bootstrap))
        let deadline = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < deadline, started.isRunning {
            if (try? admin.clusterID(timeout: .milliseconds(500))) != nil { return }
        }
        throw KafkaError(code: .failed, message: "Apache Kafka does not answer on \(bootstrap):\n\(lastLines())")
    }

    /// Kills the broker with SIGKILL.
    public func kill9() { process.withLock { $0?.end(.kill) } }

    /// Stops the process until ``resume()``. Its connections stay open, but it does not answer. Returns once all of its
    /// threads stand still: on a busy machine they may run on for a moment, and answer.
    public func pause() {
        guard let pid = signal(SIGSTOP) else { return }
        let deadline = ContinuousClock.now + .seconds(10)
        while !Self.standsStill(pid), .now < deadline { usleep(1_000) }
    }

    /// Whether all threads of a process are stopped (`T`), or gone.
    private static func standsStill(_ pid: Int32) -> Bool {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
        return tasks.allSatisfy { task in
            // The state follows the name, which stands in parentheses and may contain anything.
            guard let stat = FileManager.default.contents(atPath: "/proc/\(pid)/task/\(task)/stat"),
                let name = stat.lastIndex(of: UInt8(ascii: ")")), name + 2 < stat.endIndex
            else { return true }
            return [UInt8(ascii: "T"), UInt8(ascii: "t")].contains(stat[name + 2])
        }
    }

    /// Continues the process after ``pause()``.
    public func resume() { _ = signal(SIGCONT) }

    /// - Returns: the process that got the signal.
    private func signal(_ number: Int32) -> Int32? {
        process.withLock { process in
            guard let process else { return nil }
            _ = Glibc.kill(process.identifier, number)
            return process.identifier
        }
    }

    /// Shuts the broker down in order, and waits.
    public func stop() { process.withLock { $0?.end(.stop) } }

    /// Creates topics.
    public func createTopics(
        _ names: [String],
        partitions: Int = 8,
        configuration: [String: String] = [:]
    ) throws(KafkaError) {
        let admin = try KafkaAdmin(KafkaConfiguration(bootstrap: bootstrap))
        try admin.createTopics(names, partitions: partitions, replication: 1, configuration: configuration)
    }

    /// The broker's process id; nil when it was ended.
    public var processIdentifier: Int32? { process.withLock { $0?.identifier } }

    /// Runs a Kafka tool to its end: a class of the distribution with its arguments.
    /// - Throws: ``KafkaError`` when no process can be started, or when the tool runs for longer than 30 s.
    public func runTool(_ arguments: String...) throws(KafkaError) {
        let java = ["java", "-cp", "\(distribution.home)/libs/*", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"]
        guard let process = GuardedProcess(java + arguments, folder: "\(folder)/tool", log: "\(folder)/tool.log") else {
            throw KafkaError(code: .failed, message: "no process could be started")
        }
        defer { process.end(.kill) }
        let deadline = MonotonicTime.now + .seconds(30)
        while process.isRunning {
            if MonotonicTime.now > deadline {
                throw KafkaError(code: .failed, message: "the tool does not end within 30 s")
            }
            SystemThread.sleep(.milliseconds(20))
        }
    }

    private func lastLines() -> String {
        guard let file = fopen("\(folder)/log", "r") else { return "" }
        defer { fclose(file) }
        fseek(file, 0, SEEK_END)
        fseek(file, max(0, ftell(file) - 2000), SEEK_SET)
        var bytes = [UInt8](repeating: 0, count: 2000)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    deinit {
        process.withLock { $0?.end(.kill) }
        try? FileManager.default.removeItem(atPath: folder)
    }
}
