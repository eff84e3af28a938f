import HTTPTypes
import Testing
import Values

@testable import Server

@Suite struct RouteTableTests {
    private let table = RouteTable(APIRoutes.all)

    private func operation(_ method: HTTPRequest.Method, _ path: String) -> String {
        switch table.match(method, path: path[...]) {
        case .route(let route, let parameters):
            ([route.operation] + parameters.map { "\($0.name)=\($0.value)" }).joined(separator: " ")
        case .otherMethods(let methods): "only " + methods.sorted().joined(separator: ",")
        case .nothing: "nothing"
        }
    }

    static let matches: [(method: HTTPRequest.Method, path: String, operation: String)] = [
        (.post, "/v2/jobs/activation", "activateJobs"),
        (.post, "/v2/jobs/42/completion", "completeJob jobKey=42"),
        (.patch, "/v2/jobs/42", "updateJob jobKey=42"),
        (.post, "/v2/process-instances/search", "searchProcessInstances"),
        (.get, "/v2/process-instances/7", "getProcessInstance processInstanceKey=7"),
        (.get, "/v2/process-instances/search", "only POST"),
        (.delete, "/v2/jobs/42/completion", "only POST"),
        (.get, "/v2/nowhere", "nothing"), (.get, "/v2", "nothing"), (.get, "/", "nothing"),
        (.get, "/v2/jobs/42/completion/more", "nothing"),
    ]

    @Test(arguments: matches)
    func pathsAndMethodsLeadToTheirOperation(
        _ row: (method: HTTPRequest.Method, path: String, operation: String)
    ) {
        #expect(operation(row.method, row.path) == row.operation)
    }

    @Test func everyRouteIsReachableAndNamedOnce() {
        let routes = APIRoutes.all
        #expect(Set(routes.map(\.operation)).count == routes.count)
        #expect(Set(routes.map { "\($0.method) \($0.path)" }).count == routes.count)
        for route in routes {
            let path = route.path.replacing(/\{[^}]+\}/, with: "1")
            #expect(operation(route.method, path).hasPrefix(route.operation), "\(route.path)")
            #expect(route.path.hasPrefix("/v2/") || route.path.hasPrefix("/hub/v1/"))
            #expect(route.summary.hasSuffix("."), "\(route.operation)")
        }
    }

    @Test func theOpenAPIDocumentDescribesEveryRoute() throws {
        let document = try JSON.parse(OpenAPIDocument.bytes)
        for route in APIRoutes.all {
            let operation = try #require(document["paths"]?[route.path]?[route.method.rawValue.lowercased()])
            #expect(operation["operationId"] == .string(route.operation))
            #expect(operation["responses"]?[String(route.status)] != nil)
            #expect((operation["requestBody"] == nil) == (route.path.isBodiless(route)))
        }
        let activation = document["paths"]?["/v2/jobs/activation"]?["post"]?["requestBody"]?["content"]?[
            "application/json"]?["schema"]
        #expect(activation?["required"] == ["type", "timeout", "maxJobsToActivate"])
        #expect(activation?["additionalProperties"] == false)
        #expect(activation?["properties"]?["maxJobsToActivate"]?["maximum"] == 10_000)
    }
}

extension String {
    fileprivate func isBodiless(_ route: Route) -> Bool {
        if case .none = route.body { true } else { false }
    }
}
