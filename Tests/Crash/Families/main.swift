import Sagamore

let worker = Worker(try await Client.connect(), taskQueue: Families.parent.taskQueue) {
    FamilyParent.registered
    FamilyChild.registered
    FamilyCrowd.registered
    FamilyMember.registered
}
try await worker.run()
