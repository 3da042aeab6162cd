#!/bin/bash
# SPDX-License-Identifier: MIT
# Systemd: the storm under a real systemd, which this starts in namespaces of its own, with the units of this tree and
# nothing else: no unit of the machine is run, nothing outside /run in there is written.
#
# usage: systemd.sh NUNTIUSD STORM nuntiusd.service nuntiusd.socket [ARGUMENT...]      77: cannot be done here
set -u

daemon=$(realpath "$1") storm=$(realpath "$2") service=$(realpath "$3") socket=$(realpath "$4")
shift 4
systemd=/usr/lib/systemd/systemd
place=/run/nuntius-test # in there
group= # the control group that all of it lives in

skip() {
    echo "SKIPPED: $*"
    exit 77
}

[ "$(id -u)" -eq 0 ] || skip "a systemd of one's own needs root"
[ -x "$systemd" ] || skip "systemd is not installed (package systemd)"
[ "$(systemctl --version | sed -n '1s/systemd \([0-9]*\).*/\1/p')" -ge 252 ] || skip "systemd is older than 252"
ldd "$daemon" | grep -qE 'lib(a|t|ub)san' && skip "a sanitizer does not live in the unit's sandbox"
unshare --mount --pid --fork --mount-proc --cgroup --uts --ipc true 2>/dev/null ||
    skip "no namespaces of one's own are permitted here"

outside=$(mktemp -d) || exit 99
leader=

clean_up() {
    [ -z "$leader" ] || kill -KILL "$leader" 2>/dev/null # the first process of its namespace: all others go with it
    wait 2>/dev/null
    [ -z "$group" ] || find "$group" -depth -type d -exec rmdir {} + 2>/dev/null
    rm -rf "$outside"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# systemd moves the processes of its control group about: it gets one without others.
own_group() {
    local mounted
    mounted=$(findmnt -n -t cgroup2 -o TARGET | head -n 1)
    [ -n "$mounted" ] && mkdir "$mounted/nuntius-test-$$" 2>/dev/null || return
    group=$mounted/nuntius-test-$$
}

# Runs in the new namespaces, as the first process there.
write_units() {
    local to=/run/systemd/system
    mkdir -p "$to/nuntiusd.service.d" "$to/nuntiusd.socket.d" "$place"
    cp "$daemon" "$place/nuntiusd"
    sed "s|^ExecStart=.*|ExecStart=$place/nuntiusd --log-level warning|" "$service" >"$to/nuntiusd.service"
    cp "$socket" "$to"
    printf '[Unit]\nDefaultDependencies=no\n' | tee "$to/nuntiusd.socket.d/test.conf" >"$to/nuntiusd.service.d/test.conf"
    printf '[Service]\nStandardOutput=null\nStandardError=append:%s\n' "$place/log" >>"$to/nuntiusd.service.d/test.conf"
    printf '[Unit]\nDefaultDependencies=no\nRequires=nuntiusd.socket nuntiusd.service\n' >"$to/nuntius-test.target"
}

become_systemd() {
    mount --make-rprivate / || exit 1
    mount -t tmpfs -o mode=755 tmpfs /run || exit 1
    umount -R /sys/fs/cgroup 2>/dev/null
    mount -t cgroup2 cgroup2 /sys/fs/cgroup || exit 1
    write_units || exit 1
    container=test exec "$systemd" --system --unit=nuntius-test.target --log-target=console --log-level=notice --show-status=no
}

start() {
    own_group
    (
        [ -z "$group" ] || echo "$BASHPID" >"$group/cgroup.procs" || exit 1
        export -f become_systemd write_units
        export daemon service socket place systemd
        exec unshare --mount --pid --fork --mount-proc --cgroup --uts --ipc bash -c become_systemd
    ) </dev/null >"$outside/console" 2>&1 &
    local unshare=$! i
    for ((i = 0; i < 300; i++)); do
        leader=$(cat "/proc/$unshare/task/$unshare/children" 2>/dev/null)
        leader=${leader%% *}
        [ -n "$leader" ] && inside systemctl is-active -q nuntiusd.service 2>/dev/null && return
        kill -0 "$unshare" 2>/dev/null || break
        sleep 0.1
    done
    cat "$outside/console"
    kill -0 "$unshare" 2>/dev/null || skip "systemd does not run in namespaces here"
    inside systemctl status nuntiusd.service
    inside cat "$place/log"
    return 1
}

inside() {
    nsenter -t "$leader" -m -p -u -i -C "$@"
}

start || exit 1
inside systemctl --version | head -n 1
inside env NUNTIUS_PROVIDER=systemd NUNTIUSD="$daemon" "$storm" "$@"
r=$?
if [ "$r" -ne 0 ]; then
    inside tail -n 50 "$place/log"
    inside systemctl status --no-pager nuntiusd.service
    cat "$outside/console"
fi
exit "$r"
