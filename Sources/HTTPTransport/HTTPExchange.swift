internal import ConnectorKit
internal import Values

/// Sends one message and reads its response: no authorisation, no redirects.
struct HTTPExchange: Sendable {
    /// What a caller may ask of one exchange.
    struct Options: Sendable {
        var timeout: Duration
        /// What the caller gave altogether, for messages.
        var statedTimeout: Duration
        var isRepeatable: Bool
        var responseBytesMaximum: Int
        var sink: SinkBox?
    }

    let id: String
    let settings: HTTPSettings
    let secrets: any SecretResolver
    let clock: any ConnectorClock
    let loop: CurlLoop

    func perform(_ message: HTTPMessage, _ options: Options, redirects: Int = 0) async throws -> HTTPResponse {
        guard options.timeout > .zero else { throw HTTPErrors.timeout(message, after: options.statedTimeout) }
        var transfer = CurlRequest(
            method: message.method, url: message.address.text,
            headers: message.fields.map { HTTPFields.line($0.name, $0.value) }, body: message.body,
            timeout: options.timeout, connectTimeout: min(self.settings.connectTimeout, options.timeout),
            responseBytesMaximum: options.responseBytesMaximum)
        transfer.sink = options.sink
        transfer.allowsPrivateAddress = self.settings.allowsPrivate(message.address.host)
        transfer.isSentOnce = !(options.isRepeatable || HTTPRequest.isSafe(message.method))
        transfer.version = self.settings.version
        transfer.isTLS13Only = self.settings.requiresTLS13
        transfer.caFile = self.settings.caFile
        if let identity = self.settings.clientIdentity, message.address.scheme == "https", !message.isForeign {
            transfer.identity = try await self.identity(identity)
        }
        if let proxy = self.settings.proxy, proxy.serves(message.address.host) {
            if !transfer.allowsPrivateAddress, message.address.namesPrivateHost {
                throw HTTPErrors.addressDenied(message)
            }
            // What is checked at the socket is the proxy's address, which the operator chose.
            transfer.allowsPrivateAddress = true
            transfer.proxy = CurlRequest.Proxy(
                url: proxy.url, user: try await self.text(proxy.user),
                password: try await self.text(proxy.password.map { .secret($0) }))
        }
        let result = await self.loop.perform(transfer)
        guard result.code == 0 else {
            if self.loop.isClosing {
                var error = ConnectorError.closed(self.id)
                error.mayHaveExecuted = result.requestBytes > 0
                throw error
            }
            throw HTTPErrors.transport(result, transfer, message, timeout: options.statedTimeout)
        }
        return HTTPResponse(result, address: message.address, redirects: redirects)
    }

    private func text(_ credential: HTTPCredential?) async throws -> String? {
        guard let credential else { return nil }
        return try await self.secrets.text(credential)
    }

    private func identity(_ identity: HTTPClientIdentity) async throws -> CurlRequest.Identity {
        CurlRequest.Identity(
            certificate: try await self.bytes(identity.certificate), key: try await self.bytes(identity.key),
            password: try await self.text(identity.keyPassword.map { .secret($0) }))
    }

    private func bytes(_ source: HTTPClientIdentity.Source) async throws -> [UInt8] {
        switch source {
        case .secret(let reference): return try await self.secrets.secret(reference).reveal { Array($0.utf8) }
        case .file(let path):
            do {
                return try SmallFile.read(path)
            } catch {
                throw HTTPErrors.unusableIdentity(path, error.reason)
            }
        }
    }
}
