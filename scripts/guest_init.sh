#!/bin/busybox sh
# guest_init.sh - the first process of our small Linux guest: a shell on the
# console, again and again.
/bin/busybox mkdir -p /proc /sys /dev /tmp /sbin /usr/bin /usr/sbin
/bin/busybox --install -s
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
export PS1='guest# ' HOME=/ TERM=vt100
echo "guest: $(uname -r) up after $(cut -d' ' -f1 /proc/uptime) s"
while :; do
    setsid cttyhack sh
done
