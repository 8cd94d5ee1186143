#!/bin/bash
# SPDX-License-Identifier: MIT
# compilers.sh - build and test with each compiler, in the Debian that has it: scripts/compilers.sh [compiler...]
#
# Every warning is an error. The tests are those of what was compiled, or those that the pattern ONLY names; the scripts are the
# same under each compiler.
# Status 0 where every compiler that could be had passed, and one at least; one that could not be had is named; 2: unknown name.
set -u

# compiler:suite; of clang, what its sanitizers need is asked for too
ALL='gcc-12:bookworm clang-14:bookworm gcc-14:trixie clang-19:trixie gcc-16:sid clang-21:sid'
TESTS=${ONLY:-'^build/|test_(harness|workloads|explain)'}

here=$(cd "$(dirname "$0")" && pwd)
for cc; do
    [[ " $ALL" = *" $cc:"* ]] || { echo "compilers: unknown compiler '$cc'; known are $(sed 's/:[a-z]*//g' <<<"$ALL")" >&2; exit 2; }
done
passed=0 failed=0 lines=
for entry in $ALL; do
    cc=${entry%:*} suite=${entry#*:} number=${entry%:*} begun=$SECONDS
    number=${number#*-}
    [ $# = 0 ] || [[ " $* " = *" $cc "* ]] || continue
    case $cc in
    gcc-*)   cxx=g++-$number;     packages="$cc $cxx" ;;
    clang-*) cxx=clang++-$number; packages="$cc libclang-rt-$number-dev" ;;
    esac
    printf '\n== %s on %s\n' "$cc" "$suite"
    log=$(mktemp) || exit 2
    "$here/fresh.sh" "$suite" "scripts/deps.sh test || exit
        apt-get install -y -q --no-install-recommends $packages >/dev/null || exit 77
        CI=true make test DEPS=no CC=$cc CXX=$cxx ONLY=$(printf %q "$TESTS")" 2>&1 | tee "$log"
    case ${PIPESTATUS[0]} in
    0)  said=$(tail -n 1 "$log"); passed=$((passed + 1)) ;;
    77) said="could not be had: $(tail -n 1 "$log")" ;;
    *)  said="FAILED: $(tail -n 1 "$log")"; failed=$((failed + 1)) ;;
    esac
    lines+=$(printf '%-9s %-9s %s, %d s' "$cc" "$suite" "$said" $((SECONDS - begun)))$'\n'
    rm -f "$log"
done
printf '\n%s%d compilers passed, %d failed\n' "$lines" "$passed" "$failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
