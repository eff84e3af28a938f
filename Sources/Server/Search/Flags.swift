import Storage

/// Whether comparisons of a flag allow a value.
func isAllowed(_ flag: Bool, by comparisons: [Comparison<Bool>]) -> Bool {
    comparisons.allSatisfy { comparison in
        switch comparison {
        case .equal(let other): flag == other
        case .oneOf(let others): others.contains(flag)
        case .noneOf(let others): !others.contains(flag)
        case .exists(let isPresent): isPresent
        default: true
        }
    }
}
