import Engine
import Hub
import HubDocuments
import Storage
import Testing
import Values

@testable import Server

@Suite struct ProblemDetailsTests {
    static let rejections: [(code: CommandRejection.Code, status: Int, title: String)] = [
        (.invalidArgument, 400, "INVALID_ARGUMENT"), (.notFound, 404, "NOT_FOUND"),
        (.invalidState, 409, "INVALID_STATE"), (.alreadyExists, 409, "ALREADY_EXISTS"),
        (.resourceExhausted, 503, "RESOURCE_EXHAUSTED"), (.storeFailed, 500, "INTERNAL"),
        (.unknownOutcome, 500, "UNKNOWN"), (.timeout, 504, "DEADLINE_EXCEEDED"),
    ]

    @Test(arguments: rejections)
    func rejectionsKeepCodeMessageAndRemedy(_ row: (code: CommandRejection.Code, status: Int, title: String)) {
        let problem = ProblemDetails(CommandRejection(row.code, "It is so.", remedy: "Do this."))
        #expect(problem.status == row.status)
        #expect(problem.title == row.title)
        #expect(problem.code == row.code.rawValue)
        #expect(problem.detail == "It is so.")
        #expect(problem.remedy == "Do this.")
        #expect((problem.retryAfterMilliseconds != nil) == (row.code == .resourceExhausted))
    }

    @Test func theBodyIsAProblemDetailsObject() throws {
        var problem = ProblemDetails.unknownField("timout", known: ["timeout", "type"])
        problem.retryAfterMilliseconds = 1_500
        problem.diagnostics = [
            Diagnostic(
                code: "BP201", severity: .warning, message: "m", remedy: "r", file: "a.bpmn", line: 3, column: 4,
                elementID: "e")
        ]
        let value = try JSON.parse(problem.json(instance: "/v2/jobs/activation"))
        let expected: Value = [
            "type": "urn:junction:error:AP401", "title": "INVALID_ARGUMENT", "status": 400,
            "detail": "Unknown member \"timout\" in the request.", "instance": "/v2/jobs/activation", "code": "AP401",
            "remedy": "Did you mean timeout?", "field": "timout", "retryAfterMilliseconds": 1500,
            "diagnostics": [
                [
                    "code": "BP201", "severity": "warning", "message": "m", "remedy": "r", "file": "a.bpmn", "line": 3,
                    "column": 4, "elementId": "e",
                ]
            ],
        ]
        #expect(value == expected)
    }

    static let others: [(problem: ProblemDetails, status: Int)] = [
        (ProblemDetails(StoreError(.misuse, "no cursor", remedy: "r")), 400),
        (ProblemDetails(StoreError(.corrupt, "damaged", remedy: "r")), 500),
        (ProblemDetails(HubError(.unknownName, "m", remedy: "r")), 404),
        (ProblemDetails(HubError(.deadLetterState, "m", remedy: "r")), 409),
        (ProblemDetails(HubError(.replayFailed, "m", remedy: "r")), 422),
        (ProblemDetails(HubError(.callFailed, "m", remedy: "r")), 500),
        (.foreignOrigin("Origin", "https://evil.example"), 403), (.overloaded, 503), (.shuttingDown, 503),
        (.internalError, 500), (.tooLarge(limit: 1), 413), (.notFound("job", Key(rawValue: 1)), 404),
    ]

    @Test(arguments: others)
    func otherFailuresMapToAStatus(_ row: (problem: ProblemDetails, status: Int)) {
        #expect(row.problem.status == row.status)
        #expect(!row.problem.remedy.isEmpty)
    }

    @Test func longValuesAreCutInMessages() {
        #expect(quoted(String(repeating: "x", count: 100)).count == 83)
        #expect(quoted("short") == "\"short\"")
    }
}
