# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: MIT
# Setup: what tools/demo and tools/check do before anything else, on a machine where nothing is installed.

# What the project is built with. The C library's headers come with gcc.
PACKAGES_BUILD=(gcc libc6-dev meson ninja-build pkg-config python3 libev-dev)
# What its tests need besides.
PACKAGES_TESTS=(check libsubunit-dev git procps util-linux)
# What single tests need, which are skipped without it.
PACKAGES_EXTRA=(g++ valgrind universal-ctags groff systemd clang libclang-rt-dev spin)

say() {
    printf '\n== %s\n' "$*"
}

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 111
}

package_is_there() {
    case $1 in # pkgconf has taken pkg-config's place on newer systems
        pkg-config) command -v pkg-config >/dev/null && return 0 ;;
    esac
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

packages_missing() {
    local package
    for package; do
        package_is_there "$package" || printf '%s\n' "$package"
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif ! command -v sudo >/dev/null; then
        return 1
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

apt_install() {
    say "Installing from Debian: $*"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq </dev/null &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends "$@" </dev/null >/dev/null
}

# install_required PACKAGE...: or ends with a sentence that says what to do
install_required() {
    local missing
    if ! command -v dpkg-query >/dev/null; then
        command -v meson >/dev/null && command -v ninja >/dev/null && return
        die "this is not Debian; install gcc, Meson, Ninja, pkg-config, Python 3, libev and Check first"
    fi
    mapfile -t missing < <(packages_missing "$@")
    [ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}" ||
        die "could not install; as root: apt-get install ${missing[*]}"
}

# install_optional PACKAGE...: whatever cannot be had is skipped later, by name
install_optional() {
    local missing
    command -v dpkg-query >/dev/null || return 0
    mapfile -t missing < <(packages_missing "$@")
    [ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}" || echo "not installed: ${missing[*]}"
}

# quietly LOG COMMAND...: its output goes to LOG, and is shown when it fails
quietly() {
    local log=$1
    shift
    "$@" >"$log" 2>&1 </dev/null && return
    tail -n 60 "$log" >&2
    return 1
}

# configure DIRECTORY OPTION...: once
configure() {
    local directory=$1
    shift
    mkdir -p "$directory"
    [ -f "$directory/build.ninja" ] || quietly "$directory/setup.log" meson setup "$directory" . "$@"
}
