import SagamoreAPI
import SagamoreEngine
import SagamorePersistence
import SagamorePostgresClient
import SagamoreServices
import Testing

@testable import SagamoreVisibility

extension VisibilityTests {
    @Suite struct Lists {
        private static func run(_ number: Int, at seconds: Int64) -> VisibleRun {
            var run = VisibleRun(number: number)
            run.startedAt = Instant(nanoseconds: (1_000 + seconds) * 1_000_000_000)
            return run
        }

        /// Whatever starts and ends meanwhile, a run that was there all the time is shown once.
        @Test func pagesAreStableWhileRunsStartAndEnd() throws {
            let world = try VisibleWorld()
            try world.write((1...50).map { Self.run($0, at: Int64($0)) })
            var seen: [String] = []
            var token: [UInt8] = []
            var next = 51
            repeat {
                let page = try world.list("WorkflowType = 'Order'", limit: 7, token: token)
                seen += page.runs.map { $0.execution?.workflowID ?? "" }
                token = page.token
                try world.write((next..<next + 5).map { Self.run($0, at: Int64($0)) })
                try world.commit { batch in
                    batch.closedRuns = [next % 50 + 1, (next + 25) % 50 + 1].map { number in
                        let run = Self.run(number, at: Int64(number))
                        return RunClosing(
                            runID: run.runID,
                            status: .completed,
                            closedAt: run.startedAt + .seconds(1_000),
                            historyLength: 5,
                            historyBytes: 500
                        )
                    }
                }
                next += 5
            } while !token.isEmpty
            #expect(seen == (1...50).reversed().map { "run \($0)" })
        }

        /// A list of sagas tells how far they are, and others look as everywhere.
        @Test func sagasThatCompensateShowHowFarTheyAre() throws {
            let world = try VisibleWorld()
            var (saga, plain) = (Self.run(1, at: 1), Self.run(2, at: 2))
            (saga.saga, saga.steps) = (.compensating, ["book_car", "undo_book_car"])
            plain.steps = ["book_car"]
            try world.write([saga, plain])
            let shown = try world.list("").runs.map { run in
                let fields = try run.searchAttributes?.decoded().indexedFields ?? [:]
                return fields.map { "\($0.key)=\(String(decoding: $0.value.data, as: UTF8.self))" }.sorted()
            }
            #expect(shown == [[], ["SagaStatus=\"compensating\"", "SagaStep=\"undo_book_car\""]])
        }

        @Test func runsShowTheBuildsThatHaveWorkedOnThem() throws {
            let world = try VisibleWorld()
            var (young, old, unnamed) = (Self.run(1, at: 1), Self.run(2, at: 2), Self.run(3, at: 3))
            young.builds = [WorkerBuild.Names()]
            old.builds = ["b", "a"].map { Self.names($0, "\($0)1") }
            unnamed.builds = [Self.names("", nil)]
            try world.write([young, old, unnamed])
            let shown = try world.list("").runs.map { run in
                let fields = try run.searchAttributes?.decoded().indexedFields ?? [:]
                let types = Set(fields.values.map { String(decoding: $0.metadata["type"] ?? [], as: UTF8.self) })
                #expect(types.isSubset(of: ["KeywordList"]))
                return fields.map { "\($0.key)=\(String(decoding: $0.value.data, as: UTF8.self))" }.sorted()
            }
            let all = [#"BinaryChecksums=["b1","a1"]"#, #"BuildIds=["unversioned","unversioned:b","unversioned:a"]"#]
            #expect(shown == [[#"BuildIds=["unversioned"]"#], all, []])
            #expect(try world.ids("BuildIds = 'unversioned'").sorted() == ["run 2", "run 3"])
            #expect(try world.ids("BuildIds IN ('unversioned:a', 'x') AND BinaryChecksums = 'b1'") == ["run 2"])
            #expect(try world.ids("BuildIds IS NULL") == ["run 1"])
        }

        private static func names(_ id: String, _ checksum: String?) -> WorkerBuild.Names {
            var names = WorkerBuild.Names()
            (names.id, names.binaryChecksum) = (id, checksum)
            return names
        }

        @Test func aPageThatIsTheLastHasNoToken() throws {
            let world = try VisibleWorld()
            try world.write((1...14).map { Self.run($0, at: 0) })
            let page = try world.list("", limit: 14)
            #expect(page.runs.count == 14 && page.token.isEmpty)
            let first = try world.list("", limit: 13)
            #expect(first.runs.count == 13 && !first.token.isEmpty)
            #expect(try world.list("", limit: 13, token: first.token).runs.count == 1)
            let error = #expect(throws: RequestError.self) {
                try world.list("WorkflowId = 'a'", limit: 13, token: first.token)
            }
            #expect(error?.code == .invalidArgument)
        }

        @Test func changesAreFoundWhenTheyAreCommitted() throws {
            let world = try VisibleWorld()
            var run = Self.run(1, at: 5)
            run.values = [1: .text("Quick fox"), 2: .keyword("before"), 3: .int(7), 7: .keywordList(["x", "y", "x"])]
            try world.write([run])
            let all = "MyKeyword = 'before' AND MyInt = 7 AND MyKeywordList = 'y' AND MyText = 'FOX'"
            #expect(try world.ids(all) == ["run 1"])
            var change = RunListingChange(runID: run.runID, namespace: 1)
            change.changedAttributes = [2, 7]
            change.values = SearchValue.values(of: VisibleWorld.attributes[1], .keyword("after"))
            change.saga = .compensating
            try world.commit { $0.listingChanges = [change] }
            #expect(try world.ids("MyKeyword = 'before'") == [])
            #expect(try world.ids("MyKeyword = 'after' AND MyKeywordList IS NULL AND MyInt = 7") == ["run 1"])
            #expect(try world.ids("SagaStatus = 'compensating'") == ["run 1"])
            #expect(try world.ids("SagaStatus != 'running'") == ["run 1"])
        }

        @Test func runsThatAreDeletedAreNotFound() throws {
            let world = try VisibleWorld()
            var run = Self.run(1, at: 5)
            run.values = [2: .keyword("a")]
            try world.write([run, Self.run(2, at: 6)])
            try world.commit { $0.deletions = [RunDeletion(runID: run.runID, key: run.row.key)] }
            #expect(try world.ids("") == ["run 2"])
            #expect(try world.ids("MyKeyword = 'a'") == [])
            #expect(try world.count("").map(\.count) == [1])
        }

        @Test func countsByGroup() throws {
            let world = try VisibleWorld()
            var runs = (1...6).map { Self.run($0, at: Int64($0)) }
            for index in 0..<4 { runs[index].values[2] = .keyword(index < 3 ? "a" : "b") }
            runs[0].status = .failed
            runs[0].closedAt = runs[0].startedAt
            runs[1].values[5] = .bool(true)
            try world.write(runs)
            func counts(_ query: String) throws -> [String] {
                try world.count(query).map { "\($0.group?.value?.json ?? "-") \($0.count)" }
            }
            #expect(try counts("GROUP BY MyKeyword") == ["\"a\" 3", "- 2", "\"b\" 1"])
            #expect(try counts("MyKeyword = 'a' GROUP BY ExecutionStatus") == ["\"Running\" 2", "\"Failed\" 1"])
            #expect(try counts("GROUP BY MyBool") == ["- 5", "true 1"])
            #expect(try counts("WorkflowId = 'none' GROUP BY WorkflowType") == [])
            #expect(try counts("WorkflowId = 'none'") == ["- 0"])
        }

        @Test func aSessionThatWasLostIsReplaced() throws {
            let world = try VisibleWorld()
            try world.write([Self.run(1, at: 5)])
            for _ in 0..<4 { #expect(try world.ids("") == ["run 1"]) }
            let kill = """
                select count(pg_terminate_backend(pid)) from pg_stat_activity
                where application_name = 'sagamore visibility'
                """
            let killed = try world.session.query(PostgresStatement("kill", kill)).int64(0, 0)
            #expect(killed > 0)
            for _ in 0..<4 { #expect(try world.ids("") == ["run 1"]) }
        }
    }
}
