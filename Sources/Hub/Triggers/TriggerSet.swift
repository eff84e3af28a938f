import Synchronization
import Values

/// What a reload did.
public struct TriggerReload: Sendable, Equatable {
    /// Triggers that are new.
    public var added: [String] = []
    /// Triggers whose declaration means something else now: the old one finishes what it works on, then the new one is
    /// armed.
    public var replaced: [String] = []
    /// Triggers that are gone: they finish what they work on.
    public var removed: [String] = []
    /// Triggers that mean what they meant.
    public var unchanged: [String] = []
}

/// The running triggers: one place each, in which a new declaration follows the old one once that has let go of its
/// source.
final class TriggerSet: Sendable {
    /// The place of one trigger.
    private final class Place: Sendable {
        private let state: Mutex<(runner: TriggerRunner, next: TriggerRunner?, isRemoved: Bool)>

        init(_ runner: TriggerRunner) { self.state = Mutex((runner, nil, false)) }

        /// The newest runner.
        var runner: TriggerRunner { self.state.withLock { $0.next ?? $0.runner } }

        /// Ends the runner; `next` follows it.
        func replace(by next: TriggerRunner?) {
            let old = self.state.withLock { state in
                state.next = next
                state.isRemoved = next == nil
                return state.runner
            }
            old.retire()
        }

        /// Runs one runner after the other until the task is cancelled or the trigger is removed.
        func run() async {
            while !Task.isCancelled {
                await self.state.withLock { $0.runner }.run()
                let goesOn = self.state.withLock { state in
                    guard let next = state.next else { return !state.isRemoved }
                    state = (next, nil, false)
                    return true
                }
                guard goesOn else { return }
            }
        }
    }

    private let make: @Sendable (TriggerDeclaration) -> TriggerRunner
    private let places: Mutex<[(id: String, place: Place)]>
    private let additions = AsyncStream<Place>.makeStream()

    /// Prepares a runner for each declaration; `make` creates them.
    init(_ declarations: [TriggerDeclaration], make: @escaping @Sendable (TriggerDeclaration) -> TriggerRunner) {
        self.make = make
        let places = declarations.map { ($0.id, Place(make($0))) }
        self.places = Mutex(places)
        for (_, place) in places { self.additions.continuation.yield(place) }
    }

    /// The runners, in the order declared.
    var runners: [TriggerRunner] { self.places.withLock { $0.map(\.place.runner) } }

    /// Runs the triggers there are and will be, until the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await place in self.additions.stream {
                group.addTask { await place.run() }
            }
            group.cancelAll()
        }
    }

    /// Takes these declarations in place of those there were.
    ///
    /// Those that mean the same go on undisturbed.
    func reload(_ declarations: [TriggerDeclaration]) -> TriggerReload {
        self.places.withLock { places in
            var report = TriggerReload()
            var left = Dictionary(places.map { ($0.id, $0.place) }, uniquingKeysWith: { first, _ in first })
            places = declarations.map { declaration in
                let id = declaration.id
                guard let place = left.removeValue(forKey: id) else {
                    report.added.append(id)
                    let place = Place(self.make(declaration))
                    self.additions.continuation.yield(place)
                    return (id, place)
                }
                let old = place.runner.declaration
                if old.identity == declaration.identity {
                    report.unchanged.append(id)
                    if old.isEnabled != declaration.isEnabled {
                        declaration.isEnabled ? place.runner.resume() : place.runner.pause()
                    }
                } else {
                    report.replaced.append(id)
                    place.replace(by: self.make(declaration))
                }
                return (id, place)
            }
            for (id, place) in left.sorted(by: { $0.key < $1.key }) {
                report.removed.append(id)
                place.replace(by: nil)
            }
            return report
        }
    }
}
