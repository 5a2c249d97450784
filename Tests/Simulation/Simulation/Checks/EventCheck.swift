internal import SagamoreKafkaClient
internal import SagamoreServices
internal import SagamoreSimulatedBroker

/// Compares the records on the topics with those that were committed to the outbox.
///
/// - `published`: the events of a workflow on the topic are the first ones of those that were committed, in that
///   order, each once. In the end they are all. Those of commits that the database has lost may be missing.
/// - `dead-letters`: a record has at most one dead letter, which was committed.
struct EventCheck {
    private struct Event {
        let value: [UInt8]
        var mayBeLost = false
    }

    /// The committed events by key, in order.
    private var events: [[UInt8]: [Event]] = [:]
    /// The keys in the order of their first event.
    private var keys: [[UInt8]] = []
    /// The committed dead letters by the place of their record.
    private var letters: Set<String> = []
    /// Those that may be lost.
    private var pastLetters: Set<String> = []
    private var isHistoryRewritten = false
    private var checkedRecords = 0

    /// What was committed before may be gone.
    mutating func historyWasRewritten() {
        isHistoryRewritten = true
        for key in keys { for index in events[key, default: []].indices { events[key]?[index].mayBeLost = true } }
        pastLetters.formUnion(letters)
        letters = []
    }

    /// Notes the records of a commit.
    mutating func committed(_ records: [OutboxRecord]) throws(Violation) {
        for record in records {
            if record.topic == ServerKafka.eventsTopic {
                let key = record.key ?? []
                if events[key] == nil { keys.append(key) }
                events[key, default: []].append(Event(value: record.value ?? []))
            } else if record.topic == ServerKafka.deadLetterTopic {
                let place = Self.place(record.headers.map { ($0.name, $0.value) })
                guard letters.insert(place).inserted else {
                    throw Violation("dead-letters", "the record at \(place) has two dead letters")
                }
            }
        }
    }

    /// Where the record of a dead letter lies: partition and offset.
    static func place(_ headers: [(name: String, value: [UInt8]?)]) -> String {
        func text(_ name: String) -> String {
            String(decoding: headers.first { $0.name == name }?.value ?? [], as: UTF8.self)
        }
        return text("source.partition") + "/" + text("source.offset")
    }

    /// - Parameter isComplete: whether everything has to be published.
    mutating func checkPublished(_ broker: SimulatedBroker, isComplete: Bool) throws(Violation) {
        let published = broker.committedRecords(ServerKafka.eventsTopic)
        let dead = broker.committedRecords(ServerKafka.deadLetterTopic)
        guard isComplete || published.count + dead.count != checkedRecords else { return }
        checkedRecords = published.count + dead.count
        /// How many of a key's events are published, or lost.
        var counts: [[UInt8]: Int] = [:]
        for record in published {
            let key = record.key ?? []
            let rest = events[key, default: []].dropFirst(counts[key, default: 0])
            guard let place = rest.firstIndex(where: { $0.value == record.value || !$0.mayBeLost }),
                rest[place].value == record.value
            else { throw Violation("published", Self.finding(record, rest.startIndex, events[key] ?? [])) }
            counts[key] = place + 1
        }
        var seen: Set<String> = []
        for record in dead {
            let place = Self.place(record.headers.map { ($0.name, $0.value) })
            guard letters.contains(place) || pastLetters.contains(place),
                seen.insert(place).inserted || isHistoryRewritten
            else {
                throw Violation("dead-letters", "the record at \(place) has a dead letter that was not committed")
            }
        }
        guard isComplete else { return }
        for key in keys {
            let (all, count) = (events[key, default: []], counts[key, default: 0])
            if all.dropFirst(count).allSatisfy(\.mayBeLost) { continue }
            let name = String(decoding: key, as: UTF8.self)
            throw Violation("published", "\(count) of \(all.count) events of workflow \(name) were published")
        }
        let missing = letters.subtracting(seen).count
        guard missing == 0 else {
            throw Violation("dead-letters", "\(missing) of \(letters.count) dead letters were not published")
        }
    }

    private static func finding(_ record: KafkaRecord, _ place: Int, _ committed: [Event]) -> String {
        let name = String(decoding: record.key ?? [], as: UTF8.self)
        let status = ShopEvent(record.value)?.status ?? "no event"
        let known = committed.map { ShopEvent($0.value)?.status ?? "no event" }.joined(separator: ", ")
        return "event \(place + 1) of workflow \(name) is \(status); committed were \(known)"
    }
}
