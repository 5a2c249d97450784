internal import Glibc

/// The location of the cluster's files and socket, and the user that runs it.
package struct ClusterPlace {
    /// The folder that the caller named, with links resolved.
    let dataDirectory: String
    /// The folder with `cluster` and `postgres.log`: the data folder, or another one that the user can access.
    let home: String
    let user: DatabaseUser

    var cluster: String { home + "/cluster" }
    var unfinishedCluster: String { home + "/cluster.new" }
    var log: String { home + "/postgres.log" }
    private var pointer: String { dataDirectory + "/" + Self.pointerName }

    private static let pointerName = "postgres-location"
    /// The prefix of socket folders. It is short because a socket's path is limited to 107 bytes.
    package static let socketPrefix = "/tmp/sagamore-socket-"
    /// Where root keeps clusters whose data folder the database's user cannot access.
    private static let homesElsewhere = ["/var/lib/sagamore/", "/tmp/sagamore-"]

    /// Finds the cluster of `dataDirectory` (a real path), or the location for a new one.
    static func find(
        _ dataDirectory: String,
        log: (String) -> Void
    ) throws(EmbeddedPostgresError) -> ClusterPlace {
        let pointed = Files.text(dataDirectory + "/" + pointerName)?.split(separator: "\n").first.map(String.init)
        let home = pointed.map { Files.realPath($0) ?? $0 } ?? dataDirectory
        let owner = Files.status(home + "/cluster")?.owner
        let user = try DatabaseUser.choose(clusterOwner: owner)
        let place = ClusterPlace(dataDirectory: dataDirectory, home: home, user: user)
        if let pointed, owner == nil {
            log("the database in \(pointed) is gone; creating a new one there")
        }
        if pointed != nil {
            try Files.makeFolder(home, mode: 0o711)
            try checkOwner(home)
        }
        if !user.isOther || user.canReach(home) { return place }
        if owner != nil || pointed != nil {
            throw EmbeddedPostgresError(
                .folder,
                "user \(user.name), who runs PostgreSQL, cannot access \(home): make its parent folders searchable"
            )
        }
        return try elsewhere(dataDirectory, user, log)
    }

    private static func elsewhere(
        _ dataDirectory: String,
        _ user: DatabaseUser,
        _ log: (String) -> Void
    ) throws(EmbeddedPostgresError) -> ClusterPlace {
        for prefix in homesElsewhere {
            let home = prefix + Files.digest(dataDirectory)
            do throws(EmbeddedPostgresError) {
                try Files.makeFolder(home, mode: 0o711)
                try checkOwner(home)
            } catch { continue }
            guard user.canReach(home), let home = Files.realPath(home) else { continue }
            let place = ClusterPlace(dataDirectory: dataDirectory, home: home, user: user)
            try Files.write(home + "\n", to: place.pointer, mode: 0o644)
            log("PostgreSQL runs as user \(user.name), who cannot access \(dataDirectory); its files are in \(home)")
            return place
        }
        throw EmbeddedPostgresError(
            .folder,
            "user \(user.name), who runs PostgreSQL, cannot access \(dataDirectory), and no alternative is available"
        )
    }

    /// Checks that a folder with a predictable name is ours: another user could have created it first.
    private static func checkOwner(_ home: String) throws(EmbeddedPostgresError) {
        guard let status = Files.status(home), status.isFolder, status.owner == geteuid() else {
            throw EmbeddedPostgresError(.folder, "\(home) belongs to another user")
        }
    }

    /// Creates a folder for the socket, with a short path, that only the database's user and root can access.
    func makeSocketFolder() throws(EmbeddedPostgresError) -> String {
        let name = Self.socketPrefix + Files.digest(cluster)
        for folder in [name] + (1...9).map({ "\(name)-\($0)" }) {
            if mkdir(folder, 0o700) != 0, errno != EEXIST { throw Files.failure("cannot create the folder \(folder)") }
            guard let status = Files.status(folder), status.isFolder,
                status.owner == geteuid() || status.owner == user.id
            else { continue }
            try give(folder)
            for file in Files.names(in: folder) { unlink(folder + "/" + file) }
            return folder
        }
        throw EmbeddedPostgresError(.folder, "the folders \(name)… belong to other users")
    }

    /// Makes the database's user the owner of `folder`, without access for others.
    func give(_ folder: String) throws(EmbeddedPostgresError) {
        guard lchown(folder, user.id, user.group) == 0, chmod(folder, 0o700) == 0 else {
            throw Files.failure("cannot change the owner of \(folder) to user \(user.name)")
        }
    }

    /// Removes all files of the cluster. Other files in the data folder stay.
    func wipe() throws(EmbeddedPostgresError) {
        for path in [cluster, unfinishedCluster, log, log + ".1"] { try Files.remove(path) }
        if home != dataDirectory {
            try Files.remove(home)
            try Files.remove(pointer)
        }
    }
}
