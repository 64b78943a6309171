/*
 * gates.c - call gates, interrupt gates of both sizes, stacks from the TSS.
 *
 * A transfer inwards takes SS and ESP from the TSS and pushes the old ones, the
 * parameters, and the return address.  Handlers here are code that ends with
 * INT VEC_DONE in ring 0, so that ESP tells where the frame is.  If the TSS has
 * a bad stack, #TS goes to a handler in ring 3, which needs none: it repairs
 * the TSS before it ends.  SDM 3A 5.8.3 to 5.8.6 (call gates), 6.12.1, 6.13,
 * 7.2.1 and 7.6 (TSS of 16 bits).
 */
#include "guest/guest.h"

#define SEL_GATE        SEL_FREE
#define SEL_BASED       (SEL_FREE + 8)  /* code that starts at `end` */
#define SEL_CONFORMING  (SEL_FREE + 16)
#define SEL_BAD         (SEL_FREE + 24)
#define GDT_TSS16       (GDT_FREE + 4)
#define INDEX(s)        ((s) >> SEL_INDEX_SHIFT)
#define CODE            (SEG_CODE | SEG_CODE_R)
#define LOW_WORD        0xffffu
#define VEC_TEST        0x51
#define ESP0            ((uint32_t)inner_stack + sizeof(inner_stack))

static uint8_t inner_stack[1024] ALIGNED(16);

SNIPPET(call_gate, "push $0x22222222; push $0x11111111", "lcall $0x33, $0",
        "nop");
SNIPPET(jump_gate, "", "ljmp $0x33, $0", "");
SNIPPET(int_test, "", "int $0x51", "");
SNIPPET(end, "", "nop", "");
SNIPPET(gate_return, "", "lret $8", "");
SNIPPET(direct_call, "", "lcall $0x1b, $end_start", "");
/* Handlers in ring 3: EDI is the vector, EBX the error code, ECX EIP. */
#define REPAIR  "pop %ebx; mov (%esp), %ecx; movl $0x10, tss + 8"
SNIPPET(on_ts, "mov $10, %edi", REPAIR, "");
SNIPPET(on_np, "mov $11, %edi", REPAIR, "");
SNIPPET(on_ss, "mov $12, %edi", REPAIR, "");
SNIPPET(on_gp, "mov $13, %edi", REPAIR, "");

static struct gate *
set_call_gate(unsigned type, const struct snippet *to, unsigned count)
{
    struct gate *g = (struct gate *)(void *)&gdt[INDEX(SEL_GATE)];
    uint32_t at = type == SYS_CALL16 ? 0 : (uint32_t)to->start;

    *g = (struct gate){
        .offset_low = at & LOW_WORD, .offset_high = at >> 16,
        .selector = type == SYS_CALL16 ? SEL_BASED : SEL_CODE0,
        .param_count = count, .type = type, .dpl = 3, .p = 1,
    };
    return g;
}

static uint32_t
word(const struct context *c, unsigned n)
{
    return ((const uint32_t *)c->esp)[n];
}

static uint32_t
half(const struct context *c, unsigned n)
{
    return ((const uint16_t *)c->esp)[n];
}

/* --- Call gates ------------------------------------------------------------*/

static void
check_inward(void)
{
    struct context c;
    uint32_t outer;

    set_call_gate(SYS_CALL32, &end, 2);
    context_init(&c, call_gate.start, 3);
    outer = c.esp - 2 * sizeof(uint32_t);
    context_run(&c);
    check("call gate: vector", c.vector, VEC_DONE);
    check("call gate: CS", c.cs, SEL_CODE0);
    check("call gate: ESP", c.esp, ESP0 - 6 * sizeof(uint32_t));
    check("call gate: return EIP", word(&c, 0), (uint32_t)call_gate.next);
    check("call gate: return CS", word(&c, 1) & LOW_WORD, SEL_CODE3);
    check("call gate: first parameter", word(&c, 2), 0x11111111);
    check("call gate: second parameter", word(&c, 3), 0x22222222);
    check("call gate: old ESP", word(&c, 4), outer);
    check("call gate: old SS", word(&c, 5) & LOW_WORD, SEL_DATA3);
    set_call_gate(SYS_CALL32, &gate_return, 2);
    context_init(&c, call_gate.start, 3);
    context_run(&c);
    check("call gate and RETF: CS", c.cs, SEL_CODE3);
    check("call gate and RETF: ESP", c.esp, outer + 2 * sizeof(uint32_t));
}

static void
check_inward_16(void)
{
    struct context c;

    gdt_set(INDEX(SEL_BASED), (uint32_t)end.start, LOW_WORD, CODE);
    set_call_gate(SYS_CALL16, &end, 2);
    context_init(&c, call_gate.start, 3);
    context_run(&c);
    check("16-bit call gate: CS", c.cs, SEL_BASED);
    check("16-bit call gate: ESP", c.esp, ESP0 - 6 * sizeof(uint16_t));
    check("16-bit call gate: return IP", half(&c, 0),
          (uint32_t)call_gate.next & LOW_WORD);
    check("16-bit call gate: return CS", half(&c, 1), SEL_CODE3);
    check("16-bit call gate: first parameter", half(&c, 2), 0x1111);
    check("16-bit call gate: old SS", half(&c, 5), SEL_DATA3);
}

static void
run_gate(const char *name, const struct snippet *s, unsigned vector,
         uint32_t error)
{
    struct context c;

    run_snippet(&c, s, 3);
    check_trap(name, &c, vector, error, s->at);
}

static void
check_refused(void)
{
    struct context c;

    set_call_gate(SYS_CALL32, &end, 0)->dpl = 0;
    run_gate("call gate of DPL 0", &call_gate, VEC_GP, SEL_GATE);
    set_call_gate(SYS_CALL32, &end, 0)->p = 0;
    run_gate("absent call gate", &call_gate, VEC_NP, SEL_GATE);
    set_call_gate(SYS_CALL32, &end, 0)->selector = 0;
    run_gate("call gate to null", &call_gate, VEC_GP, 0);
    set_call_gate(SYS_CALL32, &end, 0)->selector = SEL_DATA0;
    run_gate("call gate to data", &call_gate, VEC_GP, SEL_DATA0);
    set_call_gate(SYS_CALL32, &end, 0)->selector = SEL_BAD;
    gdt_set(INDEX(SEL_BAD), 0, UINT32_MAX, CODE)->p = 0;
    run_gate("call gate to absent code", &call_gate, VEC_NP, SEL_BAD);
    set_call_gate(SYS_CALL32, &end, 0);
    run_gate("JMP through a call gate inwards", &jump_gate, VEC_GP,
             SEL_CODE0);
    set_call_gate(SYS_CALL32, &end, 0)->selector = SEL_CONFORMING;
    gdt_set(INDEX(SEL_CONFORMING), 0, UINT32_MAX, CODE | SEG_CODE_C);
    run_snippet(&c, &jump_gate, 3);
    check("JMP through a call gate to conforming code", c.cs,
          SEL_CONFORMING | 3);
    run_snippet(&c, &direct_call, 3);
    check("far CALL in ring 3", c.cs, SEL_CODE3);
    check("far CALL: return EIP", word(&c, 0), (uint32_t)direct_call.next);
}

/* --- Interrupt gates -------------------------------------------------------*/

static void
check_interrupt(void)
{
    struct gate *g = idt_set(VEC_TEST, SYS_INT32, 3);
    struct context c;
    uint32_t outer;

    g->offset_low = (uint32_t)end.start & LOW_WORD;
    g->offset_high = (uint32_t)end.start >> 16;
    context_init(&c, int_test.start, 3);
    outer = c.esp;
    c.eflags |= EFLAGS_CF | EFLAGS_NT;
    context_run(&c);
    check("interrupt gate: ESP", c.esp, ESP0 - 5 * sizeof(uint32_t));
    check("interrupt gate: EIP", word(&c, 0), (uint32_t)int_test.next);
    check("interrupt gate: CS", word(&c, 1) & LOW_WORD, SEL_CODE3);
    check("interrupt gate: flags", word(&c, 2),
          EFLAGS_CF | EFLAGS_NT | EFLAGS_IF | EFLAGS_FIXED);
    check("interrupt gate: old ESP", word(&c, 3), outer);
    check("interrupt gate: old SS", word(&c, 4) & LOW_WORD, SEL_DATA3);
    *g = (struct gate){ .selector = SEL_BASED, .type = SYS_INT16, .dpl = 3,
                        .p = 1 };
    run_snippet(&c, &int_test, 3);
    check("16-bit interrupt gate: ESP", c.esp, ESP0 - 5 * sizeof(uint16_t));
    check("16-bit interrupt gate: IP", half(&c, 0),
          (uint32_t)int_test.next & LOW_WORD);
    check("16-bit interrupt gate: flags", half(&c, 2),
          EFLAGS_IF | EFLAGS_FIXED);
    check("16-bit interrupt gate: old SP", half(&c, 3), outer & LOW_WORD);
    run_snippet(&c, &int_test, 0);
    check("16-bit interrupt gate in ring 0: CS", half(&c, 1), SEL_CODE0);
}

/* --- Stacks ----------------------------------------------------------------*/

static void
catch_in_ring3(unsigned vector, const struct snippet *s)
{
    struct gate *g = idt_set(vector, SYS_INT32, 0);

    g->selector = SEL_CODE3;
    g->offset_low = (uint32_t)s->start & LOW_WORD;
    g->offset_high = (uint32_t)s->start >> 16;
}

/* SS0 is wrong, and VECTOR names it. */
static void
check_bad_stack(const char *name, uint32_t ss0, unsigned vector)
{
    struct context c;

    tss.ss0 = ss0;
    run_snippet(&c, &int_test, 3);
    tss.ss0 = SEL_DATA0;
    check(name, c.vector == VEC_DONE && c.edi == vector &&
                c.ebx == (ss0 & ~SEL_RPL) &&
                c.ecx == (uint32_t)int_test.at, true);
}

static void
check_bad_stacks(void)
{
    idt_set(VEC_TEST, SYS_INT32, 3);
    catch_in_ring3(VEC_TS, &on_ts);
    catch_in_ring3(VEC_NP, &on_np);
    catch_in_ring3(VEC_SS, &on_ss);
    catch_in_ring3(VEC_GP, &on_gp);
    check_bad_stack("#TS(0): SS0 is null", 0, VEC_TS);
    check_bad_stack("#TS: SS0 has RPL 3", SEL_DATA0 | 3, VEC_TS);
    check_bad_stack("#TS: SS0 is of ring 3", SEL_DATA3, VEC_TS);
    check_bad_stack("#TS: SS0 is code", SEL_CODE0, VEC_TS);
    check_bad_stack("#TS: SS0 is beyond the GDT", 0x7fb8, VEC_TS);
    gdt_set(INDEX(SEL_BAD), 0, UINT32_MAX, 0);
    check_bad_stack("#TS: SS0 is read-only", SEL_BAD, VEC_TS);
    gdt_set(INDEX(SEL_BAD), 0, UINT32_MAX, SEG_DATA_W)->p = 0;
    check_bad_stack("#SS: SS0 is absent", SEL_BAD, VEC_SS);
    gdt_set(INDEX(SEL_BAD), 0, 1, SEG_DATA_W);
    check_bad_stack("#SS: SS0 has no room", SEL_BAD, VEC_SS);
}

static void
check_tss_16(void)
{
    /* Link, SP0, SS0. */
    static uint16_t tss16[22];
    struct segdesc *d = gdt_set(GDT_TSS16, (uint32_t)tss16,
                                sizeof(tss16) - 1, SYS_TSS16_AVAIL);
    struct segdesc *stack = gdt_set(INDEX(SEL_BAD), (uint32_t)inner_stack,
                                    sizeof(inner_stack) - 1, SEG_DATA_W);
    struct context c;

    d->s = d->db = 0;
    stack->db = 0;
    tss16[1] = sizeof(inner_stack);
    tss16[2] = SEL_BAD;
    ltr((uint16_t)selector(GDT_TSS16, 0));
    check("LTR marks the TSS busy", gdt[GDT_TSS16].type, SYS_TSS16_BUSY);
    run_snippet(&c, &call_gate, 3);
    check("16-bit TSS: SP", c.esp, sizeof(inner_stack) - 4 * sizeof(uint32_t));
    check("16-bit TSS: SS", c.ss, SEL_BAD);
    gdt[GDT_TSS].type = SYS_TSS32_AVAIL;
    ltr((uint16_t)selector(GDT_TSS, 0));
    check("the old TSS stays busy", gdt[GDT_TSS16].type, SYS_TSS16_BUSY);
}

TOPIC(gates)
{
    tss.esp0 = ESP0;
    check_inward();
    check_inward_16();
    check_refused();
    check_interrupt();
    check_bad_stacks();
    set_call_gate(SYS_CALL32, &end, 0);
    check_tss_16();
}
