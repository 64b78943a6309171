/*
 * layout.h - numbers that C and assembly share: selectors, vectors, offsets in
 * struct context.
 */
#ifndef TESTS_GUEST_LAYOUT_H
#define TESTS_GUEST_LAYOUT_H

/* Entries of the GDT: flat segments for rings 0 and 3, a TSS, then room. */
#define GDT_CODE0       1
#define GDT_DATA0       2
#define GDT_CODE3       3
#define GDT_DATA3       4
#define GDT_TSS         5
#define GDT_FREE        6               /* this one and those behind it */
#define GDT_ENTRIES     32

#define SEL_CODE0       0x08
#define SEL_DATA0       0x10
#define SEL_CODE3       0x1b
#define SEL_DATA3       0x23
#define SEL_FREE        0x30

#define IDT_ENTRIES     256
#define STUB_SIZE       16              /* bytes of code for each */
#define VEC_IRQ0        0x20            /* the PICs' 16 vectors */
#define VEC_DONE        0x40            /* DPL 3: how a snippet ends */

#define CONTEXT_GS      0
#define CONTEXT_FS      4
#define CONTEXT_ES      8
#define CONTEXT_DS      12
#define CONTEXT_EDI     16
#define CONTEXT_ESI     20
#define CONTEXT_EBP     24
#define CONTEXT_EBX     32
#define CONTEXT_EDX     36
#define CONTEXT_ECX     40
#define CONTEXT_EAX     44
#define CONTEXT_EIP     56
#define CONTEXT_CS      60
#define CONTEXT_EFLAGS  64
#define CONTEXT_ESP     68
#define CONTEXT_SS      72
#define CONTEXT_V86     76              /* ES, DS, FS, GS */
#define CONTEXT_WORDS   23

/* Words that a trap leaves on the stack: same level, from outside, from V86. */
#define WORDS_INNER     17
#define WORDS_OUTER     19

#define GUEST_STACK     8192

#endif
