import Foundation
import SagamoreLogging
import Synchronization
import Testing

/// Collects the output of a handler.
private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    func logger(_ format: LogFormat, label: String = "test") -> Logger {
        let destination = LogDestination.lines { [self] line in lines.withLock { $0.append(line) } }
        return Logger(label: label, handler: LogHandler(format: format, destination: destination))
    }
}

@Suite struct LoggingTests {
    @Test func aTextLineHasTimeLevelLabelMessageAndSortedMetadata() throws {
        let lines = Lines()
        var logger = lines.logger(.text, label: "lane")
        logger[metadataKey: "shard"] = "3"
        logger.warning("slow commit", metadata: ["rows": "7", "milliseconds": "150"])
        let line = try #require(lines.all.first)
        let time = line.prefix { $0 != " " }
        #expect(
            try Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(String(time)).timeIntervalSinceNow > -60
        )
        #expect(line.dropFirst(time.count) == " warning  lane slow commit milliseconds=150 rows=7 shard=3")
    }

    @Test func textThatCouldMisleadIsWrittenOut() throws {
        let lines = Lines()
        lines.logger(.text).info(
            "two\nlines \u{1B}[31m",
            metadata: ["a": "", "b": "x y", "c": "say \"x\"", "d": "k=v", "e": "\u{85}\u{2028}é"]
        )
        let line = try #require(lines.all.first)
        let expected =
            #"two\nlines \u{1b}[31m a="" b="x y" c="say \"x\"" d="k=v" e=\u{85}\u{2028}é"#
        #expect(line.hasSuffix(expected))
    }

    @Test func metadataHasStructure() throws {
        let metadata: Logger.Metadata = [
            "queues": ["fast", "slow"], "size": ["rows": .stringConvertible(7), "a": "x y"],
        ]
        let lines = Lines()
        lines.logger(.text).info("full", metadata: metadata)
        lines.logger(.json).info("full", metadata: metadata)
        #expect(try #require(lines.all.first).hasSuffix(#"full queues="[fast, slow]" size="{a: x y, rows: 7}""#))
        #expect(
            try #require(lines.all.last).contains(
                #""metadata":{"queues":["fast","slow"],"size":{"a":"x y","rows":"7"}}"#
            )
        )
        #expect(metadata == ["size": ["rows": "7", "a": "x y"], "queues": [.stringConvertible("fast"), "slow"]])
        #expect(metadata["queues"] != "[fast, slow]")
    }

    @Test func aJSONLineIsAnObjectWithStableKeys() throws {
        let lines = Lines()
        lines.logger(.json).error("a \"quoted\"\n\u{1} é", metadata: ["z": "1", "a": "2"])
        lines.logger(.json).info("plain")
        let line = try #require(lines.all.first)
        let start =
            #"{"label":"test","level":"error","message":"a \"quoted\"\n\u0001 é","metadata":{"a":"2","z":"1"},"time":""#
        #expect(line.hasPrefix(start))
        #expect(try #require(lines.all.last).hasPrefix(#"{"label":"test","level":"info","message":"plain","time":"2"#))
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        #expect(object?["message"] as? String == "a \"quoted\"\n\u{1} é")
    }

    @Test func nothingIsEvaluatedBelowTheLevel() {
        let lines = Lines()
        var logger = lines.logger(.text)
        var evaluated = 0
        func message() -> String {
            evaluated += 1
            return "x"
        }
        logger.logLevel = .error
        logger.warning(message(), metadata: ["x": "\(message())"])
        #expect(evaluated == 0)
        logger.error(message())
        #expect(evaluated == 1)
        #expect(lines.all.count == 1)
    }

    @Test func everyLevelWritesItsName() {
        let lines = Lines()
        var logger = lines.logger(.text)
        logger.logLevel = .trace
        logger.trace("m")
        logger.debug("m")
        logger.info("m")
        logger.notice("m")
        logger.warning("m")
        logger.error("m")
        logger.critical("m")
        let names = lines.all.map { String($0.split(separator: " ")[1]) }
        #expect(names == Logger.Level.allCases.map(\.rawValue))
        #expect(Logger.Level.allCases == Logger.Level.allCases.sorted())
        #expect(Logger.Level(rawValue: "warning") == .warning)
    }

    @Test func metadataOfACopyStaysWithTheCopy() {
        let lines = Lines()
        let logger = lines.logger(.text)
        var copy = logger
        copy[metadataKey: "run"] = "1"
        logger.info("a")
        copy.info("b", metadata: ["run": "2"])
        copy[metadataKey: "run"] = nil
        copy.info("c")
        #expect(lines.all.map { String($0.split(separator: " ", maxSplits: 3)[3]) } == ["a", "b run=2", "c"])
    }

    /// Lines longer than a pipe's buffer, from several threads, to a slowly read pipe.
    @Test func linesStayWholeWhicheverThreadsTheyComeFrom() throws {
        let pipe = Pipe()
        let descriptor = pipe.fileHandleForWriting.fileDescriptor
        let handler = LogHandler(format: .json, destination: .fileDescriptor(descriptor))
        let threads = 4
        let each = 50
        let done = Atomic<Int>(0)
        let writers = (0..<threads).map { thread in
            Thread {
                let logger = Logger(label: "thread \(thread)", handler: handler)
                for index in 0..<each {
                    logger.info("line \(index)", metadata: ["text": "\(String(repeating: "\(thread)", count: 9000))"])
                }
                if done.add(1, ordering: .acquiringAndReleasing).newValue == threads {
                    try? pipe.fileHandleForWriting.close()
                }
            }
        }
        for writer in writers { writer.start() }
        let text = try #require(String(data: pipe.fileHandleForReading.readDataToEndOfFile(), encoding: .utf8))
        let lines = text.split(separator: "\n")
        #expect(lines.count == threads * each)
        for line in lines {
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            let metadata = object?["metadata"] as? [String: String]
            let thread = try #require((object?["label"] as? String)?.last)
            #expect(metadata?["text"] == String(repeating: String(thread), count: 9000))
        }
    }
}
