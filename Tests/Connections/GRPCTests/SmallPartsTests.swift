import Testing

@testable import SagamoreGRPC

@Suite struct StatusTrailerTests {
    @Test func leavesAFittingStatusUnchanged() {
        let status = GRPCStatus(.notFound, "ä % here", details: [1, 2])
        #expect(status.fittedForTrailers() == status)
    }

    @Test(arguments: ["x", "ä", "%", "👍"])
    func truncatesALongMessageAtACharacter(unit: String) {
        let long = String(repeating: unit, count: 10_000)
        let fitted = GRPCStatus(.aborted, long).fittedForTrailers().message
        #expect(long.hasPrefix(fitted))
        let cost = unit == "x" ? 1 : unit.utf8.count * 3
        #expect(fitted.count == GRPCStatus.trailerBudget / cost)
    }

    @Test func truncatesTheMessageToFitDetailsAndDropsOversizeDetails() {
        let long = String(repeating: "x", count: 10_000)
        let both = GRPCStatus(.aborted, long, details: Array(repeating: 0, count: 3000)).fittedForTrailers()
        #expect(both.details?.count == 3000)
        #expect(both.message.count == GRPCStatus.trailerBudget - 4000)
        let large = GRPCStatus(.aborted, "short", details: Array(repeating: 0, count: 6000)).fittedForTrailers()
        #expect(large == GRPCStatus(.aborted, "short"))
    }

    @Test(arguments: [0, 17, -1, 1 << 40])
    func sendsUnknownForInvalidCodes(code: Int) {
        #expect(GRPCStatus(GRPCStatus.Code(rawValue: code), "").fittedForTrailers().code == .unknown)
    }

    @Test func namesCodes() {
        #expect(GRPCStatus.Code.unauthenticated.description == "UNAUTHENTICATED")
        #expect(GRPCStatus.Code.internalError.description == "INTERNAL")
        #expect(GRPCStatus.Code(rawValue: 99).description == "CODE_99")
        #expect("\(GRPCStatus(.ok, "fine"))" == "OK: fine")
    }
}

@Suite struct HealthRequestTests {
    private func service(_ bytes: [UInt8]) -> String? {
        bytes.withUnsafeBytes { HealthRegistry.service(inRequest: $0) }
    }

    @Test func readsTheServiceAndSkipsTheRest() {
        #expect(service([]) == "")
        #expect(service([0x0A, 2, 0x61, 0x62]) == "ab")
        #expect(service([0x10, 0x96, 1, 0x0A, 1, 0x61, 0x1D, 1, 2, 3, 4, 0x21, 1, 2, 3, 4, 5, 6, 7, 8]) == "a")
    }

    @Test(
        arguments: [
            [0x0A], [0x0A, 2, 0x61], [0x0A, 1, 0xFF], [0x00], [0x0B], [0x10], [0x10, 0x80], [0x1D, 1, 2, 3], [0x21, 1],
            [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1],
            [0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2],
        ] as [[UInt8]]
    )
    func refusesMalformedMessages(bytes: [UInt8]) {
        #expect(service(bytes) == nil)
    }
}

@Suite struct BlockingPoolTests {
    @Test func runsInOrderUpToItsLimitAndRefusesJobsOnceStopped() async throws {
        let ran = Watched<[Int]>([])
        let gate = Watched(false)
        let pool = BlockingPool(limit: 600)
        try pool.start(threads: 1)
        #expect(
            pool.submit(always: false) {
                ran.change { $0.append(-1) }
                _ = gateWait(gate)
            }
        )
        #expect(await ran.reached { $0 == [-1] } != nil)
        for index in 0..<600 { #expect(pool.submit(always: false) { ran.change { $0.append(index) } }) }
        #expect(!pool.submit(always: false) {})
        #expect(pool.submit(always: true) { ran.change { $0.append(600) } })
        gate.change { $0 = true }
        #expect(await ran.reached { $0.count == 602 } == Array(-1...600))
        pool.stop()
        #expect(!pool.submit(always: true) {})
    }
}
