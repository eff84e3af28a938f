import ConnectorKit
import HTTPTransport
import Values

/// Sends requests over HTTP.
struct HTTPSpecTransport: SpecTransport {
    let client: HTTPClient
    /// Clients that sign for other services of the same vendor.
    var services: [String: HTTPClient] = [:]
    let session: SpecSession?

    func send(_ request: SpecRequest) async throws -> SpecResponse {
        let response = try await self.attempt(request)
        // A session that ended is begun again; the remote has not looked at the request.
        guard response.status == 401, let session else { return response }
        session.forget()
        return try await self.attempt(request)
    }

    private func attempt(_ request: SpecRequest) async throws -> SpecResponse {
        guard let address = HTTPAddress(request.url) else {
            throw ConnectorError(
                .validation, code: SpecErrorCode.egress, "\"\(request.url.prefix(80))\" is no address.",
                remedy: "Correct the parameters it is made of.")
        }
        let message = HTTPRequest(
            method: request.method, target: .url(address), headers: request.headers,
            body: request.body.map { .bytes($0) }, timeout: request.timeout, isRepeatable: request.isRepeatable,
            responseBytesMaximum: request.responseBytesMaximum)
        let client = request.service.flatMap { self.services[$0] } ?? self.client
        let response = try await client.send(message)
        var result = SpecResponse(status: response.status, headers: response.fields, body: response.bytes)
        if !(200..<300).contains(response.status) {
            result.retryAfter = client.failure(response, of: message).retryAfter
        }
        return result
    }

    func close() async {
        await self.client.close()
        for client in self.services.values { await client.close() }
    }
}
