/*
 * debug.h - debug registers: the bits, by the names of the Intel SDM (3B 17.2).
 */
#ifndef KERNEL_X86_DEBUG_H
#define KERNEL_X86_DEBUG_H

#define DR6_B0          0x00000001      /* B0 to B3: a breakpoint matched */
#define DR6_B           0x0000000f      /* all four */
#define DR6_BD          0x00002000      /* access to a debug register */
#define DR6_BS          0x00004000      /* single step */
#define DR6_BT          0x00008000      /* task switch */
#define DR6_FIXED       0xffff0ff0      /* read as 1 */
#define DR6_WRITABLE    (DR6_BT | DR6_BS | DR6_BD | 0xf)

#define DR7_ENABLED     0x000000ff      /* L0, G0 to L3, G3 */
#define DR7_GD          0x00002000
#define DR7_FIXED       0x00000400
#define DR7_WRITABLE    0xffff23ff

#endif
