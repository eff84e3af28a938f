import Foundation
import Testing
import Values

@testable import junction

/// Commands as a person gives them, on the real engine and store, inside this process.
@Suite(.timeLimit(.minutes(2))) struct CommandTests {
    @Test func runFollowsAProcessToItsEndInAnEmptyFolder() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("order.bpmn", Model.sequence("order", Model.script))
        let data = ["--data", folder.path + "/data"]
        let run = await junction(["run", file, "--variables", #"{"amount": 12}"#] + data)
        #expect(run.status == 0, "\(run.notes)")
        #expect(run.lines.count == 5)
        #expect(run.lines.first?.hasPrefix("order v1  ") == true)
        #expect(run.lines.first?.contains("  completed  ") == true)

        let listed = await junction(["instance", "list", "--json"] + data)
        let key = try #require(listed.values.first?["processInstanceKey"]?.asString)
        let shown = await junction(["instance", "show", key, "--variables", "--json"] + data)
        #expect(shown.values.first?["variables"] == ["amount": 12, "doubled": 24])
        #expect(
            shown.values.first?["elements"]?.asList?.map { $0["type"] } == ["START_EVENT", "SCRIPT_TASK", "END_EVENT"])
        let text = await junction(["instance", "show", key, "--variables"] + data)
        #expect(text.lines.suffix(2) == ["amount   12", "doubled  24"])
        let table = await junction(["instance", "list", "--state", "completed", "--process", "order"] + data)
        #expect(table.lines.count == 2)
        #expect(table.lines[0].hasPrefix("KEY"))
        #expect(await junction(["instance", "list", "--state", "active"] + data).status == 1)
    }

    @Test func runEndsWhenOnlyAPersonCanMoveTheInstance() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("a.bpmn", Model.sequence("approval", Model.person))
        let data = ["--data", folder.path + "/data"]
        let run = await junction(["run", file] + data)
        #expect(run.status == 1)
        #expect(run.notes.contains("It waits for a person"))
        #expect(run.lines.last?.contains("waits for a person, task ") == true)

        let tasks = await junction(["task", "list", "--state", "created", "--limit", "50", "--json"] + data)
        let task = try #require(tasks.values.first?["userTaskKey"]?.asString)
        #expect(await junction(["task", "assign", task, "bob"] + data).output == "\(task) assigned\n")
        #expect(await junction(["task", "assign", task, "eve", "--keep"] + data).status == 1)
        #expect(await junction(["task", "list", "--assignee", "bob"] + data).lines.count == 2)
        #expect(
            await junction(["task", "show", task] + data).lines.contains {
                $0.hasPrefix("assignee") && $0.hasSuffix("bob")
            })
        #expect(await junction(["task", "assign", task, "--json"] + data).values.first?["result"] == "unassigned")
        #expect(await junction(["task", "complete", task, "--variables", #"{"ok":true}"#] + data).status == 0)
        let again = await junction(["task", "complete", task, "--json"] + data)
        #expect(again.status == 1)
        #expect(try JSON.parse(again.notes)["code"] == "EN404")
        let audit = await junction(["audit", "list", "--actor", "ada", "--json"] + data)
        #expect(audit.values.contains { $0["operationType"]?.asString?.contains("complete") == true })
    }

    @Test func workersAndOperatorsCanWorkFromTheCommandLine() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("c.bpmn", Model.sequence("payments", Model.worker))
        let data = ["--data", folder.path + "/data"]
        let deployed = await junction(["deploy", file, "--json"] + data)
        #expect(deployed.values.first?["processDefinitionId"] == "payments", "\(deployed.notes)")
        #expect(await junction(["deploy", file] + data).lines.count == 2)
        let started = await junction(
            ["start", "payments", "--variables", #"{"a":1}"#, "--idempotency-key", "k"] + data)
        let instance = started.output.trimmingCharacters(in: .newlines)
        let again = await junction(["start", "payments", "--idempotency-key", "k", "--json"] + data)
        #expect(again.values.first?["processInstanceKey"] == .string(instance))
        #expect(again.values.first?["alreadyExisted"] == true)

        #expect(await junction(["job", "list", "--type", "charge", "--instance", instance] + data).lines.count == 2)
        let job = await junction(["job", "activate", "charge", "--lock", "60", "--json"] + data)
        #expect(job.values.first?["variables"] == ["a": 1])
        let key = try #require(job.values.first?["jobKey"]?.asString)
        #expect(await junction(["job", "activate", "charge"] + data).status == 1)
        #expect(await junction(["job", "fail", key, "--message", "no paper"] + data).status == 0)

        let incidents = await junction(["incident", "list", "--json"] + data)
        let incident = try #require(incidents.values.first?["incidentKey"]?.asString)
        #expect(incidents.values.first?["errorMessage"]?.asString?.hasPrefix("no paper") == true)
        #expect(await junction(["incident", "show", incident] + data).output.contains("JOB_NO_RETRIES"))
        #expect(await junction(["instance", "list", "--incident"] + data).lines.last?.contains("incident") == true)
        #expect(await junction(["incident", "resolve", incident, "--retries", "2"] + data).status == 0)
        #expect(await junction(["incident", "list", "--state", "all", "--instance", instance] + data).lines.count == 2)
        let table = await junction(["job", "activate", "charge"] + data)
        #expect(table.lines.last?.hasPrefix(key) == true)
        #expect(await junction(["job", "complete", key, "--variables", "{}"] + data).output == "\(key) completed\n")
        #expect(await junction(["instance", "list", "--state", "completed"] + data).status == 0)

        let other = await junction(["start", "payments"] + data).output.trimmingCharacters(in: .newlines)
        #expect(await junction(["instance", "cancel", other, "1"] + data).status == 1)
        #expect(await junction(["instance", "list", "--state", "terminated"] + data).status == 0)
        let waited = await junction(["start", "payments", "--wait", "0.05"] + data)
        #expect(waited.status == 1)
        #expect(waited.notes.contains("EN504"))
    }

    @Test func messagesReachTheInstanceThatWaits() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("m.bpmn", Model.sequence("payment", Model.message))
        let data = ["--data", folder.path + "/data"]
        #expect(await junction(["run", file, "--variables", #"{"order":"o1"}"#] + data).notes.contains("a message"))
        let published = await junction(["message", "publish", "paid", "--correlation-key", "o1", "--json"] + data)
        #expect(published.values.first?["messageKey"] != nil)
        #expect(await junction(["message", "publish", "paid", "--time-to-live", "5"] + data).status == 0)
        var state: Value?
        for _ in 0..<200 where state != "COMPLETED" {
            state = await junction(["instance", "list", "--json"] + data).values.first?["state"]
        }
        #expect(state == "COMPLETED")
    }

    @Test func healthAndHistoryAreChecked() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("a.bpmn", Model.sequence("order", Model.script))
        let data = ["--data", folder.path + "/data"]
        #expect(await junction(["doctor"] + data).notes.contains("CL107"))
        #expect(await junction(["run", file, "--variables", #"{"amount":1}"#] + data).status == 0)
        #expect(await junction(["doctor"] + data).status == 0)
        let verified = await junction(["audit", "verify", "--json"] + data)
        #expect(verified.values.count == 64)
        #expect(verified.values.allSatisfy { $0["verified"] == true })
        #expect(await junction(["audit", "verify", "--heads"] + data).lines.count >= 1)
        let status = await junction(["status"] + data)
        #expect(status.output.contains("completedInstances"))
        #expect(await junction(["status", "--json"] + data).values.first?["records"]?["completedInstances"] == 1)
        #expect(await junction(["trigger", "list"] + data).notes.contains("No triggers found."))
        #expect(await junction(["connection", "list"] + data).status == 1)
        #expect(await junction(["dead-letter", "list"] + data).status == 1)
        #expect(await junction(["dead-letter", "replay", "--all"] + data).status == 1)
        #expect(await junction(["dead-letter", "discard", "1"] + data).notes.contains("EN404"))
    }

    @Test func lintShowsEverythingAtOnceAndNeedsNoServer() async throws {
        let folder = try TemporaryFolder()
        let good = try folder.write("good.bpmn", Model.sequence("order", Model.script))
        let bad = try folder.write(
            "bad.bpmn",
            Model.sequence("order", #"<bpmn:event id="any"/>"#).replacing("=amount", with: "=1 +"))
        let project = try folder.write("junction.yaml", "deplyo: x")
        let trigger = try folder.write("t.yaml", "kind: Trigger")
        let connections = try folder.write("c.yaml", "apiVersion: hub/v1\nkind: Connections\nconnections: {}")
        #expect(await junction("lint", good, connections).notes.hasPrefix("No problems in "))
        let found = await junction("lint", bad, project, trigger, "--json")
        #expect(found.status == 1)
        #expect(found.values.contains { $0["file"] == .string(bad) && $0["elementId"] == "any" && $0["line"] != nil })
        #expect(found.values.contains { $0["remedy"] == #"Did you mean "deploy"?"# })
        #expect(found.values.contains { $0["file"] == .string(trigger) })
        #expect(await junction("lint", bad).output.contains("error BP"))
        #expect(await junction("lint", folder.path + "/nowhere.bpmn").notes.contains("CL101"))
        let latin = folder.path + "/latin.yaml"
        try Data([0xFF, 0xFE]).write(to: URL(fileURLWithPath: latin))
        #expect(await junction("lint", latin).notes.contains("CL103"))
    }

    @Test func lintReportsWhatBecomesOfEachElement() async throws {
        let folder = try TemporaryFolder()
        let model = try folder.write(
            "m.bpmn",
            Model.sequence("order", Model.script).replacing(
                "<bpmn:endEvent", with: "<bpmn:laneSet id=\"l\"/><bpmn:event id=\"any\"/><bpmn:endEvent"))
        let report = await junction("lint", model, "--report", "--json")
        let rows = report.values.filter { $0["disposition"] != nil }
        #expect(rows.first { $0["element"] == "process" }?["disposition"] == "executed")
        #expect(rows.first { $0["element"] == "process" }?["clause"] == "13.2")
        #expect(rows.first { $0["id"] == "any" }?["disposition"] == "refused")
        #expect(rows.first { $0["id"] == "any" }?["codes"] != nil)
        #expect(rows.allSatisfy { $0["line"] != nil && $0["file"] == .string(model) })
        let table = await junction("lint", model, "--report")
        #expect(table.lines.first?.contains("CLAUSE") == true)
        #expect(table.lines.contains { $0.contains("executed") && $0.contains("scriptTask") && $0.contains("13.3.3") })
    }

    @Test func aRefusedDeploymentShowsEveryDiagnostic() async throws {
        let folder = try TemporaryFolder()
        let bad = try folder.write("bad.bpmn", Model.sequence("order", #"<bpmn:event id="any"/>"#))
        let run = await junction("deploy", bad, "--data", folder.path + "/data")
        #expect(run.status == 1)
        #expect(run.notes.contains("error: EN400"))
        #expect(run.notes.contains("[any]"))
        #expect(run.output == "")
        let json = await junction("deploy", bad, "--json", "--data", folder.path + "/data")
        #expect(try JSON.parse(json.notes)["diagnostics"]?.asList?.first?["elementId"] == "any")
    }

    static let usage: [[String]] = [
        ["nonsense"], ["start"], ["task", "complete", "x"], ["instance", "list", "--state", "running"],
        ["instance", "list", "--limit", "0"], ["start", "p", "--variables", "[1]"], ["serve", "--http-port", "70000"],
        ["serve", "--idle-after", "0"], ["dead-letter", "replay"], ["dead-letter", "replay", "1", "--all"],
        ["dead-letter", "replay", "1", "--limit", "5"], ["dead-letter", "replay", "--all", "--limit", "0"],
        ["dead-letter", "list", "--age", "soon"], ["dead-letter", "edit", "1"],
        ["dead-letter", "replay", "1", "2", "--payload", "x"], ["incident", "resolve", "1", "--retries", "0"],
    ]

    @Test(arguments: usage)
    func wrongUsageIsExitCode64(_ arguments: [String]) async throws {
        let run = await junction(arguments + (arguments.count > 1 ? ["--data", "no-such-folder"] : []))
        #expect(run.status == 64, "\(run.notes)")
        #expect(run.output == "")
    }

    @Test func aServerThatIsNotThereIsSaidToBeSo() async throws {
        let run = await junction("instance", "list", "--json", variables: ["JUNCTION_SERVER": "http://127.0.0.1:1"])
        #expect(run.status == 1)
        #expect(run.output == "")
        #expect(run.notes.contains("JC101"))
        #expect(await junction("task", "list", "--data", "no-such-folder").notes.contains("CL107"))
        #expect(await junction("--version").output.isEmpty)
        #expect(await junction("help", "instance").status == 0)
    }
}
