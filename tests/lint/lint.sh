#!/bin/bash
# lint.sh CC CFLAGS ELF - all checks that need no run of the program.
#
#   layers.py   who includes whom
#   style.py    sizes, layout, words; Python syntax
#   headers     each compiles alone
#   scripts     shell syntax
#   ELF         size without debug information and monitor; no segment both
#               writable and executable, nor an executable stack
#
# One line for each thing that is wrong, and a summary as the last line.
set -u
cc=$1 cflags=$2 elf=$3
cd "$(dirname "$0")/../.." || exit 1
export PYTHONDONTWRITEBYTECODE=1
python=/usr/bin/python3
elf_limit=$((512 * 1024))
monitor=$(dirname "$elf")/gen/vmm_image.elf
found=$(mktemp)
trap 'rm -f "$found" "$found.elf"' EXIT

# Folders of the VMkernel and the monitor, as far as they exist.
code=$(find boot kernel mm sched drivers console bt vmm vmfs net \
    -name '*.h' 2>/dev/null | sort)

check_header() {
    # shellcheck disable=SC2086
    $cc $cflags -fsyntax-only -include "$1" -x c /dev/null 2>&1 |
        grep -E '(error|warning):' | sed "s|^|$1 does not stand alone: |"
}
export -f check_header
export cc cflags

check_scripts() {
    local script
    find . -name build -prune -o -name '*.sh' -print | sort |
        while read -r script; do
            bash -n "$script" 2>&1
        done
    bash -n .ci/run 2>&1
}

check_segments() {
    readelf -lW "$1" | awk -v elf="$1" '
        $1 == "LOAD" && / RWE / { print elf ": writable code at " $3 }
        $1 == "GNU_STACK" && /E/ && / RWE / { print elf ": executable stack" }'
}

check_elf() {
    local size
    strip -o "$found.elf" "$elf" || { echo "$elf: strip failed"; return; }
    size=$(($(stat -c %s "$found.elf") - $(stat -c %s "$monitor")))
    [ "$size" -lt "$elf_limit" ] ||
        echo "$elf: $size bytes of VMkernel, not < $elf_limit"
    check_segments "$elf"
    check_segments "$monitor"
    echo "$size" >"$found.elf"
}

{
    $python tests/lint/layers.py 2>&1
    $python tests/lint/style.py 2>&1
    echo "$code" | xargs -P 2 -I{} bash -c 'check_header {}'
    check_scripts
    check_elf
} | tee "$found"

count=$(wc -l <"$found")
echo "lint: $count problems, $(echo "$code" | wc -l) headers alone," \
     "$(cat "$found.elf" 2>/dev/null || echo no) bytes of VMkernel"
[ "$count" = 0 ]
