import Logging

extension DeadLetters {
    /// Says once how payloads are stored.
    func reportSeal() {
        guard !self.seal.isActive else {
            self.logger.debug("payloads are stored sealed")
            return
        }
        self.logger.info(
            "payloads are stored as they come, not sealed",
            metadata: ["deadletters.encryption": "\(self.settings.encryption.rawValue)"])
    }
}
