# Sourced by the other scripts: one place for paths, messages and the build.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

say() { printf '%s\n' "$*" >&2; }
step() { printf '== %s\n' "$*" >&2; }
die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# The folder of the compiler, where llvm-cov and llvm-profdata of the same version are.
toolchain_bin() { dirname "$(readlink -f "$(command -v swift)")"; }

# Where `swift build` puts products in configuration $1, without asking SwiftPM each time.
products() { printf '%s/.build/%s' "$root" "$1"; }
