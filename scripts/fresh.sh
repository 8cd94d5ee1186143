#!/bin/bash
# SPDX-License-Identifier: MIT
# fresh.sh - run a command as a stranger would: in a minimal Debian, on a clean clone of this commit.
#
#     scripts/fresh.sh [--user] SUITE COMMAND...        SUITE: bookworm, trixie, sid
#     scripts/fresh.sh bookworm make test
#     scripts/fresh.sh --user trixie 'make bench MATRIX=quick && make test'
#
# The root is made by mmdebstrap: minbase, and make and git, and nothing else. It is unpacked anew for each call and
# removed afterwards; its tarball is kept in FRESH_CACHE, and made again when it is a month old. Mounts and processes are
# in namespaces of their own, so that nothing is left behind. What is not committed is not in the clone.
#
#   --user         as a user without sudo; the packages of `make deps` are installed for him before
#   FRESH_CACHE=   folder of the tarballs (default: ~/.cache/refarena, or /var/tmp/refarena-fresh without a home)
#   FRESH_FOLDER=  where roots are unpacked: on a disk, with 4 GiB free (default: /var/tmp)
#   FRESH_STALE=yes  a mirror whose lists are out of date will do
#   FRESH_OUT=     a folder that gets the clone's results/ afterwards, whatever the command's status
#
# Status: the command's own; 2: the call is wrong; 77: no root can be made here (no privilege, no mmdebstrap), with a reason.
set -u

stop()   { printf 'fresh: %s\n' "$1" >&2; exit 2; }
cannot() { printf 'fresh: no root can be made here: %s\n' "$1" >&2; exit 77; }

user=
[ "${1-}" = --user ] && { user=visitor; shift; }
[ $# -ge 2 ] || stop 'say which suite and what to run: scripts/fresh.sh [--user] bookworm make test'
suite=$1; shift
[[ $suite =~ ^[a-z]+$ ]] || stop "'$suite' is no suite of Debian: bookworm, trixie, sid"
command=$*
top=$(cd "$(dirname "$0")/.." && pwd) || exit 2
cache=${FRESH_CACHE-${HOME:+$HOME/.cache/refarena}}; cache=${cache:-/var/tmp/refarena-fresh}

[ "$(id -u)" = 0 ] || cannot 'only root may'
for program in mmdebstrap unshare git tar; do
    command -v $program >/dev/null || cannot "$program is missing: scripts/deps.sh fresh"
done
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'        # the checkout may be another user's
git -C "$top" rev-parse --git-dir >/dev/null 2>&1 || cannot "$top is no repository of git, of which a clean clone could be made"
unshare --mount --pid --fork true 2>/dev/null || cannot 'namespaces are refused'

# --- the tarball -----------------------------------------------------------------------------------
mkdir -p "$cache" || stop "$cache cannot be made; give another folder with FRESH_CACHE="
tarball=$cache/$suite-$(dpkg --print-architecture).tar
exec 9>"$tarball.lock" && flock 9
if [ -z "$(find "$tarball" -mtime -30 2>/dev/null)" ]; then
    printf 'fresh: making %s by mmdebstrap\n' "${tarball##*/}"
    mmdebstrap --quiet --variant=minbase --include=make,git ${FRESH_STALE:+--aptopt='Acquire::Check-Valid-Until "false"'} "$suite" "$tarball.part.tar" >"$tarball.log" 2>&1 || {
        tail -n 5 "$tarball.log" >&2
        rm -f "$tarball.part.tar"
        cannot "mmdebstrap failed for $suite, see above"
    }
    mv "$tarball.part.tar" "$tarball"
fi
flock -u 9

# --- the root --------------------------------------------------------------------------------------
root=$(mktemp -d "${FRESH_FOLDER:-/var/tmp}/refarena-$suite-XXXXXX") || stop 'no folder for the root; give one with FRESH_FOLDER='
trap 'rm -rf --one-file-system "$root"' EXIT
chmod 755 "$root"
tar -C "$root" --xattrs --xattrs-include='*' -xf "$tarball" || stop "$tarball is damaged: remove it"
[ -e /etc/resolv.conf ] && cp -L /etc/resolv.conf "$root/etc/resolv.conf"
home=/root; [ -n "$user" ] && home=/home/$user
if [ -n "$user" ]; then chroot "$root" useradd --create-home --shell /bin/bash "$user" || stop 'no user can be added'; fi
git clone --quiet --no-local "$top" "$root$home/refarena" || stop 'the repository cannot be cloned'
git -C "$root$home/refarena" checkout --quiet --detach "$(git -C "$top" rev-parse HEAD)" || stop 'the commit is not in the clone'
git -C "$top" diff --quiet HEAD -- ':!results' || printf 'fresh: what is not committed is left out\n'

# --- the command, with nothing of our environment but what a network needs ---------------------------
kept=()
for name in CI http_proxy https_proxy no_proxy; do [ -n "${!name-}" ] && kept+=("$name=${!name}"); done
cat >"$root/enter" <<'END'
#!/bin/bash
# Inside the root and its namespaces: home, user or nothing, command; the rest is the environment.
home=$1 user=$2 command=$3
mount -t proc proc /proc && mount -t tmpfs -o mode=1777 tmpfs /dev/shm && cd "$home/refarena" || exit 77
if [ -n "$user" ]; then
    scripts/deps.sh all || exit
    chown -R "$user:" "$home" && exec runuser -u "$user" -- env HOME="$home" USER="$user" LOGNAME="$user" bash -c "$command"
fi
exec bash -c "$command"
END
status=0
unshare --mount --propagation private --pid --fork --kill-child bash -c '
    root=$1; shift
    mount --rbind /sys "$root/sys" && mount -o remount,ro,bind "$root/sys" && mount --rbind /dev "$root/dev" || exit 77
    exec chroot "$root" "$@"' fresh "$root" \
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME="$home" TERM="${TERM:-dumb}" ${kept[@]+"${kept[@]}"} \
    bash /enter "$home" "$user" "$command" </dev/null || status=$?
[ -n "${FRESH_OUT-}" ] && mkdir -p "$FRESH_OUT" && cp -a "$root$home/refarena/results/." "$FRESH_OUT/"
exit $status
