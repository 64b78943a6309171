#!/bin/sh
# script.sh - a shell at work: functions, pipes, substitution, here documents.
fib() {
    if [ "$1" -lt 2 ]; then echo "$1"; else
        echo $(( $(fib $(($1 - 1))) + $(fib $(($1 - 2))) ))
    fi
}
fib 5
for i in 1 2 3; do
    echo $i | sed s/2/two/
done | sort -r | tr a-z A-Z
yes | head -n 3 | wc -l
ls *.c | while read -r name; do
    case $name in
    a*) echo "$name: $(wc -l <"$name") lines" ;;
    *) grep -c the "$name" ;;
    esac
done
cat <<END | od -c | head -n 3
$((6 * 7)) ${0##*/} ${HOME:+home}
END
readlink /proc/self/exe | sed 's,.*/,,'
(exit 3) || echo "exit code $?"
awk 'BEGIN { while ("echo a b" | getline line) print "<" line ">" }'
exec printf '%s\n' "the end"
