import Glibc
import Testing

@testable import SagamoreThreads

@Suite struct SystemThreadTests {
    private static func isBlocked(_ signal: Int32) -> Bool {
        var mask = sigset_t()
        pthread_sigmask(SIG_BLOCK, nil, &mask)
        return sigismember(&mask, signal) == 1
    }

    private static func threadName() -> String {
        guard let file = fopen("/proc/thread-self/comm", "r") else { return "" }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes.prefix(count).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    @Test func theNameIsShownAndCutAtFifteenBytes() throws {
        let names = Locked<[String]>([])
        for name in ["lane-3", "a-name-of-more-than-fifteen-bytes"] {
            try SystemThread(name) { names.withLock { $0.append(Self.threadName()) } }.join()
        }
        #expect(names.withLock { $0 } == ["lane-3", "a-name-of-more-"])
    }

    @Test func signalsAreForOthersUnlessTheyAreInherited() throws {
        let seen = Locked<[Bool]>([])
        let before = Self.isBlocked(SIGTERM)
        for signals in [SystemThread.Signals.blocked, .inherited] {
            try SystemThread("mask", signals: signals) {
                seen.withLock { $0 += [Self.isBlocked(SIGTERM), Self.isBlocked(SIGSEGV)] }
            }.join()
        }
        #expect(seen.withLock { $0 } == [true, false, before, false])
        #expect(Self.isBlocked(SIGTERM) == before)
    }

    @Test func theStackIsAsLargeAsAsked() throws {
        let size = Locked(0)
        // Deeper than the usual 8 MiB.
        try SystemThread("deep", stackSize: 64 << 20) {
            func sum(_ depth: Int) -> Int {
                withUnsafeTemporaryAllocation(byteCount: 4_096, alignment: 16) { buffer in
                    buffer[0] = 1
                    return depth == 0 ? 0 : sum(depth - 1) + Int(buffer[0])
                }
            }
            size.withLock { $0 = sum(4_000) }
        }.join()
        #expect(size.withLock { $0 } == 4_000)
    }

    @Test func aThreadThatCannotStartIsAnErrorAndItsBodyIsReleased() {
        final class Probe: Sendable {
            let ended: Locked<Bool>
            init(_ ended: Locked<Bool>) { self.ended = ended }
            deinit { ended.withLock { $0 = true } }
        }
        let (ended, ran) = (Locked(false), Locked(false))
        func start(_ stackSize: Int) -> ThreadError? {
            let probe = Probe(ended)
            return #expect(throws: ThreadError.self) {
                _ = try SystemThread("hopeless", stackSize: stackSize) {
                    ran.withLock { $0 = true }
                    withExtendedLifetime(probe) {}
                }
            }
        }
        // Larger than the address space.
        let failure = start(1 << 60)
        #expect(failure == ThreadError(name: "hopeless", errno: EAGAIN))
        #expect(failure?.description.hasPrefix("cannot start thread hopeless: ") == true)
        #expect(ended.withLock { $0 })
        // Smaller than the system allows.
        #expect(start(1)?.errno == EINVAL)
        #expect(!ran.withLock { $0 })
    }

    /// Joinable threads keep their stacks: they would use 200 GiB of addresses.
    @Test func aThreadThatNobodyJoinsIsDetached() throws {
        func addressSpace() throws -> Int {
            let file = try #require(fopen("/proc/self/statm", "r"))
            defer { fclose(file) }
            var text = [UInt8](repeating: 0, count: 128)
            let count = fread(&text, 1, text.count, file)
            return try #require(Int(String(decoding: text.prefix(count).prefix { $0 != 32 }, as: UTF8.self))) * 4_096
        }
        let done = Monitor(0)
        let before = try addressSpace()
        for number in 1...400 {
            _ = try SystemThread("detached", stackSize: 512 << 20) { done.change { $0 += 1 } }
            done.wait(until: { $0 == number })
        }
        #expect(try addressSpace() - before < 50 << 30)
    }

    @Test func aThreadKnowsItself() throws {
        let given = Monitor<SystemThread?>(nil)
        let isCurrent = Locked(false)
        let thread = try SystemThread("self") {
            let own = given.wait(for: { $0 })
            isCurrent.withLock { $0 = own.isCurrent }
        }
        given.change { $0 = thread }
        thread.join()
        #expect(isCurrent.withLock { $0 })
        #expect(!thread.isCurrent)
    }

    @Test func blockingWorkIsAwaitedOnAThreadOfItsOwn() async throws {
        struct Refusal: Error {}
        #expect(try await SystemThread.run("work") { Self.threadName() } == "work")
        await #expect(throws: Refusal.self) {
            try await SystemThread.run("work") { () throws -> Int in throw Refusal() }
        }
    }

    @Test func sleepLastsItsTime() {
        let start = MonotonicTime.now
        SystemThread.sleep(.milliseconds(20))
        #expect(MonotonicTime.now - start >= .milliseconds(20))
        SystemThread.sleep(.seconds(-1))
    }
}
