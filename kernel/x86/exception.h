/*
 * exception.h - the vectors below 32 (Intel SDM 3A table 6-1).
 */
#ifndef KERNEL_X86_EXCEPTION_H
#define KERNEL_X86_EXCEPTION_H

enum exception_vector {
    VEC_DE = 0,  VEC_DB = 1,  VEC_NMI = 2, VEC_BP = 3,
    VEC_OF = 4,  VEC_BR = 5,  VEC_UD = 6,  VEC_NM = 7,
    VEC_DF = 8,  VEC_TS = 10, VEC_NP = 11, VEC_SS = 12,
    VEC_GP = 13, VEC_PF = 14, VEC_MF = 16, VEC_AC = 17,
    VEC_MC = 18, VEC_XM = 19, VEC_VE = 20, VEC_CP = 21,
    EXCEPTION_COUNT = 32
};

/* The exceptions that push an error code, one bit each. */
#define EXCEPTIONS_WITH_ERROR                                             \
    ((1u << VEC_DF) | (1u << VEC_TS) | (1u << VEC_NP) | (1u << VEC_SS) |  \
     (1u << VEC_GP) | (1u << VEC_PF) | (1u << VEC_AC) | (1u << VEC_CP))

/* "#PF Page Fault" and the like; "interrupt" for vectors from 32 up. */
const char *exception_name(unsigned vector);

#endif
