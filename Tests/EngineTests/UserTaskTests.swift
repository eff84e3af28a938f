import Testing
import Values

@testable import Engine

@Suite("User and script tasks")
struct UserTaskTests {
    @Test("a user task is created with everything its definition says")
    func creation() throws {
        let harness = EngineHarness()
        harness.recordsEvents = true
        let extensions = """
            <zeebe:assignmentDefinition assignee="=boss" candidateGroups="=[&quot;g1&quot;,&quot;g2&quot;]" candidateUsers="a, b"/>\
            <zeebe:taskSchedule dueDate="2026-02-01T00:00:00Z" followUpDate="=follow"/>\
            <zeebe:priorityDefinition priority="70"/>
            """
        try harness.deploy(Model.process("start -> u -> end", nodes: [Model.user("u", extensions: extensions)]))
        try harness.start("p", #"{"boss":"ann","follow":"2026-01-15T00:00:00Z"}"#)
        let created = harness.events.compactMap { event in
            if case .userTaskCreated(_, let task) = event { task } else { nil }
        }
        let task = try #require(created.first)
        #expect(task.assignee == "ann" && task.candidateGroups == ["g1", "g2"] && task.candidateUsers == ["a", "b"])
        #expect(task.dueDate == "2026-02-01T00:00:00Z" && task.followUpDate == "2026-01-15T00:00:00Z")
        #expect(task.priority == 70)
    }

    @Test(
        "a user task with wrong attributes is an incident",
        arguments: [#"{"who":1}"#, #"{"groups":7}"#, #"{"groups":["a",1]}"#, #"{"prio":101}"#, #"{"due":true}"#])
    func wrong(_ variables: String) throws {
        let harness = EngineHarness()
        let extensions = """
            <zeebe:assignmentDefinition assignee="=who" candidateGroups="=groups"/>\
            <zeebe:taskSchedule dueDate="=due"/><zeebe:priorityDefinition priority="=if prio = null then 1 else prio"/>
            """
        try harness.deploy(Model.process("start -> u -> end", nodes: [Model.user("u", extensions: extensions)]))
        let key = try harness.start("p", variables)
        #expect(harness.incidents.map(\.type) == ["EXTRACT_VALUE_ERROR"])
        try harness.set(#"{"who":"","groups":"","prio":null,"due":null}"#, of: key)
        try harness.resolve()
        #expect(harness.userTasks.map(\.assignee) == [nil])
    }

    @Test("a task is assigned, kept from others, taken over, given back and completed once")
    func assignment() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> u -> end", nodes: [Model.user("u")]))
        let key = try harness.start()
        let task = try #require(harness.userTasks.first)
        func assign(_ name: String?, override: Bool = false) -> Reply {
            harness.send(.assignUserTask(key: task.key, assignee: name, allowOverride: override))
        }
        #expect(assign("ann").isDone)
        #expect(assign("ann").isDone)
        harness.checkpointAll()
        #expect(assign("bob").rejection?.code == .invalidState)
        #expect(assign("bob", override: true).isDone)
        #expect(harness.userTasks.map(\.assignee) == ["bob"])
        #expect(assign(nil).isDone)
        #expect(harness.userTasks.map(\.assignee) == [nil])
        try harness.completeTask("u", #"{"ok":true}"#)
        #expect(harness.variables(key) == #"{"ok":true}"#)
        #expect(harness.send(.completeUserTask(key: task.key, variables: .empty)).rejection?.code == .notFound)
    }

    @Test("with output mappings the answer stays in the task")
    func outputs() throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process("start -> u -> end", nodes: [Model.user("u", io: Model.io([], [("=answer * 2", "twice")]))]))
        let key = try harness.start()
        try harness.completeTask("u", #"{"answer":21}"#)
        #expect(harness.variables(key) == #"{"twice":42}"#)
    }

    @Test("a script writes its result where its variable lives")
    func scripts() throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> s1 -> s2 -> s3 -> end",
                nodes: [
                    Model.script("s1", "=x + 1", to: "x"),
                    Model.script("s2", "=x * 2", to: "local", io: Model.io([], [("=local + 1", "y")])),
                    #"<scriptTask id="s3"><extensionElements><apg:set variable="z" value="=y + 1"/><apg:set variable="w" value="=z + 1"/></extensionElements></scriptTask>"#,
                ]))
        #expect(harness.variables(try harness.start("p", #"{"x":1}"#)) == #"{"x":2,"y":5,"z":6,"w":7}"#)
    }
}
