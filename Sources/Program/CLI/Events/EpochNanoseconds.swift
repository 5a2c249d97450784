/// Times in nanoseconds since 1970; nil outside the years 1677 to 2262, the range of 64 bits.
enum EpochNanoseconds {
    static func of(seconds: Int64, nanos: Int32) -> Int64? {
        let (whole, isTooFar) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, isOver) = whole.addingReportingOverflow(Int64(nanos))
        return isTooFar || isOver ? nil : sum
    }

    static func of(milliseconds: Int64) -> Int64? {
        let (nanoseconds, isTooFar) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        return isTooFar ? nil : nanoseconds
    }
}
