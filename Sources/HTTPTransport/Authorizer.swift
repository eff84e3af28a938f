internal import ConnectorKit
internal import Values

/// Adds the connection's authorisation to requests.
struct Authorizer: Sendable {
    let connection: String
    let auth: HTTPAuthentication
    let secrets: any SecretResolver

    /// Header fields besides `Authorization` that carry a credential.
    var fieldNames: [String] {
        if case .apiKey(let name, .header, _) = self.auth { [name] } else { [] }
    }

    /// The request with its credentials; as it is when it goes to another server than theirs.
    func authorized(_ message: HTTPMessage) async throws -> HTTPMessage {
        guard !message.isForeign else { return message }
        var message = message
        switch self.auth {
        case .none: break
        case .bearer(let token):
            let value = try await self.secrets.secret(token).reveal { "Bearer " + $0 }
            try self.set("Authorization", value, &message)
        case .basic(let user, let password):
            let pair = "\(try await self.text(user)):\(try await self.text(password))"
            try self.set("Authorization", "Basic " + Base64.encode(Array(pair.utf8)), &message)
        case .apiKey(let name, let place, let key):
            let value = try await self.secrets.secret(key).reveal { $0 }
            switch place {
            case .header: try self.set(name, value, &message)
            case .query: message.address = try self.adding([(name, value)], to: message.address)
            }
        }
        return message
    }

    private func text(_ credential: HTTPCredential) async throws -> String {
        switch credential {
        case .text(let text): text
        case .secret(let reference): try await self.secrets.secret(reference).reveal { $0 }
        }
    }

    private func set(_ name: String, _ value: String, _ message: inout HTTPMessage) throws {
        do {
            try message.set(name, value)
        } catch {
            throw ConnectorError(
                .auth, code: ConnectorError.Code.secretUnavailable,
                "The secret of the connection \(self.connection) holds a line end or another control character.",
                remedy: "Store it without; editors like to add a line end.")
        }
    }

    private func adding(_ query: [(String, String)], to address: HTTPAddress) throws -> HTTPAddress {
        let separator = address.query == nil ? "?" : "&"
        guard let longer = HTTPAddress(address.text + separator + PercentEncoding.form(query)) else {
            throw HTTPErrors.malformedURL(address.text)
        }
        return longer
    }
}
