package import Foundation
import Synchronization
package import Testing

/// A program of this package (`sagamore` unless named) as a process of its own, as users have it.
package final class RunningProgram: @unchecked Sendable {
    private let process = Process()
    private let texts = Mutex<[Int32: [UInt8]]>([:])
    private let readers = DispatchGroup()

    /// What was started and may still run; ended when the tests end, however a test went.
    private static let all = Mutex<[Int32]>([])
    private static let endsAll: Void = {
        atexit {
            let left = RunningProgram.all.withLock { $0 }
            for pid in left { kill(pid, SIGTERM) }
            for _ in 0..<1_500 where left.contains(where: { isThere(Int64($0)) }) { usleep(10_000) }
        }
    }()

    /// A program of this package: it is beside the one that runs the tests.
    package static func path(_ program: String) -> String {
        let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        return own.deletingLastPathComponent().appendingPathComponent(program).path
    }

    /// - Parameter target: where standard output goes; kept for `output` unless given.
    package init(
        _ arguments: [String],
        program: String = "sagamore",
        input: String? = nil,
        environment: [String: String] = [:],
        folder: String? = nil,
        target: FileHandle? = nil
    ) throws {
        _ = Self.endsAll
        process.executableURL = URL(fileURLWithPath: Self.path(program))
        process.arguments = arguments
        let own = ProcessInfo.processInfo.environment
        process.environment = own.filter { !$0.key.hasPrefix("SAGAMORE_") && !$0.key.hasPrefix("TEMPORAL_") }
            .merging(environment) { $1 }
        if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
        let (output, errors) = (Pipe(), Pipe())
        if let target { process.standardOutput = target } else { process.standardOutput = output }
        process.standardError = errors
        let inputPipe = input.map { _ in Pipe() }
        process.standardInput = inputPipe ?? FileHandle.nullDevice
        try process.run()
        Self.all.withLock { $0.append(process.processIdentifier) }
        if target == nil { read(output, 1) }
        read(errors, 2)
        if let input, let inputPipe {
            inputPipe.fileHandleForWriting.write(Data(input.utf8))
            try inputPipe.fileHandleForWriting.close()
        }
    }

    private func read(_ pipe: Pipe, _ descriptor: Int32) {
        readers.enter()
        Thread.detachNewThread { [self] in
            while true {
                let data = pipe.fileHandleForReading.availableData
                if data.isEmpty { break }
                texts.withLock { $0[descriptor, default: []] += data }
            }
            readers.leave()
        }
    }

    /// What it has printed so far.
    package var output: String { texts.withLock { String(decoding: $0[1] ?? [], as: UTF8.self) } }
    /// What it has said on standard error so far.
    package var errors: String { texts.withLock { String(decoding: $0[2] ?? [], as: UTF8.self) } }
    package var pid: Int32 { process.processIdentifier }
    package var isRunning: Bool { process.isRunning }

    /// Waits until `condition` holds.
    package func wait(
        until condition: () -> Bool,
        seconds: Double = 60,
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        let end = Date().addingTimeInterval(seconds)
        while !condition() {
            if !isRunning || Date() > end {
                if !isRunning { readers.wait() }
                let state = isRunning ? "still runs" : "has ended"
                try #require(condition(), "it \(state): \(output) \(errors)", sourceLocation: location)
                return
            }
            Thread.sleep(forTimeInterval: 0.01)
        }
    }

    package func signal(_ number: Int32) { kill(pid, number) }

    /// Waits for its end: its status, or minus the signal that ended it.
    @discardableResult
    package func status() -> Int32 {
        process.waitUntilExit()
        readers.wait()
        Self.all.withLock { all in all.removeAll { $0 == pid } }
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }
}

/// What a command came to.
package struct Outcome {
    package let status: Int32
    package let output: String
    package let errors: String

    package var lines: [String] { output.split(separator: "\n").map(String.init) }
}

/// Runs a command to its end.
package func sagamore(
    _ arguments: [String],
    input: String? = nil,
    environment: [String: String] = [:],
    folder: String? = nil
) throws -> Outcome {
    let program = try RunningProgram(arguments, input: input, environment: environment, folder: folder)
    let status = program.status()
    return Outcome(status: status, output: program.output, errors: program.errors)
}

/// The same, for words that are written down.
package func sagamore(
    _ arguments: String...,
    input: String? = nil,
    environment: [String: String] = [:],
    folder: String? = nil
) throws -> Outcome {
    try sagamore(arguments, input: input, environment: environment, folder: folder)
}
