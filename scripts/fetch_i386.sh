#!/bin/sh
# fetch_i386.sh [-n] DIR PACKAGE... - unpack Debian i386 packages below DIR.
#
# With -n they are only downloaded, to DIR/apt/*.deb.
#
# apt gets a state of its own inside DIR, so that the system's architectures
# and package lists stay as they are.  Only the main suite is asked.
set -eu
unpack=yes
if [ "$1" = -n ]; then
    unpack=no
    shift
fi
dir=$1
shift
mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial"
dir=$(cd "$dir" && pwd)
exec 9>"$dir/apt/lock"          # one at a time, until we end
flock 9
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
    sed -n -e 's/^deb \(\[[^]]*\] \)\?\(http[^ ]*\) .*/\2/p' \
           -e 's/^URIs: *\(http[^ ]*\).*/\1/p' |
    grep -v security | head -n 1)
echo "deb ${mirror:-http://deb.debian.org/debian} $suite main" \
    >"$dir/apt/sources.list"
opts="-o APT::Architecture=i386 -o APT::Architectures=i386
      -o Dir::Etc::sourcelist=$dir/apt/sources.list -o Dir::Etc::sourceparts=-
      -o Dir::State::Lists=$dir/apt/lists -o Dir::Cache=$dir/apt/cache
      -o APT::Sandbox::User=root"
apt-get $opts update -q >"$dir/apt/log" 2>&1 || true
cd "$dir/apt"
apt-get $opts download -q "$@" >>log 2>&1 ||
    { tail -20 log >&2; exit 1; }
[ $unpack = yes ] || exit 0
for deb in ./*.deb; do
    dpkg -x "$deb" "$dir"
done
