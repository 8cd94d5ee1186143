#!/bin/bash
# SPDX-License-Identifier: MIT
# deps.sh - install the Debian packages that are missing, and only those: scripts/deps.sh bench|test|recordings|report|repeat|cross|fresh|all
#
# Needed packages must be there in the end, or we stop with status 2. Optional ones (allocators to race, libgc, programs that
# some tests call) are asked for too; where they cannot be had, their rows say "not installed", and their tests are skipped
# with that reason. a|b|c: the first of these that this suite of Debian has. What is run is printed before. DEPS=no skips all.
# Instead of the real commands tests put their own first on PATH; DEPS_UNAME and DEPS_UID speak for uname and id.
set -u

BENCH='gcc g++ libc6-dev make pkg-config libbenchmark-dev libjansson-dev libzstd-dev gnuplot-nox fonts-liberation python3 python3-numpy python3-tqdm'
BENCH_OPTIONAL='libjemalloc2 libmimalloc2.0|libmimalloc3 libtcmalloc-minimal4|libtcmalloc-minimal4t64 libpython3.11|libpython3.12|libpython3.13|libpython3.14 libgc-dev'
TEST='libcmocka-dev python3-psutil python3-jsonschema valgrind git'
TEST_OPTIONAL='locales'
RECORDINGS='sqlite3 perl jq lld'
REPORT='chromium chromium-driver python3-selenium'
FRESH='mmdebstrap debian-archive-keyring util-linux git tar'
CROSS='make pkg-config python3 libcmocka-dev:arm64 libbenchmark-dev:arm64 libjansson-dev:arm64 libzstd-dev:arm64'
CROSS_TOOLS='gcc-aarch64-linux-gnu g++-aarch64-linux-gnu qemu-user'     # an aarch64 machine needs none of these

stop() { printf 'deps: %s\n' "$1" >&2; exit 2; }

optional=$BENCH_OPTIONAL
foreign=                # the architecture of packages for another machine
case "${1-}" in
bench) needed=$BENCH ;;
test)  needed="$BENCH $TEST" optional="$BENCH_OPTIONAL $RECORDINGS $TEST_OPTIONAL" ;;      # what records is tried too
recordings) needed="$BENCH $RECORDINGS" ;;
report) needed="$BENCH $REPORT" ;;
fresh) needed=$FRESH optional='' ;;
cross) needed="$CROSS $CROSS_TOOLS" optional='' foreign=arm64
       case "${DEPS_UNAME-$(uname -sm)}" in *aarch64) needed="gcc g++ $CROSS" foreign='' ;; esac ;;
repeat) needed="$BENCH $TEST stress-ng" ;;
all)   needed="$BENCH $TEST $RECORDINGS" optional="$BENCH_OPTIONAL $TEST_OPTIONAL" ;;
*)     stop "say what for: scripts/deps.sh bench, test, recordings, report, repeat, cross, fresh or all" ;;
esac
[ "${DEPS-}" = no ] && exit 0

native=$(dpkg --print-architecture 2>/dev/null)
installed() {       # for the architecture in its name, or for this machine's; a package may be here for two
    local architecture=$native
    [[ $1 = *:* ]] && architecture=${1#*:}
    dpkg-query -W -f '${db:Status-Status} ${Architecture}\n' "$1" 2>/dev/null | grep -qE "^installed (all|$architecture)$"
}
known()     { [ -n "$(apt-cache show "$1" 2>/dev/null)" ]; }
one_of()    {       # of a|b|c: the one that is installed, or that apt knows, or the first
    local choice
    [[ $1 = *'|'* ]] || { printf %s "$1"; return; }
    for choice in ${1//|/ }; do installed "$choice" && { printf %s "$choice"; return; }; done
    for choice in ${1//|/ }; do known "$choice" && { printf %s "$choice"; return; }; done
    printf %s "${1%%|*}"
}
missing()   { local package choice; for package in $1; do choice=$(one_of "$package"); installed "$choice" || printf '%s ' "$choice"; done; }

# Only what we know to work: glibc's malloc is the baseline, and apt the way to the rest.
here=${DEPS_UNAME-$(uname -sm)}
case "$here" in
'Linux x86_64'|'Linux aarch64') ;;
*) stop "refarena runs on Linux on x86-64 or aarch64, this is $here; nothing was installed" ;;
esac
getconf GNU_LIBC_VERSION >/dev/null 2>&1 || stop 'refarena needs glibc, and this system has another libc; nothing was installed'
command -v apt-get >/dev/null && command -v dpkg-query >/dev/null ||
    stop "no apt here: install by your own means $needed (and, to race them, $optional), then use DEPS=no"

wanted=$(missing "$needed")
extra=$(missing "$optional")
[ -z "$wanted$extra" ] && exit 0
[ -n "$foreign" ] && dpkg --print-foreign-architectures 2>/dev/null | grep -qx "$foreign" && foreign=

# Root needs no sudo; sudo must not ask. Without either we say what to run.
if [ "${DEPS_UID-$(id -u)}" = 0 ]; then as_root=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then as_root='sudo -n '
elif [ -z "$wanted" ]; then exit 0                     # only optional ones: their rows will say so
else
    printf 'deps: these packages are missing and only root may install them. Run\n\n    %ssudo apt-get update && sudo apt-get install -y --no-install-recommends %s\n\nthen call make again (DEPS=no skips this check).\n' \
        "${foreign:+sudo dpkg --add-architecture $foreign && }" "${wanted}${extra% }" >&2
    exit 2
fi

run() {
    printf '+ %s%s\n' "$as_root" "$*"
    $as_root "$@" >"$log" 2>&1
}
updated=
update() { [ -z "$updated" ] && updated=yes && run apt-get update -q; }      # once
apt() {     # a failed install may only mean that the lists of packages are old: fetch them once, and try again
    run env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $1 && return
    update || return 1
    run env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $1
}

log=$(mktemp) && trap 'rm -f "$log"' EXIT || stop 'cannot make a temporary file'
if [ -n "$foreign" ]; then      # its lists are not here yet: the first install fails, and fetches them
    printf '+ %sdpkg --add-architecture %s\n' "$as_root" "$foreign"
    ${as_root}dpkg --add-architecture "$foreign" >"$log" 2>&1 || stop "dpkg does not take the architecture $foreign: $(tail -n 1 "$log")"
fi
if [ -n "$wanted" ] && ! apt "$wanted"; then
    tail -n 5 "$log" >&2
    stop "apt-get failed, see above; still missing: $(missing "$needed")"
fi
# Which of several names this suite has, only its lists can tell, and a minimal system has none.
for package in $extra; do known "$package" || { update || true; break; }; done
extra=$(missing "$optional")
if [ -z "$extra" ] || apt "$extra"; then exit 0; fi
for package in $extra; do       # one by one: one that does not exist here must not keep the others away
    apt "$package" || printf 'deps: %s cannot be had; its rows will say "not installed"\n' "$package" >&2
done
exit 0
