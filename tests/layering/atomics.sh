#!/bin/bash
# SPDX-License-Identifier: MIT
# Atomics: one file waits on futexes, one folder reorders memory.
#
# Everything that can go wrong between two processes is then in files that a person can read in an
# afternoon. The daemon's object tables are the one exception: they outlive the daemon and are
# consistent after every single store.
set -u
# shellcheck source=tests/layering/sources.sh
. "$(dirname "$0")/sources.sh"

# Comments say "futex (" and "atomic" freely: only code counts.
code() {
    sed -E 's:/\*([^*]|\*[^/])*\*/::g; s:/\*.*::; s:^[[:space:]]*\*.*::' "$1"
}

may_futex() {
    case $1 in
        kernel/shm/futex.c) return 0 ;;
        tools/msgbench/*)   return 0 ;; # the bare futex is what the library is measured against
    esac
    return 1
}

may_operate() {
    case $1 in
        kernel/shm/*|kernel/daemon/table.[ch]) return 0 ;;
        include/qnx/atomic.h) return 0 ;; # that is what it is for
    esac
    return 1
}

may_declare() {
    case $1 in
        kernel/abi/*) return 0 ;;
        tests/*)      return 0 ;; # programs of their own, which use C11 like any other
    esac
    may_operate "$1"
}

n=0
while IFS= read -r file; do
    n=$((n + 1))
    text=$(code "$file")
    if grep -qE 'SYS_futex|__NR_futex|\bfutex\(' <<<"$text" && ! may_futex "$file"; then
        fail "$file" "calls the kernel's futex; only kernel/shm/futex.c does"
    fi
    if grep -qE '\batomic_[a-z_]+ *\(|\b__atomic_|\b__sync_' <<<"$text" && ! may_operate "$file" && ! may_declare "$file"; then
        fail "$file" "operates on an atomic; use kernel/shm/word.h"
    fi
    if grep -qE '\b_Atomic\b|\batomic_(u?int|bool|size_t|flag|uintptr_t)[a-z0-9_]*\b' <<<"$text" && ! may_declare "$file"; then
        fail "$file" "declares an atomic; use kernel/shm/word.h"
    fi
done < <(sources '*.c' '*.h')

# kernel/abi declares and never operates.
while IFS= read -r file; do
    grep -qE '\batomic_[a-z_]+ *\(|\b__atomic_' <<<"$(code "$file")" && fail "$file" "a layout operates on an atomic"
done < <(sources 'kernel/abi/*.h')

[ "$n" -gt 0 ] || fail . "no sources found at all"
finish "$n" files
