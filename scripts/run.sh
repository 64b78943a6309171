#!/bin/sh
# run.sh ISO - boot the image in QEMU with Socle's console on this terminal.
#
# Ctrl-C and every other key but Ctrl-A go to Socle.  QEMU names another
# emulator (qemu-system-i386), QEMU_ARGS adds arguments, after ours so that
# they win: QEMU_ARGS="-smp 4 -m 2G -cpu pentium3" make run.
set -eu
iso=$1
qemu=${QEMU:-qemu-system-x86_64}

command -v "$qemu" >/dev/null || { echo "run.sh: no $qemu here" >&2; exit 1; }
echo "Booting $iso in $qemu."
echo "To leave: \`poweroff\` at the prompt, or Ctrl-A x; Ctrl-A c is QEMU's" \
     "monitor."
# "mon:" lets Ctrl-C through; without a terminal QEMU reads to the end of the
# input, keeps running, and still prints what Socle says.
# QEMU_ARGS is several words on purpose.
# shellcheck disable=SC2086
exec "$qemu" -m 512 -smp 2 -cdrom "$iso" -boot d -display none \
    -serial mon:stdio ${QEMU_ARGS:-}
