internal import SagamoreCommandLineArguments
internal import SagamoreProtobuf

/// How much of a list is shown.
struct Listing {
    static let limit = Option<Int?>("--limit", valueName: "NUMBER", help: "The most entries to show. Default: all.")

    private let limit: Int
    private let pageSize: Int

    /// - Parameter pageSize: how many entries to fetch at a time.
    init(_ values: ParsedValues, pageSize: Int) throws(UsageError) {
        let limit = values[Self.limit] ?? 0
        guard limit >= 0 else { throw UsageError("'--limit' expects a number, or 0 for all") }
        self.limit = limit == 0 ? .max : limit
        self.pageSize = pageSize
    }

    /// Fetches the page of a token, and has the token of the next one.
    typealias FetchPage<Entry> = (_ size: Int32, _ token: [UInt8]) async throws -> (
        entries: [Entry], nextToken: [UInt8]
    )

    /// Prints a list. Each page is printed when it arrives.
    func show<Entry>(_ printer: ListPrinter<Entry>, page: FetchPage<Entry>) async throws {
        var printer = printer
        try await forEachPage(page) { entries in StandardOutput.show(try printer.text(entries)) }
        StandardOutput.show(printer.end)
    }

    /// Does something with the entries of each page, up to the limit.
    func forEachPage<Entry>(_ fetch: FetchPage<Entry>, do work: ([Entry]) throws -> Void) async throws {
        var missing = limit
        var token: [UInt8] = []
        repeat {
            let page = try await fetch(Int32(min(missing, pageSize)), token)
            let entries = page.entries.prefix(missing)
            try work(Array(entries))
            missing -= entries.count
            token = page.nextToken
        } while missing > 0 && !token.isEmpty
    }
}
