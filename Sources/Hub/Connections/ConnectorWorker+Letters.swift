import ConnectorKit
import Engine
import HubDocuments
import Logging
import ProcessModel
import Runtime
import Synchronization
import Values

extension ConnectorWorker {
    /// Why a call failed, until its job is answered.
    struct Cause: Sendable {
        var code: String
        var errorClass: String
        var isRetryable: Bool
        var attempts: Int
    }

    /// How long a job waits whose dead letter could not be written.
    private static let unkeptWaitMilliseconds: Int64 = 5_000

    /// Notes why the call of a job failed; nil: it ran out of time.
    func note(_ error: ConnectorError?, of job: ActivatedJob, attempts: Int) {
        let cause = Cause(
            code: error?.code ?? HubCode.callFailed.rawValue,
            errorClass: (error?.kind ?? .timeout).rawValue, isRetryable: error?.isRetryable ?? true,
            attempts: attempts)
        self.causes.withLock { $0[job.key] = cause }
    }

    /// Answers a job.
    ///
    /// One that failed for good is a dead letter first: when that cannot be written, the job is not answered as failed
    /// and comes again.
    func settle(_ job: ActivatedJob, _ outcome: JobOutcome) async {
        let cause = self.causes.withLock { $0.removeValue(forKey: job.key) }
        guard case .failed(let retries, _, let message) = outcome, retries <= 0 else {
            self.finish(job, outcome)
            return
        }
        let failure = DeadLetterReport.Failure(
            code: cause?.code ?? message.leadingCode, errorClass: cause?.errorClass ?? "unknown",
            isRetryable: cause?.isRetryable ?? false, stage: "invoke", message: message,
            at: self.clock.unixMilliseconds)
        do throws(HubError) {
            let redrive = try await self.letters.redrive(of: job.key)
            try await self.letters.keep(
                job, connector: self.module.descriptor.id, input: redrive?.input ?? job.variables, failure: failure,
                attempts: cause?.attempts ?? 1)
            self.finish(job, outcome)
        } catch {
            self.logger.warning(
                "dead letter not written", metadata: ["error.code": "\(error.code)", "job.id": "\(job.key)"])
            self.finish(
                job,
                .postponed(
                    milliseconds: Self.unkeptWaitMilliseconds,
                    message: "The call failed for good, but that cannot be recorded: \(error.message) \(message)"))
        }
    }

    /// Ends a job that names no connection of this connector; called on an engine thread.
    func endUnusable(_ job: ActivatedJob, _ error: HubError) {
        let outcome = self.unusable(error, job)
        Task { await self.settle(job, outcome) }
    }
}

extension String {
    /// The code a message begins with; that of a failed call when it begins with none.
    fileprivate var leadingCode: String {
        guard let colon = self.firstIndex(of: ":"), self[..<colon].count <= 16, !self[..<colon].contains(" ") else {
            return HubCode.callFailed.rawValue
        }
        return String(self[..<colon])
    }
}
