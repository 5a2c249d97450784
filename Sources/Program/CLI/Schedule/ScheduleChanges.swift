internal import SagamoreAPI
internal import SagamoreCommandLineArguments

/// `sagamore schedule create`, `update` and `delete`.
enum ScheduleChanges {
    static let memo = Option<[NamedJSON]>(
        "--schedule-memo",
        valueName: "KEY=JSON",
        help: "A value for the memo of the schedule."
    )
    static let searchAttributes = Option<[NamedJSON]>(
        "--schedule-search-attribute",
        valueName: "KEY=JSON",
        help: "A search attribute of the schedule."
    )

    private static let advice: ServiceClient.Advice = [
        .alreadyExists: "Choose another --schedule-id, or use 'sagamore schedule update'"
    ]

    static let create = Command(
        "create",
        abstract: "Create a schedule that starts workflows.",
        discussion: """
            Its times are those of all --calendar, --cron and --interval together. Each workflow's id is that of \
            --workflow-id with the time. Example:
            sagamore schedule create -s nightly --cron "30 3 * * *" --type Report -t reports -w report
            """,
        parameters: ServiceClient.parameters(ScheduleOptions.parameters + [memo, searchAttributes])
    ) { values in
        let request = try creation(values)
        try await ServiceClient.use(values) { client in
            let _: CreateScheduleResponse = try await client.call(.createSchedule, request, advice: advice)
            Report.done("Schedule created", values)
        }
    }

    static let update = Command(
        "update",
        abstract: "Replace a schedule.",
        discussion: """
            What is not given gets its default: look at it with 'describe' first. Its own memo and search attributes \
            stay. Example:
            sagamore schedule update -s nightly --cron "0 4 * * *" --type Report -t reports -w report
            """,
        parameters: ServiceClient.parameters(ScheduleOptions.parameters)
    ) { values in
        let request = try replacement(values)
        try await ServiceClient.use(values) { client in
            let _: UpdateScheduleResponse = try await client.call(.updateSchedule, request)
            Report.done("Schedule updated", values)
        }
    }

    static let delete = Command(
        "delete",
        abstract: "Delete a schedule.",
        discussion: """
            Workflows that it started go on. Example:
            sagamore schedule delete -s nightly
            """,
        parameters: ServiceClient.parameters([ScheduleOptions.scheduleID])
    ) { values in
        var request = DeleteScheduleRequest()
        request.namespace = values[Places.namespace]
        request.scheduleID = try ScheduleOptions.id(values)
        request.identity = CommandIdentity.text
        let deletion = request
        try await ServiceClient.use(values) { client in
            let _: DeleteScheduleResponse = try await client.call(.deleteSchedule, deletion)
            Report.done("Schedule deleted", values)
        }
    }

    static func creation(_ values: ParsedValues) throws -> CreateScheduleRequest {
        var request = CreateScheduleRequest()
        request.namespace = values[Places.namespace]
        request.scheduleID = try ScheduleOptions.id(values)
        request.schedule = try ScheduleOptions.schedule(values)
        request.identity = CommandIdentity.text
        request.requestID = CommandIdentity.newID()
        request.memo = try NewWorkflowOptions.memo(values[memo], option: "--schedule-memo")
        request.searchAttributes = try NewWorkflowOptions.attributes(
            values[searchAttributes],
            option: "--schedule-search-attribute"
        )
        return request
    }

    static func replacement(_ values: ParsedValues) throws -> UpdateScheduleRequest {
        var request = UpdateScheduleRequest()
        request.namespace = values[Places.namespace]
        request.scheduleID = try ScheduleOptions.id(values)
        request.schedule = try ScheduleOptions.schedule(values)
        request.identity = CommandIdentity.text
        request.requestID = CommandIdentity.newID()
        return request
    }
}
