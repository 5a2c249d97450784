internal import SagamoreAPI
internal import SagamoreCommandLineArguments

/// `sagamore schedule describe` and `list`.
enum ScheduleReading {
    static let isLong = Flag("--long", "-l", help: "Show its times and its notes, too.")
    static let isReallyLong = Flag("--really-long", help: "Show each schedule as properties instead of a line.")
    static let query = Option<String?>("--query", "-q", valueName: "FILTER", help: "Only schedules that match.")

    /// How many schedules are fetched at a time.
    private static let pageSize = 1_000

    static let describe = Command(
        "describe",
        abstract: "Describe a schedule: its times, its workflow, and what it did.",
        discussion: """
            JSON is the protobuf JSON of the response. Example:
            sagamore schedule describe -s nightly
            """,
        parameters: ServiceClient.parameters([ScheduleOptions.scheduleID])
    ) { values in
        let id = try ScheduleOptions.id(values)
        let format = values[OutputFormat.option]
        try await ServiceClient.use(values) { client in
            var request = DescribeScheduleRequest()
            request.namespace = client.namespace
            request.scheduleID = id
            let response: DescribeScheduleResponse = try await client.call(.describeSchedule, request)
            if format.isJSON {
                StandardOutput.show(format.text(of: try ProtobufJSON.value(of: response)))
            } else {
                let text = ScheduleDescriptionText(id, response, times: values[TimeFormat.option])
                StandardOutput.show(try text.text())
            }
        }
    }

    static let list = Command(
        "list",
        abstract: "List the schedules of a namespace.",
        discussion: """
            JSON is an array of protobuf JSON, jsonl has a schedule on each line. Example:
            sagamore schedule list --long --time-format relative
            """,
        parameters: ServiceClient.parameters([query, Listing.limit, isLong, isReallyLong])
    ) { values in
        let listing = try Listing(values, pageSize: pageSize)
        let (format, times) = (values[OutputFormat.option], values[TimeFormat.option])
        try await ServiceClient.use(values) { client in
            var request = ListSchedulesRequest()
            request.namespace = client.namespace
            request.query = values[query] ?? ""
            func page(_ size: Int32, _ token: [UInt8]) async throws -> ([ScheduleListEntry], [UInt8]) {
                request.maximumPageSize = size
                request.nextPageToken = token
                let page: ListSchedulesResponse = try await client.call(.listSchedules, request)
                return (page.schedules, page.nextPageToken)
            }
            if values[isReallyLong], !format.isJSON {
                try await listing.forEachPage(page) { schedules in
                    for schedule in schedules {
                        StandardOutput.show(try ScheduleListText.properties(schedule, times: times))
                    }
                }
            } else {
                try await listing.show(
                    ScheduleListText.printer(format, isLong: values[isLong], times: times),
                    page: page
                )
            }
        }
    }
}
