#!/bin/sh
# need.sh WHAT - install the Debian packages that a kind of target needs.
#
# The list is scripts/packages.  Says what it installs, installs nothing that
# is there already, and works as root or by sudo.  A machine without apt gets
# the list and an error.
set -eu
what=$1
here=$(dirname "$0")
wanted=$(sed -n "s/^$what[[:space:]]\{1,\}//p" "$here/packages")
[ -n "$wanted" ] ||
    { echo "need.sh: no packages listed for '$what'" >&2; exit 1; }

missing=
for p in $wanted; do
    case "$p:$(uname -m)" in g*-multilib:i?86) continue ;; esac
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q ' installed$' ||
        missing="$missing $p"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "need.sh: please install:$missing" >&2
    exit 1
fi
sudo=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "need.sh: run as root or install sudo; wanted:$missing" >&2
        exit 1
    }
    sudo=sudo
fi
echo "Installing Debian packages for '$what':$missing"
# sudo may drop the environment, hence env; `make -j` may come here twice at
# once, hence the patience with the lock.
install="$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q
         --no-install-recommends -o DPkg::Lock::Timeout=600"
log=$(mktemp)
# An old package list is the usual reason for a failure: refresh and retry.
if ! $install $missing >"$log" 2>&1; then
    $sudo apt-get update -q >"$log" 2>&1 || true
    $install $missing >"$log" 2>&1 || { tail -20 "$log" >&2; exit 1; }
fi
rm -f "$log"
