import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import Testing

/// Upserts of search attributes by workflow code.
@Suite struct SearchAttributeTests {
    private func refusal(of command: Command) throws -> (cause: WorkflowTaskFailedCause, message: String)? {
        let stage = Stage()
        try stage.start()
        let decision = try stage.run(command)
        guard case .workflowTaskFailedEventAttributes(let it) = decision.events[1].attributes else { return nil }
        return (it.cause, try #require(try it.failure?.decoded().message))
    }

    @Test func absentSearchAttributesAreRefused() throws {
        var command = Samples.upsertSearchAttributes([:])
        command.attributes = .upsertWorkflowSearchAttributesCommandAttributes(.init())
        let refusal = try #require(try refusal(of: command))
        #expect(refusal.cause == .badSearchAttributes)
        #expect(
            refusal.message
                == "BadSearchAttributes: SearchAttributes is not set on UpsertWorkflowSearchAttributesCommand."
        )
    }

    @Test func emptySearchAttributesAreRefused() throws {
        let refusal = try #require(try refusal(of: Samples.upsertSearchAttributes([:])))
        #expect(
            refusal.message
                == "BadSearchAttributes: IndexedFields is not set on UpsertWorkflowSearchAttributesCommand."
        )
    }

    @Test func systemAttributesAreRefused() throws {
        let refusal = try #require(try refusal(of: Samples.upsertSearchAttributes(["Place": "x", "RunId": "y"])))
        #expect(refusal.cause == .badSearchAttributes)
        #expect(refusal.message == "BadSearchAttributes: RunId attribute can't be set in SearchAttributes")
    }

    @Test(arguments: [false, true]) func tooManyOrTooLargeAttributesAreRefused(byCount: Bool) throws {
        let many = Dictionary(uniqueKeysWithValues: (0..<101).map { ("Key\($0)", "x") })
        let value = String(repeating: "x", count: 2_000)
        let large = Dictionary(uniqueKeysWithValues: (0..<30).map { ("Key\($0)", value) })
        let refusal = try #require(try refusal(of: Samples.upsertSearchAttributes(byCount ? many : large)))
        #expect(refusal.cause == .badSearchAttributes)
        #expect(refusal.message.contains(byCount ? "101 exceeds limit 100" : "exceeds size limit 40960"))
    }
}
