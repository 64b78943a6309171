/*
 * exception.c - what the exceptions are called (Intel SDM 3A table 6-1).
 *
 * For reports: VMkernel and monitor name the same vector alike.  Usable in any
 * context.
 */
#include "kernel/x86/exception.h"

#include "kernel/base/types.h"

static const char *const names[EXCEPTION_COUNT] = {
    [VEC_DE] = "#DE Divide Error",
    [VEC_DB] = "#DB Debug",
    [VEC_NMI] = "NMI",
    [VEC_BP] = "#BP Breakpoint",
    [VEC_OF] = "#OF Overflow",
    [VEC_BR] = "#BR Bound Range",
    [VEC_UD] = "#UD Invalid Opcode",
    [VEC_NM] = "#NM Device Not Available",
    [VEC_DF] = "#DF Double Fault",
    [VEC_TS] = "#TS Invalid TSS",
    [VEC_NP] = "#NP Segment Not Present",
    [VEC_SS] = "#SS Stack Fault",
    [VEC_GP] = "#GP General Protection",
    [VEC_PF] = "#PF Page Fault",
    [VEC_MF] = "#MF x87 Error",
    [VEC_AC] = "#AC Alignment Check",
    [VEC_MC] = "#MC Machine Check",
    [VEC_XM] = "#XM SIMD Error",
    [VEC_VE] = "#VE Virtualization",
    [VEC_CP] = "#CP Control Protection",
};

const char *
exception_name(unsigned vector)
{
    if (vector >= EXCEPTION_COUNT)
        return "interrupt";
    return names[vector] ? names[vector] : "reserved";
}
