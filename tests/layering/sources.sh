# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sources: what the rules look at, for the scripts beside this one (which source this file).
#
# The files of a clone are those that git knows or would add; a tree without git is walked.

cd "${1:-$(dirname "$0")/../..}" || exit 99

sources() { # sources PATTERN...: regular files, one a line
    if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
        git ls-files --cached --others --exclude-standard -- "$@"
    else
        local pattern
        for pattern; do
            find . -path ./.git -prune -o -path './build*' -prune -o -type f -path "./$pattern" -print
        done | sed 's|^\./||'
    fi | sort -u | while IFS= read -r file; do [ -f "$file" ] && printf '%s\n' "$file"; done
}

n_failed=0

fail() { # fail PLACE SENTENCE
    printf '%s: %s\n' "$1" "$2"
    n_failed=$((n_failed + 1))
}

# finish N WHAT: the last line, and the script's result
finish() {
    printf '%d %s, %d against the rules\n' "$1" "$2" "$n_failed"
    [ "$n_failed" -eq 0 ]
}
