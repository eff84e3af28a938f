import ConnectorKit
import Decisions
import Values

/// Places the made-up credential of a test.
///
/// Kinds that ask a server for a token first, or sign, are shown by a placeholder: fixtures are about what the
/// specification says, not about the transport.
struct FixtureAuthorization: Sendable {
    let auth: AuthSpec?
    let connection: ValueContext
    let credential: ValueContext

    func authorized(_ request: SpecRequest) -> SpecRequest {
        guard let auth else { return request }
        let map = MapScope(["connection": .context(self.connection), "credential": .context(self.credential)])
        func text(_ field: String) -> String { auth.fields[field]?.text(map) ?? "" }
        var request = request
        switch auth.kind {
        case .none, .mtls: break
        case .basic:
            let pair = Array("\(text("username")):\(text("password"))".utf8)
            request.headers.append(("Authorization", "Basic " + Base64.encode(pair)))
        case .bearer: request.headers.append(("Authorization", "Bearer " + text("token")))
        case .apiKey:
            if text("in") == "query" {
                request.url += request.url.contains("?") ? "&" : "?"
                request.url += URLEncoding.component(text("name")) + "=" + URLEncoding.component(text("value"))
            } else {
                request.headers.append((text("name"), text("value")))
            }
        case .oauth2, .jwt: request.headers.append(("Authorization", "Bearer <\(auth.kind.rawValue)>"))
        case .sessionToken:
            request.headers.append((auth.fields["name"]?.text(map) ?? "Authorization", "<sessionToken>"))
        case .awsSigV4: request.headers.append(("Authorization", "<awsSigV4>"))
        case .hmac: request.headers.append((auth.fields["header"]?.text(map) ?? "Authorization", "<hmac>"))
        }
        return request
    }
}
