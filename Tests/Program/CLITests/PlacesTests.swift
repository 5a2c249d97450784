import Foundation
import SagamoreProgramTestSupport
import SagamoreServer
import Testing

struct PlacesTests {
    private func write(_ json: String, in folder: String) throws {
        try Data(json.utf8).write(to: URL(fileURLWithPath: folder + "/dev.json"))
    }

    @Test func aDevFileIsUsedWhileItsProcessRuns() throws {
        let folder = try TemporaryFolder()
        #expect(DevFile.ofRunning(in: folder.path) == nil)
        let rest = "\"grpc\":\"h:1\",\"http\":null,\"kafka\":null,\"postgres\":\"p\",\"postgres_pid\":null"
        try write("{\(rest),\"pid\":\(getpid())}", in: folder.path)
        let file = try #require(DevFile.ofRunning(in: folder.path))
        #expect(file.grpc == "h:1")
        #expect(file.kafka == nil)
        #expect(file.postgresPID == nil)
        // No process has an id this large.
        try write("{\(rest),\"pid\":2147483646}", in: folder.path)
        #expect(DevFile.ofRunning(in: folder.path) == nil)
        try write("{\"grpc\":", in: folder.path)
        #expect(DevFile.ofRunning(in: folder.path) == nil)
    }
}
