#!/bin/sh
# into.sh OUT COMMAND... - run COMMAND... NEW, and rename NEW to OUT.
#
# So that several runs of make may share a build folder: who reads OUT finds it
# whole, old or new, whoever makes it again meanwhile.  The folder is made if
# there is none.  A compiler's dependency file (gcc -MMD, with -MT OUT) goes the
# same way.
set -u
out=$1
shift
folder=$(dirname "$out")
new=$folder/.$$-${out##*/}
trap 'rm -f "$new" "${new%.*}.d"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$folder"
"$@" "$new" || exit
[ ! -f "${new%.*}.d" ] || mv -f "${new%.*}.d" "${out%.*}.d"
mv -f "$new" "$out"
