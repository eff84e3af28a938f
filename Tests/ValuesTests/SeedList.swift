/// The seeds random tests run with; a failing test names its seed.
enum SeedList {
    static let seeds: [UInt64] = [1, 2_026, 0xDEAD_BEEF]
}
