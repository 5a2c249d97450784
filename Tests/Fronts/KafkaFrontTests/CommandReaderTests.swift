import SagamoreAPI
import SagamoreEngine
import SagamoreJSONText
import SagamoreKafkaClient
import SagamoreProtobuf
import SagamoreServices
import Testing

@testable import SagamoreKafkaFront

struct CommandReaderTests {
    private let reader = makeReader()

    @Test(arguments: [[KafkaHeader](), [KafkaHeader("content-type", text: "application/cloudevents+json")]])
    func `a byte order mark before the object is ignored`(_ headers: [KafkaHeader]) throws {
        let text =
            headers.isEmpty
            ? #"{"command_id":"a","order_id":"o"}"# : #"{"id":"a","type":"start","data":{"order_id":"o"}}"#
        let command = try reader.command("\u{FEFF}" + text, headers: headers)
        #expect(command.origin.commandID == "a")
        #expect(command.origin.correlation.text == #""order_id":"o""#)
        let twice = reader.read(record("\u{FEFF}\u{FEFF}" + text, headers: headers), at: someTime)
        guard case .deadLetter(let letter) = twice else { throw NotThis("a command") }
        #expect(letter.value == Array(("\u{FEFF}\u{FEFF}" + text).utf8), "as it came")
    }

    @Test(arguments: [
        #"{"command_id":"a","order_id":1,"order_id":2}"#, #"{"command_id":"a","input":1,"input":2}"#,
        #"{"command_id":"a","lines":[1],"lines":[2]}"#, #"{"command_id":"a","lines":[1],"lines":2}"#,
    ])
    func `a duplicate key of the command is refused`(_ text: String) throws {
        let refusal = try reader.refusal(text)
        #expect(refusal.code == "INVALID_ARGUMENT")
        #expect(refusal.message.contains("more than once"))
    }

    @Test func `a duplicate key inside the input is passed on unchanged`() throws {
        let start = try reader.start(#"{"command_id":"a","input":{"x":1,"x":2}}"#)
        let input = start.input?.bytes.text ?? ""
        #expect(input.contains(#"{"x":1,"x":2}"#))
    }

    @Test func `a start with all fields is read`() throws {
        let text = """
            {"command_id": "2", "command": "start", "workflow": "TravelBooking", "workflow_id": "2_3",
             "namespace": "other", "task_queue": "travel", "order_id": "222222", "vip": true, "price": 1.50,
             "input": {"user_id": "u", "attempts": 1},
             "options": {"execution_timeout": "1h30m", "run_timeout": "90s", "task_timeout": "10s",
               "start_delay": "1.5s", "id_reuse_policy": "reject_duplicate",
               "id_conflict_policy": "WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING",
               "memo": {"note": "m", "n": 1}, "search_attributes": {"City": "Bonn"}}}
            """
        let command = try reader.command(text)
        #expect(command.key == WorkflowKey(namespace: 2, workflowID: "2_3"))
        #expect(command.workflowType == "TravelBooking")
        #expect(
            command.source
                == RecordCoordinates(cluster: "cluster-1", topic: "saga.commands", partition: 3, offset: 17)
        )
        var dated = record(text)
        dated.timestamp = 1_772_368_496_789
        #expect(reader.coordinates(of: dated).timestamp == 1_772_368_496_789)
        #expect(command.origin.commandID == "2")
        #expect(command.origin.eventsTopic == "saga.events")
        #expect(command.origin.correlation.text == #""order_id":"222222","vip":true,"price":1.50"#)
        let start = try reader.start(text)
        #expect(start.namespace == "other")
        #expect(start.workflowID == "2_3")
        #expect(start.workflowType?.name == "TravelBooking")
        #expect(start.taskQueue?.name == "travel")
        #expect(start.requestID == "command:2")
        #expect(start.workflowExecutionTimeout == ProtobufDuration(seconds: 5_400, nanos: 0))
        #expect(start.workflowRunTimeout == ProtobufDuration(seconds: 90, nanos: 0))
        #expect(start.workflowTaskTimeout == ProtobufDuration(seconds: 10, nanos: 0))
        #expect(start.workflowStartDelay == ProtobufDuration(seconds: 1, nanos: 500_000_000))
        #expect(start.workflowIDReusePolicy == .rejectDuplicate)
        #expect(start.workflowIDConflictPolicy == .useExisting)
        let input = try #require(try start.input?.decoded()).payloads
        #expect(input.map(\.data.text) == [#"{"user_id": "u", "attempts": 1}"#])
        #expect(input[0].metadata == ["encoding": Array("json/plain".utf8)])
        let memo = try #require(try start.memo?.decoded())
        #expect(memo.fields.mapValues(\.data.text) == ["note": #""m""#, "n": "1"])
        #expect(memo.fields["n"]?.metadata == ["encoding": Array("json/plain".utf8)])
        let attributes = try #require(try start.searchAttributes?.decoded())
        #expect(attributes.indexedFields.mapValues(\.data.text) == ["City": #""Bonn""#])
    }

    @Test func `a start with only an id takes the rest from the route`() throws {
        let command = try reader.command(#"{"command_id":"a"}"#)
        #expect(command.key == WorkflowKey(namespace: 1, workflowID: "a"))
        let start = try reader.start(#"{"command_id":"a"}"#)
        #expect(start.namespace == "default")
        #expect(start.workflowType?.name == "Booking")
        #expect(start.taskQueue?.name == "bookings")
        #expect(start.input == nil)
        #expect(start.memo == nil)
        #expect(command.origin.correlation.isEmpty)
    }

    @Test(arguments: [
        (#"{"command_id":"a","input":null}"#, ["null"]),
        (#"{"command_id":"a","input":[1, "x" ,{}]}"#, [#"[1, "x" ,{}]"#]),
        (
            #"{"command_id":"a","input":[1, "x,]" ,{"b":[1,2]}, [ ] ],"input_is_arguments":true}"#,
            ["1", #""x,]""#, #"{"b":[1,2]}"#, "[ ]"]
        ),
        (#"{"command_id":"a","input":[ ],"input_is_arguments":true}"#, []),
        (#"{"command_id":"a","input":["\"\\",2],"input_is_arguments":true}"#, [#""\"\\""#, "2"]),
        (#"{"command_id":"a","input":"text","input_is_arguments":false}"#, [#""text""#]),
    ])
    func `input becomes payloads`(_ text: String, _ payloads: [String]) throws {
        let input = try #require(try reader.start(text).input?.decoded())
        #expect(input.payloads.map(\.data.text) == payloads)
    }

    @Test func `signal, cancel and terminate are read`() throws {
        let runID = "01890a5d-ac96-774b-bcce-b302099a8057"
        let signal = try reader.command(
            #"{"command_id":"s","command":"signal","workflow_id":"w","signal":"go","input":[1],"run_id":"\#(runID)"}"#
        )
        guard case .signal(let request, let run) = signal.action else { throw NotThis("\(signal.action)") }
        #expect(request.name == "go")
        #expect(request.requestID == "")
        #expect(run?.description == runID)
        #expect(try request.input?.decoded().payloads.map(\.data.text) == ["[1]"])
        #expect(request.origin?.commandID == "s")

        let cancel = try reader.command(
            #"{"command_id":"c","command":"cancel","workflow_id":"w","reason":"why"}"#
        )
        guard case .cancel(let cancelling, nil) = cancel.action else { throw NotThis("\(cancel.action)") }
        #expect(cancelling.reason == "why")
        #expect(cancel.workflowType == "")

        let end = try reader.command(#"{"command_id":"t","command":"terminate","workflow_id":"w"}"#)
        guard case .terminate(let terminating, nil) = end.action else { throw NotThis("\(end.action)") }
        #expect(terminating.reason == "")
        #expect(terminating.origin?.commandID == "t")
    }

    @Test(arguments: [
        ("{order_id}-{command_id}", #"{"command_id":"a","order_id":"o"}"#, "o-a"),
        ("{command_id}", #"{"command_id":"a"}"#, "a"),
        ("x{n}", #"{"command_id":"a","n":12}"#, "x12"),
        ("{b}/y", #"{"command_id":"a","b":false}"#, "false/y"),
        ("{order_id}", #"{"command_id":"a","order_id":"\u00e4","workflow_id":"given"}"#, "given"),
        ("{order_id}", #"{"command_id":"a","order_id":"\u00e4"}"#, "ä"),
    ])
    func `workflow ids are made from templates`(_ template: String, _ text: String, _ id: String) throws {
        let route = Route(
            workflowType: "B",
            taskQueue: "q",
            workflowIDTemplate: try #require(WorkflowIDTemplate(template))
        )
        #expect(try makeReader(route).command(text).key.workflowID == id)
    }

    @Test(arguments: ["", "{", "a}", "{}", "{a{b}}", "a{b"])
    func `malformed templates are refused`(_ text: String) {
        #expect(WorkflowIDTemplate(text) == nil)
    }

    @Test(arguments: [
        // Wrong types.
        (#""workflow_id":5"#, "workflow_id"), (#""workflow":true"#, "workflow"), (#""namespace":[]"#, "namespace"),
        (#""task_queue":{}"#, "task_queue"), (#""run_id":1"#, "run_id"), (#""command":7"#, "command"),
        (#""reason":[1]"#, "reason"), (#""options":"x""#, "options"),
        (#""input_is_arguments":1"#, "input_is_arguments"),
        (#""signal":1"#, "signal"), (#""query":1"#, "query"), (#""update":{}"#, "update"),
        // Wrong values.
        (#""workflow_id":"""#, "workflow_id"), (#""workflow":"""#, "workflow"), (#""task_queue":"""#, "task_queue"),
        (#""namespace":"""#, "namespace"), (#""workflow_id":"a\u0000b""#, "workflow_id"),
        (#""workflow":"a\u0000""#, "workflow"), (#""task_queue":"\u0000""#, "task_queue"),
        (#""run_id":"x""#, "run_id"), (#""run_id":"""#, "run_id"), (#""command":"begin""#, "command"),
        (#""command":"""#, "command"), (#""command":"signal""#, "signal"),
        (#""command":"signal","signal":"""#, "signal"),
        (#""input":1,"input_is_arguments":true"#, "input"), (#""input_is_arguments":true"#, "input"),
        // Options.
        (#""options":{"run_timeout":5}"#, "options.run_timeout"),
        (#""options":{"run_timeout":"5"}"#, "options.run_timeout"),
        (#""options":{"start_delay":"-5s"}"#, "options.start_delay"),
        (#""options":{"execution_timeout":""}"#, "options.execution_timeout"),
        (#""options":{"id_reuse_policy":"sometimes"}"#, "options.id_reuse_policy"),
        (#""options":{"id_conflict_policy":1}"#, "options.id_conflict_policy"),
        (#""options":{"memo":[]}"#, "options.memo"), (#""options":{"memo":{"a":1,"a":2}}"#, "options.memo"),
        (#""options":{"search_attributes":"x"}"#, "options.search_attributes"),
        (#""options":{"retry_policy":1}"#, "options.retry_policy"),
        (#""options":{"retry_policy":{"maximum_attempts":-1}}"#, "options.retry_policy.maximum_attempts"),
        (#""options":{"retry_policy":{"initial_interval":5}}"#, "options.retry_policy.initial_interval"),
        (#""options":{"retry_policy":{"backoff_coefficient":"2"}}"#, "options.retry_policy.backoff_coefficient"),
        (
            #""options":{"retry_policy":{"non_retryable_error_types":[1]}}"#,
            "options.retry_policy.non_retryable_error_types"
        ),
        (#""options":{"retry_policy":{"attempts":3}}"#, "options.retry_policy.attempts"),
        (#""options":{"cron_schedule":1}"#, "options.cron_schedule"),
        (#""options":{"run_timout":"5s"}"#, "options.run_timout"),
        (#""options":{"run_timeout":"5s","run_timeout":"6s"}"#, "options.run_timeout"),
        // Names of event fields, and duplicates.
        (#""status":"x""#, "status"), (#""sequence":1"#, "sequence"), (#""at":null"#, "at"), (#""result":1"#, "result"),
        (#""failure":"f""#, "failure"), (#""compensations":0"#, "compensations"),
        (#""result_omitted":true"#, "result_omitted"), (#""sta\u0074us":1"#, "status"),
        (#""order_id":1,"order_id":2"#, "order_id"), (#""workflow_id":"a","workflow_id":"b""#, "workflow_id"),
    ])
    func `an invalid field is rejected by name`(_ members: String, _ field: String) throws {
        let text = #"{"command_id":"c1",\#(members)}"#
        let refusal = try reader.refusal(text)
        #expect(refusal.code == "INVALID_ARGUMENT")
        #expect(refusal.message.hasPrefix(field + ":"), "\(refusal.message)")
        let command = try reader.command(text)
        #expect(command.origin.commandID == "c1")
        #expect(!command.key.workflowID.isEmpty)
        #expect(!command.key.workflowID.utf8.contains(0))
    }

    @Test func `an oversize field is rejected by name`() throws {
        let long = String(repeating: "x", count: 1_001)
        for field in ["workflow_id", "workflow", "task_queue", "namespace"] {
            let refusal = try reader.refusal(#"{"command_id":"c","\#(field)":"\#(long)"}"#)
            #expect(refusal.code == "INVALID_ARGUMENT")
            #expect(refusal.message.hasPrefix(field + ":"))
        }
        #expect(try reader.command(#"{"command_id":"c","workflow_id":"\#(long)"}"#).key.workflowID == "c")
        let huge = String(repeating: "x", count: 2 << 20)
        #expect(try reader.refusal(#"{"command_id":"c","input":"\#(huge)"}"#).message.hasPrefix("input:"))
        #expect(
            try reader.refusal(#"{"command_id":"c","options":{"memo":{"a":"\#(huge)"}}}"#).message
                .hasPrefix("options.memo:")
        )
        let correlation = try reader.refusal(#"{"command_id":"c","a":1,"big":"\#(huge)","b":2}"#)
        #expect(correlation.message.hasPrefix("big:"))
        #expect(try reader.command(#"{"command_id":"c","a":1,"big":"\#(huge)"}"#).origin.correlation.text == #""a":1"#)
        let signal = try reader.refusal(
            #"{"command_id":"c","command":"signal","signal":"\#(long)"}"#
        )
        #expect(signal.message.hasPrefix("signal:"))
    }

    @Test func `a start may be repeated`() throws {
        let command = try reader.command(
            #"""
            {"command_id": "c", "options": {"cron_schedule": "CRON_TZ=UTC 0 8 * * *", "retry_policy": {
              "initial_interval": "2s", "maximum_interval": "1m", "backoff_coefficient": 1.5, "maximum_attempts": 3,
              "non_retryable_error_types": ["CardDeclined"]}}}
            """#
        )
        guard case .start(let start) = command.action else { throw NotThis("\(command.action)") }
        #expect(start.request.cronSchedule == "CRON_TZ=UTC 0 8 * * *")
        let policy = try #require(start.request.retryPolicy)
        #expect(policy.initialInterval?.seconds == 2 && policy.maximumInterval?.seconds == 60)
        #expect(policy.backoffCoefficient == 1.5 && policy.maximumAttempts == 3)
        #expect(policy.nonRetryableErrorTypes == ["CardDeclined"])
        let bad = try reader.refusal(#"{"command_id":"c","options":{"cron_schedule":"sometimes"}}"#)
        #expect(bad.code == "INVALID_ARGUMENT")
    }

    @Test(arguments: [
        (#""command":"query","query":"q""#, "command: query is not available in this version"),
        (#""command":"update""#, "command: update is not available in this version"),
        (#""command":"signal_with_start","signal":"s""#, "command: signal_with_start is not available in this version"),
    ])
    func `an unsupported feature is reported`(_ members: String, _ part: String) throws {
        let refusal = try reader.refusal(#"{"command_id":"c",\#(members)}"#)
        #expect(refusal.code == "UNIMPLEMENTED")
        #expect(refusal.message.contains(part))
        #expect(refusal.message.contains("not available in this version"))
    }

    @Test func `an unknown namespace, a missing field and a forbidden command are rejected`() throws {
        let unknown = try reader.command(#"{"command_id":"c","namespace":"nowhere","order_id":"1"}"#)
        guard case .refuse("NOT_FOUND", let message) = unknown.action else { throw NotThis("\(unknown.action)") }
        #expect(message.hasPrefix("namespace:"))
        #expect(unknown.key.namespace < 0)
        #expect(unknown.origin.correlation.text == #""order_id":"1""#)
        let other = try reader.command(#"{"command_id":"c","namespace":"nowhere else"}"#)
        #expect(other.key.namespace != unknown.key.namespace)

        let bare = makeReader(Route(allowedCommands: [.start]))
        #expect(try bare.refusal(#"{"command_id":"c"}"#).message == "workflow: is missing")
        #expect(try bare.refusal(#"{"command_id":"c","workflow":"w"}"#).message == "task_queue: is missing")
        let forbidden = try bare.refusal(#"{"command_id":"c","command":"terminate"}"#)
        #expect(forbidden.code == "PERMISSION_DENIED")

        var bound = Route(workflowType: "w", taskQueue: "q")
        bound.allowed = (["default"], ["w"], ["q"])
        let bounded = makeReader(bound)
        for (field, value) in [("namespace", "nowhere"), ("workflow", "x"), ("task_queue", "x")] {
            let refusal = try bounded.refusal(#"{"command_id":"c","\#(field)":"\#(value)"}"#)
            #expect(refusal.code == "PERMISSION_DENIED")
            #expect(refusal.message == "\(field): \(value) is not allowed on this topic")
        }
        let allowed = try bounded.command(
            #"{"command_id":"c","namespace":"default","workflow":"w","task_queue":"q"}"#
        )
        guard case .start = allowed.action else { throw NotThis("\(allowed.action)") }

        let template = try #require(WorkflowIDTemplate("{order_id}-{command_id}"))
        let templated = makeReader(Route(workflowType: "w", taskQueue: "q", workflowIDTemplate: template))
        for text in [
            #"{"command_id":"c"}"#, #"{"command_id":"c","order_id":null}"#, #"{"command_id":"c","order_id":[]}"#,
        ] {
            let missing = try templated.refusal(text)
            #expect(missing.code == "INVALID_ARGUMENT")
            #expect(missing.message.hasPrefix("order_id:"))
        }
    }

    @Test func `null means absent, and other objects are ignored`() throws {
        let text = """
            {"command_id":"c","workflow_id":null,"workflow":null,"namespace":null,"task_queue":null,"run_id":null,
             "options":null,"reason":null,"extra":{"a":[1]},"list":[1],"result":{},"status":[],"nothing":null}
            """
        let command = try reader.command(text)
        #expect(command.key == WorkflowKey(namespace: 1, workflowID: "c"))
        #expect(command.origin.correlation.text == #""nothing":null"#)
        #expect(try reader.start(text).workflowType?.name == "Booking")
    }

    @Test func `the request id of a start stays within its limit`() throws {
        let id = String(repeating: "😀", count: 255)
        let start = try reader.start(#"{"command_id":"\#(id)","workflow_id":"w"}"#)
        #expect(start.requestID.utf8.count <= 1_000)
        let other = try reader.start(#"{"command_id":"\#(id.dropLast())😁","workflow_id":"w"}"#)
        #expect(other.requestID != start.requestID)
    }

    @Test func `trace headers are passed on`() throws {
        let headers = [
            KafkaHeader("traceparent", text: "00-1-2-01"), KafkaHeader("other", text: "x"),
            KafkaHeader("tracestate", text: "a=b"),
        ]
        let command = try reader.command(#"{"command_id":"c"}"#, headers: headers)
        #expect(command.origin.headers.map(\.name) == ["traceparent", "tracestate"])
        #expect(command.origin.headers[0].value.text == "00-1-2-01")
    }
}
