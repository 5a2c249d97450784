import SagamoreAPI
import SagamoreEngine
import SagamoreProtobuf
import SagamoreSimulatedTime
import Testing

@testable import SagamoreScheduling

/// A book with everything around it: rows, runs, callers and a clock, all of which follow from one number. The process
/// may be killed at any time, between a decision and its write, a write and its answer, a start and its answer.
struct World {
    /// A run as the service that owns executions knows it.
    struct Run {
        let workflowID: String
        let requestID: String
        let runID: RunID
        let startID: String
        let startedAt: Instant
        var endedAt: Instant?
        var isReported = false
    }

    /// What is on its way from the book, and may be lost with the process.
    enum UnderWay {
        case start(PendingStart, ScheduleRecord)
        case end(ScheduleDemand, TrackedRun)

        var demand: ScheduleDemand {
            switch self {
            case .start(let start, _): .start(start)
            case .end(let demand, _): demand
            }
        }
    }

    var random: SeededRandom
    var now = Instant.seconds(1_000_000_000)
    var book = ScheduleBook(zones: { Zones.all })
    /// What is stored.
    var rows: [ScheduleName: (record: ScheduleRecord, revision: Int64, alarm: Instant?)] = [:]
    var runs: [Run] = []
    /// What the book has asked for. It lives as long as the process.
    var underWay: [UnderWay] = []
    /// Answers on their way to the book.
    var answers: [(ScheduleDemand, ScheduleName, RunID?)] = []
    var job: ScheduleStoreJob?
    /// The run of each report that is on its way.
    var reports: [UInt64: Int] = [:]
    var outcomes: [UInt64: Result<ScheduleAnswer, RequestError>] = [:]
    var calls: UInt64 = 0
    var kills = 0
    private var runCount: UInt64 = 0

    let name = ScheduleName(namespace: 1, id: "s")

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    // MARK: Calls

    /// - Returns: the number by which the answer is found in `outcomes`.
    mutating func call(_ call: ScheduleCall) -> UInt64 {
        calls += 1
        book.call(calls, call, on: name, at: now)
        takeEffects()
        return calls
    }

    // MARK: The outside

    mutating func takeEffects() {
        for effect in book.takeEffects() {
            switch effect {
            case .answer(let call, let outcome):
                if let run = reports.removeValue(forKey: call) {
                    reported.insert(call)
                    if case .success = outcome { runs[run].isReported = true }
                } else {
                    outcomes[call] = outcome
                }
            case .perform(.start(let start), let record): underWay.append(.start(start, record))
            case .perform(let demand, _):
                if case .cancel(let run) = demand { underWay.append(.end(demand, run)) }
                if case .terminate(let run) = demand { underWay.append(.end(demand, run)) }
            }
        }
    }

    mutating func pass() {
        while book.pass(to: now) {}
        takeEffects()
        if job == nil { job = book.nextJob(at: now) }
        takeEffects()
    }

    /// Calls of processes that were killed get no answer.
    private var lost: Set<UInt64> = []

    /// The calls that nobody will answer any more.
    var unanswered: Set<UInt64> {
        Set(1...max(calls, 1)).subtracting(outcomes.keys).subtracting(lost).subtracting(reported)
    }

    /// The calls that were reports, and were answered.
    private var reported: Set<UInt64> = []

    /// One of the things that are under way happens.
    mutating func step() {
        if chance(20) { _ = call(.describe) }
        switch Int.random(in: 0..<4, using: &random) {
        case 0: performOne()
        case 1: answerOne()
        case 2: finishJob()
        default: reportOne()
        }
        pass()
    }

    mutating func performOne() {
        guard !underWay.isEmpty else { return }
        let one = underWay.remove(at: Int.random(in: underWay.indices, using: &random))
        if chance(10) {
            // The service cannot be reached.
            book.failed(one.demand, of: name, at: now)
            return takeEffects()
        }
        switch one {
        case .start(let start, let record): perform(start, record)
        case .end(let demand, let tracked):
            if let index = runs.firstIndex(where: { $0.runID == tracked.runID }), runs[index].endedAt == nil {
                runs[index].endedAt = now
            }
            answers.append((demand, name, nil))
        }
    }

    private mutating func perform(_ start: PendingStart, _ record: ScheduleRecord) {
        guard let request = record.request(for: start, in: "default") else { return }
        let demand = ScheduleDemand.start(start)
        if let last = runs.last(where: { $0.workflowID == start.workflowID }) {
            if last.requestID == request.requestID { return answers.append((demand, name, last.runID)) }
            if request.workflowIDReusePolicy == .rejectDuplicate || last.endedAt == nil {
                return answers.append((demand, name, nil))
            }
        }
        runCount += 1
        let run = Run(
            workflowID: start.workflowID,
            requestID: request.requestID,
            runID: RunID(high: 7, low: runCount),
            startID: start.due.id,
            startedAt: now
        )
        runs.append(run)
        answers.append((demand, name, run.runID))
    }

    mutating func answerOne() {
        guard !answers.isEmpty else { return }
        let (demand, name, runID) = answers.remove(at: Int.random(in: answers.indices, using: &random))
        if case .start = demand, runID == nil {
            book.refused(demand, of: name, at: now)
        } else if case .start = demand, chance(10) {
            // The answer is lost, and asked for again.
            book.failed(demand, of: name, at: now)
        } else {
            book.performed(demand, of: name, runID: runID, at: now)
        }
        takeEffects()
    }

    mutating func finishJob() {
        guard let job else { return }
        self.job = nil
        switch job {
        case .write(let writes):
            book.written(writes, conflicts: store(writes), at: now)
        case .load(let names):
            book.loaded(names, names.compactMap { rows[$0] }.map { stored($0) }, at: now)
        case .loadDue(let load):
            let due = rows.values.filter { row in row.alarm.map { $0 <= load.until } ?? false }
            let next = rows.values.compactMap(\.alarm).filter { $0 > load.until }.min()
            book.loadedDue(load, DueSchedules(schedules: due.map { stored($0) }, next: next), at: now)
        }
        takeEffects()
    }

    private func stored(_ row: (record: ScheduleRecord, revision: Int64, alarm: Instant?)) -> StoredSchedule {
        StoredSchedule(record: row.record, revision: row.revision)
    }

    mutating func store(_ writes: [ScheduleWrite]) -> Set<ScheduleName> {
        var conflicts: Set<ScheduleName> = []
        for write in writes {
            guard (rows[write.name]?.revision ?? 0) == write.basis else {
                conflicts.insert(write.name)
                continue
            }
            if let record = write.record {
                // As it will be read: nothing is stored that cannot be.
                let progress = try? ScheduleProgress(bytes: record.progress.bytes)
                #expect(progress == record.progress)
                rows[write.name] = (record, write.revision, write.alarm)
            } else {
                rows[write.name] = nil
            }
        }
        return conflicts
    }

    /// A run that has ended tells its schedule, until that has taken note.
    mutating func reportOne() {
        let open = runs.indices.filter {
            runs[$0].endedAt != nil && !runs[$0].isReported && !reports.values.contains($0)
        }
        guard let index = open.randomElement(using: &random), let row = rows[name] else { return }
        let run = runs[index]
        let end = ScheduledRunEnd(
            schedule: Lineage.Schedule(scheduleID: name.id, instance: row.record.instance, startID: run.startID),
            workflowID: run.workflowID,
            firstRunID: run.runID,
            event: .completed()
        )
        calls += 1
        reports[calls] = index
        book.call(calls, .ended(end), on: name, at: now)
        takeEffects()
    }

    mutating func endOne() {
        let open = runs.indices.filter { runs[$0].endedAt == nil }
        if let index = open.randomElement(using: &random) { runs[index].endedAt = now }
    }

    /// The process is killed: what is on its way takes place or not, and everything else is lost.
    mutating func kill() {
        kills += 1
        lost.formUnion(unanswered)
        for one in underWay where chance(50) {
            if case .start(let start, let record) = one { perform(start, record) }
        }
        if case .write(let writes)? = job, chance(50) { _ = store(writes) }
        underWay = []
        answers = []
        reports = [:]
        job = nil
        book = ScheduleBook(zones: { Zones.all })
        pass()
    }

    /// Everything that is under way happens, and nothing else.
    mutating func settle() {
        for _ in 0..<10_000 {
            pass()
            let mayReport = runs.contains { $0.endedAt != nil && !$0.isReported } && rows[name] != nil
            let isOpen = rows[name].map { !$0.record.openActions.isEmpty } ?? false
            if underWay.isEmpty, answers.isEmpty, job == nil, reports.isEmpty, !mayReport, !isOpen { return }
            performOne()
            answerOne()
            finishJob()
            reportOne()
            now = now + .milliseconds(50)
        }
        Issue.record("the book does not come to rest")
    }
}
