import Glibc
import SagamoreThreads
import Testing

@testable import Sagamore

struct ActivityThreadsTests {
    /// The process has memory for a few stacks only. It is a separate process, since nothing else could run in it.
    @Test func aThreadThatCannotStartIsAnErrorAndLaterOnesStart() async {
        await #expect(processExitsWith: .success) {
            let resource = __rlimit_resource_t(RLIMIT_AS.rawValue)
            var before = rlimit()
            try #require(getrlimit(resource, &before) == 0)
            var few = before
            few.rlim_cur = rlim_t(try addressSpace() + 64 << 20)
            try #require(setrlimit(resource, &few) == 0)

            let threads = ActivityThreads()
            let mayEnd = Monitor(false)
            var tasks: [Task<Void, Never>] = []
            var refusal: ThreadError?
            while refusal == nil, tasks.count < 1_000 {
                do throws(ThreadError) {
                    tasks.append(try threads.run { mayEnd.wait(until: { $0 }) })
                } catch {
                    refusal = error
                }
            }
            #expect(refusal?.errno == EAGAIN)

            try #require(setrlimit(resource, &before) == 0)
            tasks.append(try threads.run {})
            mayEnd.change { $0 = true }
            for task in tasks { await task.value }
            threads.stop()
        }
    }
}

/// The size of this process's address space, in bytes.
private func addressSpace() throws -> Int {
    let file = try #require(fopen("/proc/self/statm", "r"))
    defer { fclose(file) }
    var text = [UInt8](repeating: 0, count: 128)
    let count = fread(&text, 1, text.count, file)
    return try #require(Int(String(decoding: text.prefix(count).prefix { $0 != 32 }, as: UTF8.self))) * 4_096
}
