#!/bin/bash
# SPDX-License-Identifier: MIT
# recordings.sh - record real programs afresh: what is in workloads/recordings, and its provenance.
#
#     scripts/recordings.sh [folder]          default: workloads/recordings
#
# Each program is bounded by its input, which is kept beside the traces; no recording is ever cut. The new
# ones replace the old when all are whole. Addresses are not randomised where the system allows that,
# because programs that hash addresses (CPython does) otherwise allocate a little differently every time.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=${1:-workloads/recordings}
recorder=$PWD/build/lib/refarena-recorder.so
input=workloads/recordings
fixed=$(setarch -R true 2>/dev/null && echo "setarch -R" || true)
names=() programs=()

fail() { echo "recordings.sh: $1" >&2; exit 2; }

[ -f "$recorder" ] || fail "$recorder is missing; build it with \`make build/lib/refarena-recorder.so\`"
[ -d "$folder" ] && [ -w "$folder" ] || fail "$folder is not a folder that can be written; name another"
folder=$(cd "$folder" && pwd)
scratch=$(mktemp -d "$folder/.recording.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

# record NAME "PROGRAM AND VERSION" command ...    standard input is the command's
record() {
    local name=$1 program=$2
    shift 2
    command -v "$1" >/dev/null || fail "$name: $1 is not installed"
    # an environment of our own: its strings, too, are something a program copies
    $fixed env -i PATH=/usr/bin:/bin LC_ALL=C.UTF-8 PYTHONMALLOC=malloc PYTHONHASHSEED=0 PERL_HASH_SEED=0 \
        REFARENA_RECORD="$scratch/$name.trace.zst" LD_PRELOAD="$recorder" "$@" >"$scratch/output" \
        || fail "$name: its program failed"
    names+=("$name")
    programs+=(--program "$program")
}

python=/usr/bin/python3
record cpython "$($python --version)" $python -S -P $input/cpython.py
record sqlite3 "SQLite $(sqlite3 --version | cut -d' ' -f1)" sqlite3 -batch -init /dev/null :memory: <$input/sqlite3.sql
record cc1 "$(gcc --version | head -1)" "$(gcc -print-prog-name=cc1)" -quiet -O2 -std=c11 -D_GNU_SOURCE \
    -imultiarch "$(gcc -print-multiarch)" allocators/recorder.c -o /dev/null
record perl "Perl $(perl -e 'printf "%vd", $^V')" perl $input/perl.pl
record jq "$(jq --version)" jq -n -f $input/jq.jq
record lld "$(ld.lld --version)" ld.lld --threads=4 -r -o /dev/null --whole-archive "$(gcc -print-file-name=libc.a)"

# the object graph of a process, in place of its calls
$fixed env -i PATH=/usr/bin:/bin LC_ALL=C.UTF-8 PYTHONHASHSEED=0 $python -P scripts/cpython/snapshot.py \
    --out "$scratch/cpython.snapshot.zst" $input/heap.py || fail "cpython.snapshot: its program failed"
scripts/cpython/snapshot.py --describe "$scratch/cpython.snapshot.zst" >"$scratch/SNAPSHOTS.tsv"

# what `json` parses
$python scripts/cpython/syntax.py >"$scratch/syntax.json" || fail "syntax.json: its program failed"

traces=("${names[@]/#/$scratch/}")
traces=("${traces[@]/%/.trace.zst}")
scripts/recordings.py "${programs[@]}" "${traces[@]}" >"$scratch/PROVENANCE.tsv"
mv "${traces[@]}" "$scratch/PROVENANCE.tsv" "$scratch/cpython.snapshot.zst" "$scratch/SNAPSHOTS.tsv" \
    "$scratch/syntax.json" "$folder"
cut -f1,2,4,6,10,11 "$folder/PROVENANCE.tsv" | column -t -s $'\t' 2>/dev/null || cat "$folder/PROVENANCE.tsv"
