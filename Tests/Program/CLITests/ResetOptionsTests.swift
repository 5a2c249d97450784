import SagamoreAPI
import SagamoreCommandLineArguments
import SagamoreProtobuf
import Testing

@testable import SagamoreCLI

struct ResetOptionsTests {
    private func events(_ types: [EventType]) -> [HistoryEvent] {
        types.enumerated().map { index, type in
            var event = HistoryEvent()
            event.eventID = Int64(index + 1)
            event.eventType = type
            return event
        }
    }

    @Test func pointsAreEndsOfWorkflowTasks() {
        let task: [EventType] = [.workflowTaskScheduled, .workflowTaskStarted, .workflowTaskCompleted]
        let history = events([.workflowExecutionStarted] + task + [.timerStarted, .timerFired] + task)
        #expect(ResetPoint.firstWorkflowTask.eventID(in: history) == 4)
        #expect(ResetPoint.lastWorkflowTask.eventID(in: history) == 9)
        #expect(ResetPoint.lastContinuedAsNew.eventID(in: history) == 9)
        #expect(ResetPoint.event(7).eventID(in: history) == 7)
    }

    @Test func aTaskThatNeverCompletedIsBegunAgain() {
        let types: [EventType] = [.workflowExecutionStarted, .workflowTaskScheduled, .workflowTaskStarted]
        #expect(ResetPoint.lastWorkflowTask.eventID(in: events(types + [.workflowTaskFailed])) == 3)
        #expect(ResetPoint.firstWorkflowTask.eventID(in: events([.workflowExecutionStarted])) == nil)
    }

    @Test func optionsBecomeARequest() throws {
        let line = ["-w", "x", "-e", "7", "--reapply-exclude", "Signal", "--exclude", "All", "-n", "shop"]
        let values = try ResetCommand.command.values(line)
        #expect(try ResetCommand.point(values) == .event(7))
        let request = ResetCommand.request(WorkflowExecution(), to: 7, values)
        #expect(request.namespace == "shop")
        #expect(request.workflowTaskFinishEventID == 7)
        #expect(request.resetReapplyExcludeTypes == [.signal, .update, .nexus, .cancelRequest])
        #expect(request.requestID.count == 36)
        #expect(request.reason.hasPrefix("Requested from CLI by"))
    }

    @Test func aBatchHasATarget() throws {
        let line = ["-q", "x", "-t", "FirstWorkflowTask", "--reapply-exclude", "Update"]
        let operation = try ResetCommand.operation(try ResetCommand.command.values(line))
        #expect(operation.options?.target == .firstWorkflowTask(ProtobufEmpty()))
        #expect(operation.options?.resetReapplyExcludeTypes == [.update])
        let build = try ResetCommand.command.values(["-q", "x", "-t", "BuildId", "--build-id", "b"])
        #expect(try ResetCommand.operation(build).options?.target == .buildID("b"))
        let bad = [
            [], ["-e", "4"], ["-t", "LastContinuedAsNew"], ["-t", "BuildId"],
            ["-t", "LastWorkflowTask", "--build-id", "b"],
        ]
        for arguments in bad.map({ ["-q", "x"] + $0 }) {
            #expect(throws: UsageError.self) {
                try ResetCommand.operation(try ResetCommand.command.values(arguments))
            }
        }
    }

    @Test func aResetGoesBackToABuild() throws {
        let values = try ResetCommand.command.values(["-w", "x", "-t", "BuildId", "--build-id", "b"])
        #expect(try ResetCommand.point(values) == .build("b"))
    }

    @Test(arguments: [
        [], ["-e", "0"], ["-e", "4", "-t", "LastWorkflowTask"], ["-t", "BuildId"], ["-e", "4", "--build-id", "b"],
    ])
    func aResetHasOnePoint(_ arguments: [String]) {
        #expect(throws: UsageError.self) {
            try ResetCommand.point(try ResetCommand.command.values(["-w", "x"] + arguments))
        }
    }

    @Test func anUpdateHasItsStageAndItsID() throws {
        let line = ["-w", "x", "--name", "add", "-i", "1", "--update-id", "u", "--first-execution-run-id", "r"]
        let values = try UpdateCommands.execute.values(line)
        let request = try UpdateCommands.request(values, waitingFor: .completed)
        #expect(request.workflowExecution?.workflowID == "x")
        #expect(request.firstExecutionRunID == "r")
        #expect(request.waitPolicy?.lifecycleStage == .completed)
        #expect(request.request?.meta?.updateID == "u")
        #expect(request.request?.input?.name == "add")
        #expect(try request.request?.input?.args?.decoded().payloads.map(\.data) == [Array("1".utf8)])
        let other = try UpdateCommands.request(
            try UpdateCommands.start.values(["-w", "x", "--name", "a"]),
            waitingFor: .accepted
        )
        #expect(other.request?.meta?.updateID.count == 36)
    }
}
