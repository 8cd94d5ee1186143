#!/bin/bash
# SPDX-License-Identifier: MIT
# deps.sh - install the Debian packages that are missing, and only those: scripts/deps.sh bench|test|recordings|report|cross|all
#
# Needed packages must be there in the end, or we stop with status 2. Optional ones (allocators to race, libgc) are asked
# for too; where they cannot be had, their rows say "not installed". What is run is printed before. DEPS=no skips all.
# Instead of the real commands tests put their own first on PATH; DEPS_UNAME and DEPS_UID speak for uname and id.
set -u

BENCH='gcc g++ libc6-dev make pkg-config libbenchmark-dev libjansson-dev libzstd-dev gnuplot-nox fonts-liberation python3 python3-numpy python3-tqdm'
TEST='libcmocka-dev python3-psutil python3-jsonschema valgrind'
RECORDINGS='sqlite3 perl jq lld'
REPORT='chromium chromium-driver python3-selenium'
CROSS='make pkg-config python3 libcmocka-dev:arm64 libbenchmark-dev:arm64 libjansson-dev:arm64 libzstd-dev:arm64'
CROSS_TOOLS='gcc-aarch64-linux-gnu g++-aarch64-linux-gnu qemu-user'     # an aarch64 machine needs none of these
OPTIONAL='libjemalloc2 libmimalloc2.0 libtcmalloc-minimal4 libpython3.11 libgc-dev'

stop() { printf 'deps: %s\n' "$1" >&2; exit 2; }

foreign=                # the architecture of packages for another machine
case "${1-}" in
bench) needed=$BENCH ;;
test)  needed="$BENCH $TEST" ;;
recordings) needed="$BENCH $RECORDINGS" ;;
report) needed="$BENCH $REPORT" ;;
cross) needed="$CROSS $CROSS_TOOLS" OPTIONAL='' foreign=arm64
       case "${DEPS_UNAME-$(uname -sm)}" in *aarch64) needed="gcc g++ $CROSS" foreign='' ;; esac ;;
all)   needed="$BENCH $TEST $RECORDINGS" ;;
*)     stop "say what for: scripts/deps.sh bench, test, recordings, report, cross or all" ;;
esac
[ "${DEPS-}" = no ] && exit 0

installed() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -q '^installed$'; }
missing()   { for package in $1; do installed "$package" || printf '%s ' "$package"; done; }

# Only what we know to work: glibc's malloc is the baseline, and apt the way to the rest.
here=${DEPS_UNAME-$(uname -sm)}
case "$here" in
'Linux x86_64'|'Linux aarch64') ;;
*) stop "refarena runs on Linux on x86-64 or aarch64, this is $here; nothing was installed" ;;
esac
getconf GNU_LIBC_VERSION >/dev/null 2>&1 || stop 'refarena needs glibc, and this system has another libc; nothing was installed'
command -v apt-get >/dev/null && command -v dpkg-query >/dev/null ||
    stop "no apt here: install by your own means $needed (and, to race them, $OPTIONAL), then use DEPS=no"

wanted=$(missing "$needed")
extra=$(missing "$OPTIONAL")
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

updated=
apt() {     # a failed install may only mean that the lists of packages are old: fetch them once, and try again
    local line="${as_root}env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends ${1% }"
    printf '+ %s\n' "$line"
    $line >"$log" 2>&1 && return
    [ -n "$updated" ] && return 1
    updated=yes
    printf '+ %sapt-get update\n' "$as_root"
    ${as_root}apt-get update -q >"$log" 2>&1
    printf '+ %s\n' "$line"
    $line >"$log" 2>&1
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
for package in $extra; do       # one by one: one that does not exist here must not keep the others away
    apt "$package" || printf 'deps: %s cannot be had; its rows will say "not installed"\n' "$package" >&2
done
exit 0
