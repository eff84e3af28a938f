import ConnectorKit
import HTTPTransport
import HubDocuments
import Values

/// Says whether a request is genuine: any of the declared schemes will do.
///
/// Secrets are asked for each time, so that rotated ones need no restart.
struct RequestVerifier: Sendable {
    /// What comes of it.
    enum Verdict: Sendable {
        /// It is; with the scheme that says so, and what a token claims.
        case genuine(VerificationScheme, claims: ValueContext?)
        /// It is not; the reason is for us, not for the sender.
        case refused(String)
        /// Nobody can say now.
        case unavailable(String)
    }

    private let schemes: [(scheme: VerificationScheme, keys: KeySetSource?)]
    private let secrets: any SecretResolver
    private let clock: any ConnectorClock

    init(_ schemes: [VerificationScheme], secrets: any SecretResolver, clock: any ConnectorClock) {
        self.schemes = schemes.map { scheme in
            guard case .jwt(let token) = scheme, let url = token.keysURL else { return (scheme, nil) }
            return (
                scheme,
                KeySetSource(
                    url, allowsPrivate: token.allowsPrivate, privateHosts: token.privateHosts, clock: clock)
            )
        }
        self.secrets = secrets
        self.clock = clock
    }

    /// Frees what it holds open.
    func close() async {
        for (_, keys) in self.schemes { await keys?.close() }
    }

    func verdict(on request: IngressRequest) async -> Verdict {
        let now = self.clock.unixMilliseconds / 1_000
        var refusals: [String] = []
        var unavailable: String?
        for (scheme, keys) in self.schemes {
            do {
                switch try await self.verdict(on: request, scheme, keys, now: now) {
                case .genuine(let scheme, let claims): return .genuine(scheme, claims: claims)
                case .refused(let reason): refusals.append(reason)
                case .unavailable(let reason): unavailable = reason
                }
            } catch {
                unavailable = ConnectorError(wrapping: error).message
            }
        }
        if let unavailable { return .unavailable(unavailable) }
        return .refused(refusals.joined(separator: " "))
    }

    private func verdict(
        on request: IngressRequest, _ scheme: VerificationScheme, _ keys: KeySetSource?, now: Int64
    ) async throws -> Verdict {
        let problem: String?
        switch scheme {
        case .none:
            problem = nil
        case .standardWebhooks(let references, let tolerance):
            problem = StandardWebhooks.problem(
                StandardWebhooks.Fields(
                    id: request.header("webhook-id"), timestamp: request.header("webhook-timestamp"),
                    signatures: request.header("webhook-signature")),
                body: request.body, secrets: try await self.texts(references), now: now, tolerance: tolerance)
        case .github(let references):
            problem = RequestSignature.githubProblem(request, secrets: try await self.texts(references))
        case .stripe(let references, let tolerance):
            problem = RequestSignature.stripeProblem(
                request, secrets: try await self.texts(references), now: now, tolerance: tolerance)
        case .slack(let references, let tolerance):
            problem = RequestSignature.slackProblem(
                request, secrets: try await self.texts(references), now: now, tolerance: tolerance)
        case .twilio(let references, let url):
            problem = RequestSignature.twilioProblem(request, url: url, secrets: try await self.texts(references))
        case .sendGrid(let references, let tolerance):
            problem = RequestSignature.sendGridProblem(
                request, keys: try await self.texts(references), now: now, tolerance: tolerance)
        case .sharedToken(let references, let place):
            problem = RequestSignature.tokenProblem(request, place, secrets: try await self.texts(references))
        case .basic(let user, let references):
            problem = RequestSignature.basicProblem(request, user: user, passwords: try await self.texts(references))
        case .mtls(let certificate):
            problem = RequestSignature.certificateProblem(request, certificate)
        case .jwt(let token):
            return try await self.verdict(on: request, token, scheme, keys, now: now)
        }
        return problem.map { .refused($0) } ?? .genuine(scheme, claims: nil)
    }

    private func verdict(
        on request: IngressRequest, _ expected: VerificationScheme.Token, _ scheme: VerificationScheme,
        _ source: KeySetSource?, now: Int64
    ) async throws -> Verdict {
        guard let token = RequestSignature.token(of: request, expected.place) else {
            return .refused("There is no token.")
        }
        let secrets = expected.secrets.isEmpty ? [] : try await self.texts(expected.secrets).map { Array($0.utf8) }
        func judge(_ keys: JSONWebKeys?) -> JWTRules.Verdict {
            expected.rules.verdict(on: token, keys: keys, secrets: secrets, now: now)
        }
        var verdict = judge(expected.keys)
        if case .unknownKey = verdict, let source {
            verdict = judge(try await source.keys())
            if case .unknownKey = verdict { verdict = judge(try await source.keys(isStale: true)) }
        }
        switch verdict {
        case .accepted(let claims): return .genuine(scheme, claims: claims)
        case .refused(let reason): return .refused(reason)
        case .unknownKey: return .refused("The token is signed with a key that the issuer does not publish.")
        }
    }

    /// The secrets that are there; throws when none is.
    private func texts(_ references: [SecretReference]) async throws -> [String] {
        var texts: [String] = []
        var failure: (any Error)?
        for reference in references {
            // While secrets are rotated, one of them may not be there yet or any more.
            do { texts.append(try await self.secrets.secret(reference).reveal { $0 }) } catch { failure = error }
        }
        if texts.isEmpty, let failure { throw failure }
        return texts
    }
}
