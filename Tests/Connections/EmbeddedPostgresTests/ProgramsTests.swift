import Glibc
import Testing

@testable import SagamoreEmbeddedPostgres

/// Finding programs and users, and reading pid files; starts no server.
@Suite struct ProgramsTests {
    @Test func missingProgramsNameThePackage() {
        let error = #expect(throws: EmbeddedPostgresError.self) {
            try PostgresPrograms.find(environment: ["PATH": "/nowhere"], distributionFolders: [])
        }
        #expect(error?.code == .programsMissing)
        #expect(error?.message.contains("apt-get install postgresql") == true)
    }

    @Test func chosenFolderMustHaveThePrograms() {
        let error = #expect(throws: EmbeddedPostgresError.self) {
            try PostgresPrograms.find(environment: ["SAGAMORE_POSTGRES_BIN": "/nowhere"])
        }
        #expect(error?.code == .programsMissing)
        #expect(error?.message.contains("/nowhere") == true)
    }

    @Test func programsAreFoundWithoutPATHAndThroughLinks() throws {
        let first = try PostgresPrograms.find()
        let scratch = try Scratch()
        for program in ["initdb", "postgres"] {
            #expect(system("ln -s '\(first.folder)/\(program)' '\(scratch.path)/\(program)'") == 0)
        }
        let linked = try PostgresPrograms.find(environment: ["PATH": scratch.path], distributionFolders: [])
        #expect(linked == first)
        let chosen = try PostgresPrograms.find(environment: ["SAGAMORE_POSTGRES_BIN": scratch.path])
        #expect(chosen == first)
    }

    @Test func eachToolRunsTheCommandAsTheUser() throws {
        let user = try DatabaseUser.choose(clusterOwner: 65534)
        guard user.isOther else {
            #expect(try user.command(running: ["/x", "y"]) == ["/x", "y"])
            return
        }
        #expect(user.name == "nobody")
        for tool in ["/usr/bin/setpriv", "/usr/sbin/runuser", "/usr/bin/su"] {
            let file = try Scratch(mode: 0o777)
            let command = try user.command(
                running: ["/bin/sh", "-c", "id -u; echo \"$1\"", "x", "a 'b' c"],
                tools: [tool]
            )
            #expect(command[0] == tool)
            try ChildProcess.run(command, output: file.path + "/out")
            #expect(Files.text(file.path + "/out") == "65534\na 'b' c\n", "\(tool)")
        }
        let error = #expect(throws: EmbeddedPostgresError.self) { try user.command(running: ["/x"], tools: ["/no"]) }
        #expect(error?.code == .user)
    }

    @Test func failingProgramIsQuoted() throws {
        let scratch = try Scratch()
        let error = #expect(throws: EmbeddedPostgresError.self) {
            try ChildProcess.run(["/bin/sh", "-c", "echo last words; exit 3"], output: scratch.path + "/out")
        }
        #expect(error?.code == .process)
        #expect(error?.message.contains("last words") == true)
    }

    @Test func pidFilesAreParsed() {
        let ready = Postmaster.Note("17\n/data\n1\n5432\n/sock\n\n  1 2\nready   \n")
        #expect(ready?.pid == 17)
        #expect(ready?.socketFolder == "/sock")
        #expect(ready?.isReady == true)
        #expect(Postmaster.Note("17\n/data\n1\n5432\n/sock\n\n  1 2\nstarting\n")?.isReady == false)
        #expect(Postmaster.Note("17\n")?.isReady == false)
        for text in ["", "x\n", "-5\n", "1\n"] { #expect(Postmaster.Note(text) == nil) }
    }

    @Test func settingsAreQuotedAndReplaced() {
        let settings = ServerSettings(socketFolder: "/tmp/it's", additional: ["fsync": "off", "work_mem": "5MB"])
        #expect(settings.file.contains("unix_socket_directories = '/tmp/it''s'"))
        #expect(settings.file.contains("\nfsync = 'off'"))
        #expect(!settings.file.contains("\nfsync = 'on'"))
        #expect(settings.file.contains("\nwork_mem = '5MB'"))
        #expect(settings.settings.allSatisfy { !$0.reason.isEmpty })
    }
}

/// Recognizing a server where the system does not show working folders.
struct CommandLineOfAServerTests {
    @Test(arguments: [
        ("/usr/lib/postgresql/15/bin/postgres\0-D\0/data/cluster\0", true),
        ("postgres\0-c\0fsync=on\0-D\0/data/cluster\0", true),
        ("/usr/lib/postgresql/15/bin/postgres\0-D\0/data/cluster2\0", false),
        ("postgres\0-D\0", false),
        ("postgres: checkpointer \0", false),
        ("grep\0-D\0/data/cluster\0", false),
        ("", false),
    ])
    func serverIsRecognizedByItsCommandLine(_ words: String, _ isServer: Bool) {
        #expect(Postmaster.isServer(commandLine: words, of: "/data/cluster") == isServer)
    }
}
