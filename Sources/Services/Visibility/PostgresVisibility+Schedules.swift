internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamorePostgresClient
public import SagamoreServices

/// Finds schedules in the table that their service writes.
extension PostgresVisibility: ScheduleVisibility {
    public func listSchedules(_ request: ListRequest, reply: Reply<ListedSchedules>) {
        let list = ListIdentity(namespace: request.namespace.number, query: request.query)
        let query: ScheduleQuery
        let limit = request.limit
        do throws(RequestError) {
            query = ScheduleQuery(
                try Self.scheduleFilter(request.query, request.namespace),
                namespace: request.namespace.number,
                after: try Self.token(request.token, of: list),
                // One more than the page has tells whether another one follows.
                limit: limit + 1
            )
        } catch {
            return reply.fail(error)
        }
        ask(reply) { (connection) throws(PostgresError) in
            let rows = try connection.query(query.statement, query.values)
            let schedules = ScheduleQuery.schedules(rows, count: min(rows.rowCount, limit))
            var next: [UInt8] = []
            if rows.rowCount > limit, let last = schedules.last {
                next = PageToken(key: nil, runID: last.instance).bytes(of: list)
            }
            reply.succeed(ListedSchedules(schedules: schedules, token: next))
        }
    }

    public func countSchedules(_ query: String, in namespace: NamespaceRecord, reply: Reply<Int64>) {
        let count: ScheduleQuery
        do throws(RequestError) {
            count = ScheduleQuery(counting: try Self.scheduleFilter(query, namespace), namespace: namespace.number)
        } catch {
            return reply.fail(error)
        }
        ask(reply) { (connection) throws(PostgresError) in
            reply.succeed(try connection.query(count.statement, count.values).int64(0, 0))
        }
    }

    private static func scheduleFilter(
        _ text: String,
        _ namespace: NamespaceRecord
    ) throws(RequestError) -> Filter {
        let filter: Filter
        do throws(FilterError) {
            filter = try Filter(text, namespace.searchAttributes, of: .schedules)
        } catch {
            let what = error.isOfOtherSubject ? "invalid query filter for schedules" : "invalid query"
            throw .invalidArgument("\(what): \(error)")
        }
        if filter.order != nil { throw .invalidArgument("invalid query: ORDER BY is not for schedules") }
        if filter.group != nil { throw .invalidArgument("invalid query: GROUP BY is not for schedules") }
        return filter
    }
}
