import Sagamore

let worker = Worker(try await Client.connect(), taskQueue: Families.parent.taskQueue) {
    FamilyParent.registered
    FamilyChild.registered
}
try await worker.run()
