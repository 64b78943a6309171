#!/bin/sh
# symtab.sh - turn `nm -n` output into the assembly of kernel/symtab.c's table.
#
# Text symbols only, ascending: an array of addresses, an array of offsets into
# a string of NUL-terminated names, and their number.
awk '
    BEGIN { n = 0 }
    $2 ~ /^[tT]$/ && $3 !~ /^\./ { addr[n] = $1; name[n] = $3; n++ }
    END {
        print "\t.section .symtab_vmk, \"a\"\n\t.balign 4"
        print "\t.globl symtab_count, symtab_addresses"
        print "\t.globl symtab_name_offsets, symtab_names"
        print "symtab_count:\n\t.long " n
        print "symtab_addresses:"
        for (i = 0; i < n; i++) print "\t.long 0x" addr[i]
        print "symtab_name_offsets:"
        off = 0
        for (i = 0; i < n; i++) {
            print "\t.long " off
            off += length(name[i]) + 1
        }
        print "symtab_names:"
        for (i = 0; i < n; i++) print "\t.asciz \"" name[i] "\""
        print "\t.section .note.GNU-stack, \"\", @progbits"
    }'
