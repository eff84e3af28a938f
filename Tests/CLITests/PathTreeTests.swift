import Testing
import Values

@testable import junction

@Suite struct PathTreeTests {
    static let path: Value = [
        "processInstanceKey": "20", "processDefinitionId": "order", "processDefinitionVersion": 2, "state": "ACTIVE",
        "startDate": "2026-01-31T09:05:00.000Z",
        "elements": [
            [
                "elementId": "start", "elementName": "Order received", "type": "START_EVENT", "state": "COMPLETED",
                "startDate": "2026-01-31T09:05:00.000Z", "endDate": "2026-01-31T09:05:00.000Z",
            ],
            [
                "elementId": "checks", "elementName": .null, "type": "SUB_PROCESS", "state": "COMPLETED",
                "startDate": "2026-01-31T09:05:00.010Z", "endDate": "2026-01-31T09:05:01.260Z",
                "elements": [
                    [
                        "elementId": "vendor", "elementName": "vendor", "type": "SERVICE_TASK", "state": "TERMINATED",
                        "startDate": "2026-01-31T09:05:00.010Z", "endDate": "2026-01-31T09:05:01.000Z",
                        "note": "2 failed attempts",
                    ],
                    [
                        "elementId": "refused", "type": "BOUNDARY_EVENT", "state": "COMPLETED",
                        "startDate": "2026-01-31T09:05:01.000Z", "endDate": "2026-01-31T09:05:01.000Z",
                    ],
                ],
            ],
            [
                "elementId": "approve", "elementName": "Approve", "type": "USER_TASK", "state": "ACTIVE",
                "startDate": "2026-01-31T09:05:01.260Z", "note": "waits for a person, task 9",
            ],
        ],
    ]

    private static let now = Timestamp.milliseconds("2026-01-31T09:06:01.260Z") ?? 0

    @Test func thePathIsATreeWithTimes() throws {
        let tree = try #require(PathTree(Self.path))
        #expect(
            tree.lines(.plain, now: Self.now) == [
                "order v2  20  active  1 min 1 s",
                "ELEMENT                    TYPE            STATE            AT    TOOK  NOTE",
                "├─ start (Order received)  start event     completed     +0 ms    0 ms",
                "├─ checks                  sub process     completed    +10 ms  1.25 s",
                "│  ├─ vendor               service task    terminated   +10 ms  990 ms  2 failed attempts",
                "│  └─ refused              boundary event  completed      +1 s    0 ms",
                "└─ approve (Approve)       user task       active      +1.26 s   1 min  waits for a person, task 9",
            ])
    }

    @Test func withoutUnicodeTheTreeIsDrawnInASCII() throws {
        let tree = try #require(PathTree(Self.path))
        let lines = tree.lines(Style(hasColour: false, hasUnicode: false, width: nil), now: Self.now)
        #expect(lines[2].hasPrefix("|- start"))
        #expect(lines[5].hasPrefix("|  `- refused"))
        #expect(lines[6].hasPrefix("`- approve"))
        #expect(lines.joined().unicodeScalars.allSatisfy { $0.isASCII })
    }

    @Test func thereIsNoNoteColumnWithoutNotes() {
        let node = PathTree.Node(elementID: "a", type: "TASK", state: "COMPLETED", startedAt: 0, endedAt: 5)
        let tree = PathTree(
            processID: "p", version: 1, key: "1", state: "COMPLETED", startedAt: 0, endedAt: 5, nodes: [node])
        #expect(
            tree.lines(.plain, now: 0) == [
                "p v1  1  completed  5 ms", "ELEMENT  TYPE  STATE         AT  TOOK",
                "└─ a     task  completed  +0 ms  5 ms",
            ])
        let empty = PathTree(
            processID: "p", version: 1, key: "1", state: "COMPLETED", startedAt: 0, endedAt: 5, nodes: [])
        #expect(empty.lines(.plain, now: 0) == ["p v1  1  completed  5 ms"])
    }

    @Test(arguments: [Value.null, [:], ["processInstanceKey": "1", "processDefinitionId": "p", "state": "ACTIVE"]])
    func somethingElseIsNoPath(_ value: Value) {
        #expect(PathTree(value) == nil)
    }

    /// What active elements wait for, and why the instance stands still.
    static let standstills: [(elements: Value, reason: String?)] = [
        ([], nil),
        ([["state": "ACTIVE", "waitsFor": "PERSON"]], "It waits for a person: see junction task list."),
        ([["state": "ACTIVE", "waitsFor": "JOB"]], "It waits for a worker."),
        (
            [["state": "ACTIVE", "waitsFor": "MESSAGE"], ["state": "ACTIVE", "waitsFor": "INCIDENT"]],
            "It waits for an operator: see junction incident list, and for a message."
        ),
        ([["state": "ACTIVE", "waitsFor": "TIMER"]], nil), ([["state": "ACTIVE", "waitsFor": "CONNECTOR"]], nil),
        ([["state": "ACTIVE", "waitsFor": "PERSON"], ["state": "ACTIVE", "waitsFor": "TIMER"]], nil),
        ([["state": "ACTIVE"]], nil), ([["state": "COMPLETED"]], nil),
        (
            [["state": "ACTIVE", "elements": [["state": "ACTIVE", "waitsFor": "MESSAGE"]]]],
            "It waits for a message."
        ),
    ]

    @Test(arguments: standstills)
    func anInstanceStandsStillWhenNothingOfItMovesByItself(_ row: (elements: Value, reason: String?)) {
        #expect(Follower.standstill(["elements": row.elements]) == row.reason)
    }
}
