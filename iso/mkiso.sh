#!/bin/sh
# mkiso.sh KERNEL CFG OUT OBJCOPY [MODULE] - make a bootable CD image of the
# VMkernel.
#
# The image holds GRUB 2 for PC BIOS with the few modules the menu needs, the
# menu, and the VMkernel without its debug information: about 1 MB, and the
# MODULE for it.  Dates come from the newest commit, so that the same source
# gives the same image.
set -eu
kernel=$1 cfg=$2 out=$3 objcopy=$4 module=${5:-}

modules="multiboot serial terminal normal biosdisk iso9660 configfile
         part_msdos echo test"
SOURCE_DATE_EPOCH=$(git -C "$(dirname "$0")" log -1 --format=%ct \
    2>/dev/null || echo 0)
export SOURCE_DATE_EPOCH
volume_date=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M%S00)

work=$(mktemp -d)
new=$out.$$                     # OUT appears when it is whole
trap 'rm -rf "$work" "$new"' EXIT
tree=$work/tree
mkdir -p "$tree/boot/grub"
cp "$cfg" "$tree/boot/grub/grub.cfg"
"$objcopy" --strip-all "$kernel" "$tree/boot/vmkernel.elf"
[ -z "$module" ] || cp "$module" "$tree/boot/"

# grub-mkrescue reports progress on stderr; show it only if it failed.
if ! grub-mkrescue -o "$new" "$tree" -d /usr/lib/grub/i386-pc \
        --install-modules="$modules" --locales= --fonts= --themes= \
        --modification-date="$volume_date" \
        --set_all_file_dates "=$SOURCE_DATE_EPOCH" \
        >"$work/log" 2>&1; then
    cat "$work/log" >&2
    exit 1
fi
mv -f "$new" "$out"
