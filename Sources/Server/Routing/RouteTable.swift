import HTTPTypes

/// Finds the route of a request by its path and method; built once, then only read.
struct RouteTable: Sendable {
    /// Where a path leads.
    enum Match: Sendable {
        case route(Route, parameters: [(name: String, value: Substring)])
        /// The path exists with these methods only.
        case otherMethods([String])
        case nothing
    }

    private struct Node: Sendable {
        var children: [String: Int] = [:]
        var parameter: Int?
        /// Few per path: searched from the front.
        var routes: [Route] = []
    }

    /// The routes in the order given.
    let routes: [Route]
    private var nodes = [Node()]

    init(_ routes: [Route]) {
        self.routes = routes
        for route in routes {
            var index = 0
            for segment in route.path.split(separator: "/") {
                index = self.child(of: index, segment: segment)
            }
            self.nodes[index].routes.append(route)
        }
    }

    private mutating func child(of index: Int, segment: Substring) -> Int {
        let isParameter = segment.hasPrefix("{")
        if let known = isParameter ? self.nodes[index].parameter : self.nodes[index].children[String(segment)] {
            return known
        }
        self.nodes.append(Node())
        if isParameter {
            self.nodes[index].parameter = self.nodes.count - 1
        } else {
            self.nodes[index].children[String(segment)] = self.nodes.count - 1
        }
        return self.nodes.count - 1
    }

    /// Matches a path without its query.
    ///
    /// A fixed segment wins over a parameter.
    func match(_ method: HTTPRequest.Method, path: Substring) -> Match {
        var index = 0
        var values: [Substring] = []
        for segment in path.split(separator: "/", omittingEmptySubsequences: true) {
            let node = self.nodes[index]
            if let child = node.children[String(segment)] {
                index = child
            } else if let child = node.parameter {
                values.append(segment)
                index = child
            } else {
                return .nothing
            }
        }
        let routes = self.nodes[index].routes
        guard let route = routes.first(where: { $0.method == method }) else {
            return routes.isEmpty ? .nothing : .otherMethods(routes.map(\.method.rawValue))
        }
        return .route(route, parameters: zip(route.parameterNames, values).map { (name: $0, value: $1) })
    }
}
