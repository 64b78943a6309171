#!/bin/sh
# guests.sh DIR linux|netboot|mach - fetch real guests from Debian's packages.
#
#   linux     DIR/linux-686, linux-686-pae, and initramfs.cpio with busybox
#   netboot   DIR/netboot-linux, netboot-initrd.gz: the Debian installer
#   mach      DIR/gnumach: GNU Mach, a Multiboot kernel
#
# Nothing is installed on this system.
set -eu
dir=$1 kind=$2
here=$(dirname "$0")
# Several may run at once: a folder each, and files appear when all are whole.
mkdir -p "$dir"
packages=$(mktemp -d "$dir/packages-XXXXXX")
trap 'rm -rf "$packages"' EXIT
new=$packages/new
mkdir "$new"

# fetch PACKAGE...: to $packages/apt.
fetch() {
    "$here/fetch_i386.sh" -n "$packages" "$@"
}

# member PACKAGE PATTERN: one file of a package, to standard output.
member() {
    dpkg-deb --fsys-tarfile "$packages"/apt/"$1"_*.deb |
        tar -xO --wildcards "$2"
}

# The kernel that is current, behind the package that names it.
kernel_of() {
    dpkg-deb -f "$packages"/apt/"$1"_*.deb Depends | sed 's/[ ,].*//'
}

case $kind in
linux)
    fetch linux-image-686 linux-image-686-pae busybox-static
    for flavour in 686 686-pae; do
        package=$(kernel_of "linux-image-$flavour")
        fetch "$package"
        member "$package" './boot/vmlinuz-*' >"$new/linux-$flavour"
    done
    member busybox-static ./bin/busybox >"$new/busybox"
    /usr/bin/python3 "$here/initramfs.py" "$new/initramfs.cpio" \
        "$new/busybox" "$here/guest_init.sh"
    ;;
netboot)
    package=debian-installer-$(. /etc/os-release && echo "$VERSION_ID")
    package=$package-netboot-i386
    fetch "$package"
    text=./usr/lib/debian-installer/images/*/i386/text/debian-installer/i386
    member "$package" "$text/linux" >"$new/netboot-linux"
    member "$package" "$text/initrd.gz" >"$new/netboot-initrd.gz"
    ;;
mach)
    fetch gnumach-image-1.8-486
    member gnumach-image-1.8-486 './boot/gnumach*.gz' | gzip -dc \
        >"$new/gnumach"
    ;;
*)
    echo "guests.sh: linux, netboot or mach, not $kind" >&2
    exit 2
    ;;
esac
mv -f "$new"/* "$dir"
