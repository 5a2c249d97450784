import Testing

@testable import SagamoreServer

@Suite struct ReclaimPolicyTests {
    private static let megabyte = 1 << 20

    @Test func memoryIsReturnedAfterABurst() {
        var policy = ReclaimPolicy(resident: 40 * Self.megabyte)
        let resident = 240 * Self.megabyte
        let underLoad = policy.shouldReclaim(resident: resident, processorTime: .seconds(8), elapsed: .seconds(10))
        #expect(underLoad == false)
        let whenQuiet = policy.shouldReclaim(resident: resident, processorTime: .seconds(1), elapsed: .seconds(10))
        #expect(whenQuiet == true)
    }

    @Test func reclaimingRepeatsOnlyAfterGrowth() {
        var policy = ReclaimPolicy(resident: 40 * Self.megabyte)
        policy.reclaimed(resident: 70 * Self.megabyte)
        let atOnce = policy.shouldReclaim(
            resident: 80 * Self.megabyte,
            processorTime: .zero,
            elapsed: .seconds(10)
        )
        #expect(atOnce == false)
        let afterGrowth = policy.shouldReclaim(
            resident: 86 * Self.megabyte,
            processorTime: .zero,
            elapsed: .seconds(10)
        )
        #expect(afterGrowth == true)
    }

    @Test func growthIsMeasuredFromTheSmallestSize() {
        var policy = ReclaimPolicy(resident: 100 * Self.megabyte)
        let shrunk = policy.shouldReclaim(resident: 50 * Self.megabyte, processorTime: .zero, elapsed: .seconds(10))
        #expect(shrunk == false)
        let grown = policy.shouldReclaim(resident: 70 * Self.megabyte, processorTime: .zero, elapsed: .seconds(10))
        #expect(grown == true)
    }
}

@Suite struct ProcessMemoryTests {
    @Test func freePagesInTheMiddleOfTheHeapAreReturned() throws {
        let before = try #require(ProcessMemory.resident)
        // Blocks below the size that glibc maps separately. One in 64 stays, so the heap cannot shrink by itself.
        var blocks: [UnsafeMutableRawPointer] = []
        for _ in 0..<64_000 {
            let block = UnsafeMutableRawPointer.allocate(byteCount: 2_048, alignment: 16)
            block.initializeMemory(as: UInt8.self, repeating: 1, count: 2_048)
            blocks.append(block)
        }
        let full = try #require(ProcessMemory.resident)
        #expect(full - before > 100 << 20)
        for (index, block) in blocks.enumerated() where index % 64 != 63 { block.deallocate() }
        let kept = try #require(ProcessMemory.resident)
        #expect(kept - before > 100 << 20)
        ProcessMemory.reclaim()
        let after = try #require(ProcessMemory.resident)
        #expect(after - before < 30 << 20)
        for (index, block) in blocks.enumerated() where index % 64 == 63 { block.deallocate() }
    }
}
