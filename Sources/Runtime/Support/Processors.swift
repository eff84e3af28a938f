import Glibc

/// Processors this process may use.
func activeProcessors() -> Int {
    Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
}
