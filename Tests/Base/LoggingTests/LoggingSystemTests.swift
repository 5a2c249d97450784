import SagamoreLogging
import Synchronization
import Testing

/// Bootstrapping affects the whole process, so each test has its own process.
@Suite struct LoggingSystemTests {
    @Test func loggersFollowTheProcessOnceItIsBootstrapped() async {
        await #expect(processExitsWith: .success) {
            let lines = Mutex<[String]>([])
            let early = Logger(label: "early")
            #expect(early.logLevel == .info)
            LoggingSystem.bootstrap(
                level: .warning,
                format: .json,
                destination: .lines { line in lines.withLock { $0.append(line) } }
            )
            #expect(early.logLevel == .warning)
            early.info("off")
            early.warning("on")
            var own = Logger(label: "own")
            own.logLevel = .debug
            own.debug("its own level")
            LoggingSystem.level = .debug
            early.debug("on since the level was changed")
            let messages = lines.withLock { $0.map { $0.split(separator: "\"")[11] } }
            #expect(messages == ["on", "its own level", "on since the level was changed"])
        }
    }

    @Test func bootstrappingTwiceEndsTheProcess() async {
        await #expect(processExitsWith: .failure) {
            LoggingSystem.bootstrap(level: .info)
            LoggingSystem.bootstrap(level: .info)
        }
    }

    @Test func untilThenTextGoesToStandardError() async throws {
        let result = try await #require(processExitsWith: .success, observing: [\.standardErrorContent]) {
            Logger(label: "early").debug("off")
            Logger(label: "early").info("on")
        }
        let text = String(decoding: result.standardErrorContent, as: UTF8.self)
        #expect(text.hasSuffix(" info     early on\n"))
        #expect(!text.contains("off"))
        #expect(!text.contains("\u{1B}"))
    }
}
