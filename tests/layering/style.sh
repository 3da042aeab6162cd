#!/bin/bash
# SPDX-License-Identifier: MIT
# Style: what a reader should never have to point out.
set -u
# shellcheck source=tests/layering/sources.sh
. "$(dirname "$0")/sources.sh"

LINES_MAX=80
COLUMNS_MAX=120

report() { # report SENTENCE: one failure for each line "file:line:..." of standard input
    local hit
    while IFS= read -r hit; do
        fail "$(cut -d: -f1,2 <<<"$hit")" "$1"
    done
}

code=$(sources '*.c' '*.h')
text=$(sources '*.c' '*.h' '*.sh' '*.py' '*.build' '*.md' 'tools/check' 'tools/demo' 'tests/fuzz/run' '.ci/run')
n=$(grep -c . <<<"$text")
[ "$n" -gt 0 ] || fail . "no sources found at all"

scripts=$(sources '*.sh' '*.py' 'meson.build' '*/meson.build' 'tools/check' 'tools/demo' 'tests/fuzz/run' \
    '.ci/run')
while IFS= read -r file; do
    head -n 2 "$file" | grep -q 'SPDX-License-Identifier: MIT' ||
        fail "$file:1" "does not begin with its SPDX line"
done <<<"$code
$scripts"

while IFS= read -r header; do
    grep -q '^#pragma once$' "$header" || fail "$header:1" "has no #pragma once"
done < <(sources 'kernel/*.h' 'libc-shim/*.h' 'tools/*.h')

# This script names what it forbids.
prose=$(grep -v '^tests/layering/style.sh$' <<<"$text")
report "has a tab; indent with 8 spaces" < <(tr '\n' '\0' <<<"$code" | xargs -0r grep -nHP '\t')
report "ends in blanks" < <(tr '\n' '\0' <<<"$text" | xargs -0r grep -nHE '[[:space:]]+$')
report "leaves something for later" < <(tr '\n' '\0' <<<"$prose" | xargs -0r grep -nHwE 'TODO|FIXME|XXX')
report "is longer than $COLUMNS_MAX columns" < <(tr '\n' '\0' <<<"$code" | xargs -0r grep -nHE "^.{$((COLUMNS_MAX + 1)),}")

if ctags --version 2>/dev/null | grep -q Universal; then
    while IFS=$'\t' read -r lines place name; do
        fail "$place" "$name() has $lines lines; the most is $LINES_MAX"
    done < <(grep '\.c$' <<<"$code" |
        ctags -L - --languages=C --fields=+ne --kinds-C=f -f - 2>/dev/null |
        awk -F'\t' -v most="$LINES_MAX" '{
            first = last = 0
            for (i = 4; i <= NF; i++) {
                if ($i ~ /^line:/) first = substr($i, 6)
                if ($i ~ /^end:/) last = substr($i, 5)
            }
            if (last - first + 1 > most) print last - first + 1 "\t" $2 ":" first "\t" $1
        }')
else
    echo "SKIPPED: the length of functions (universal-ctags is not installed)"
fi

finish "$n" files
