#!/bin/bash
# SPDX-License-Identifier: MIT
# Layering: which folder may include what.
#
# A lower layer never includes a higher one, tools only look, servers and API tests see public headers
# only. Without this test each rule would hold until somebody is in a hurry.
set -u
# shellcheck source=tests/layering/sources.sh
. "$(dirname "$0")/sources.sh"

# The layer of an include "abi/layout.h" is its folder; without a folder it is the includer's own.
allowed() { # allowed FILE: the layers that it may include in quotes
    case $1 in
        kernel/base/*)          echo base ;;
        kernel/abi/*)           echo abi ;;
        kernel/shm/*)           echo base abi shm ;;
        kernel/hold/*)          echo base hold ;;
        kernel/daemon/*)        echo base abi shm daemon ;;
        libc-shim/runtime/*)    echo base abi shm runtime public ;;
        libc-shim/*/*)          local own=${1#libc-shim/}
                                echo base abi shm runtime public "${own%%/*}" ;;
        tools/msgbench/*)       echo public ;;
        tools/*)                echo base abi shm public ;;
        servers/*|tests/api/*)  echo public ;;
        include/*)              echo public ;;
        tests/*)                echo base abi shm hold daemon runtime neutrino posix public ;;
        *)                      echo public ;;
    esac
}

# <stdint.h>, <stdatomic.h>, <stddef.h> and <assert.h> are all that a layout needs.
abi_system='stdint.h stdatomic.h stddef.h assert.h'

layer_of() { # layer_of FILE INCLUDED
    case $2 in
        base/*|abi/*|shm/*|hold/*|daemon/*|runtime/*|neutrino/*|posix/*|dispatch/*|dragon/*) echo "${2%%/*}" ;;
        sys/*|bits/*|nuntius.h) echo public ;;
        *) [ -f "$(dirname "$1")/$2" ] && echo own && return
           [ -f "include/qnx/$2" ] && echo public && return
           case $1 in tests/*) compgen -G "tests/$2" >/dev/null && echo own && return
                               compgen -G "tests/*/$2" >/dev/null && echo own && return ;; esac
           echo unknown ;;
    esac
}

check_quoted() { # check_quoted FILE LINE INCLUDED
    local layer
    layer=$(layer_of "$1" "$3")
    [ "$layer" = own ] && return
    case " $(allowed "$1") " in
        *" $layer "*) ;;
        *) fail "$1:$2" "includes \"$3\" ($layer); may include: $(allowed "$1")" ;;
    esac
}

check_system() { # check_system FILE LINE INCLUDED
    case $1 in kernel/abi/*) ;; *) return ;; esac
    case " $abi_system " in
        *" $3 "*) ;;
        *) fail "$1:$2" "includes <$3>; may include: $abi_system" ;;
    esac
}

n=0
while IFS=: read -r file line text; do
    n=$((n + 1))
    included=${text#*[<\"]}
    included=${included%%[>\"]*}
    case $text in
        *\"*\"*) check_quoted "$file" "$line" "$included" ;;
        *)       check_system "$file" "$line" "$included" ;;
    esac
done < <(sources '*.c' '*.h' | xargs -r grep -nHE '^[[:space:]]*#[[:space:]]*include(_next)?[[:space:]]*[<"]')

[ "$n" -gt 0 ] || fail . "no includes found at all"
finish "$n" includes
