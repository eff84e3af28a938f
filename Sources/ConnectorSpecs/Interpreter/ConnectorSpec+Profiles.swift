public import Resilience
import Values

extension ConnectorSpec {
    /// How the calls of a connection are guarded unless it says otherwise: `defaults.timeout` and `defaults.resilience`
    /// over `base`.
    public func profile(base: ResilienceProfile = .standard) -> ResilienceProfile {
        var profile = Self.profile(self.defaults.resilience, name: self.metadata.id, base: base)
        if let limit = self.defaults.rateLimits.first(where: { $0.effects.isEmpty && $0.operations.isEmpty }) {
            profile.rateLimit = limit.policy
        }
        return profile
    }

    /// How the calls of one operation are guarded: what it says itself over what the connector says.
    ///
    /// Operations that only have a limit in common have a profile of its name, and so share it.
    public func profile(operation id: String, base: ResilienceProfile = .standard) -> ResilienceProfile {
        let connection = self.profile(base: base)
        guard let operation = self.operation(id) else { return connection }
        let shared = self.defaults.rateLimits.first { rule in
            (rule.effects.isEmpty || rule.effects.contains(operation.effect))
                && (rule.operations.isEmpty || rule.operations.contains(id))
        }
        let isAlone = operation.rateLimit != nil || !operation.resilience.isEmpty
        guard isAlone || shared != nil else { return connection }
        let name = isAlone ? id : shared?.id ?? id
        var profile = Self.profile(operation.resilience, name: "\(self.metadata.id).\(name)", base: connection)
        if let limit = operation.rateLimit ?? shared { profile.rateLimit = limit.policy }
        return profile
    }

    /// What was wrong was found when the specification was read.
    private static func profile(_ settings: ValueContext, name: String, base: ResilienceProfile) -> ResilienceProfile {
        var diagnostics: [Diagnostic] = []
        return ResilienceProfile(.context(settings), name: name, base: base, diagnostics: &diagnostics)
    }
}

extension RateLimitRule {
    var policy: RateLimiter.Policy {
        RateLimiter.Policy(limit: self.limit, period: self.period, burst: self.burst)
    }
}
