public import SagamoreEngine

/// What goes to the database, and comes from it.
extension ScheduleBook {
    /// The next thing to do; nil if there is none. Asked for when the last one is done.
    public mutating func nextJob(at now: Instant) -> ScheduleStoreJob? {
        let writes = takeWrites(at: now)
        if !writes.isEmpty { return .write(writes) }
        if !toLoad.isEmpty {
            let names = Array(toLoad.prefix(Self.pageSize))
            toLoad.removeFirst(names.count)
            return .load(names)
        }
        guard loadedUntil < now + Self.foresight else { return nil }
        return .loadDue(ScheduleDueLoad(after: loadedTo, until: now + Self.reach, limit: Self.pageSize))
    }

    private mutating func takeWrites(at now: Instant) -> [ScheduleWrite] {
        var writes: [ScheduleWrite] = []
        var rest: [ScheduleName] = []
        let looked = dirty.count
        for name in dirty.prefix(looked) {
            guard var entry = entries[name], entry.isDirty, !entry.isBeingWritten else { continue }
            guard writes.count < Self.writeSize, entry.isToBeWritten(at: now) else {
                if entry.isToBeWritten(at: now) { rest.append(name) }
                continue
            }
            if entry.record == nil, entry.revision == 0 {
                // It was deleted before it was stored.
                entries[name] = nil
                release(entry.waiting, &entry)
                continueBehind(entry, name, at: now)
                continue
            }
            writes.append(
                ScheduleWrite(
                    name: name,
                    record: entry.record,
                    instance: entry.instance,
                    basis: entry.revision,
                    alarm: entry.storedAlarm,
                    changesDefinition: entry.definitionHasChanged || entry.revision == 0,
                    changesAttributes: entry.attributesHaveChanged || entry.revision == 0
                )
            )
            (entry.isDirty, entry.definitionHasChanged, entry.attributesHaveChanged) = (false, false, false)
            entry.isBeingWritten = true
            entry.releasedByWrite = entry.waiting
            entry.waiting = []
            entries[name] = entry
        }
        // What was written off may have called for something new.
        dirty = rest + dirty.dropFirst(looked)
        return writes
    }

    /// The writes are stored, but for those of `conflicts`: something else has changed these.
    public mutating func written(_ writes: [ScheduleWrite], conflicts: Set<ScheduleName>, at now: Instant) {
        for write in writes {
            guard var entry = entries[write.name], entry.isBeingWritten else { continue }
            if conflicts.contains(write.name) {
                drop(write.name, entry, at: now)
                continue
            }
            entry.isBeingWritten = false
            entry.revision = write.revision
            let releases = entry.releasedByWrite
            entry.releasedByWrite = []
            release(releases, &entry)
            if entry.record == nil, !entry.isDirty {
                entries[write.name] = nil
                continueBehind(entry, write.name, at: now)
            } else {
                settle(write.name, entry, at: now)
            }
        }
        forgetIdle(at: now)
    }

    /// Forgets what memory says of a schedule. Whatever is stored is loaded again.
    private mutating func drop(_ name: ScheduleName, _ entry: ScheduleEntry, at now: Instant) {
        entries[name] = nil
        for case .answer(let call, _) in entry.releasedByWrite + entry.waiting {
            answer(call, .failure(.unavailable("the schedule was changed by another process; try again")))
        }
        (loadedUntil, loadedTo) = (.distantPast, nil)
        continueBehind(entry, name, at: now)
    }

    private mutating func continueBehind(_ entry: ScheduleEntry, _ name: ScheduleName, at now: Instant) {
        for (id, call) in entry.callsBehind { self.call(id, call, on: name, at: now) }
    }

    /// What the database says of alarms.
    public mutating func loadedDue(_ load: ScheduleDueLoad, _ found: DueSchedules, at now: Instant) {
        for stored in found.schedules { install(stored, at: now) }
        loadedTo = found.last
        guard found.last == nil else { return }
        loadedUntil = found.next.map { max($0 + Interval(nanoseconds: -1), load.until) } ?? .distantFuture
    }

    mutating func install(_ stored: StoredSchedule, at now: Instant) {
        let name = stored.record.name
        guard entries[name] == nil else { return }
        var entry = ScheduleEntry(stored, times(of: stored.record))
        entry.alarm = stored.record.nextAlarm(entry.times)
        performOpen(&entry)
        settle(name, entry, at: now)
    }

    /// Forgets schedules that have nothing to do for a while, if there are many.
    private mutating func forgetIdle(at now: Instant) {
        guard entries.count > forgetAbove else { return }
        loadedUntil = min(loadedUntil, now + Self.reach)
        let until = loadedUntil
        entries = entries.filter { _, entry in
            guard entry.isIdle, entry.record != nil else { return true }
            return entry.storedAlarm.map { $0 <= until } ?? false
        }
        forgetAbove = max(Self.keptIdle, entries.count * 2)
    }
}
