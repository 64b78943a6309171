/*
 * board.c - what is on the board beside the chips: A20, port 80h, what nobody
 * claims, and VMware's backdoor.
 *
 * 82371AB 4.2.6.4 (port 92h), 4.1 (what bridges do with accesses that are wider
 * than a device); IBM PS/2 Technical Reference (A20 by the 8042); Linux's
 * arch/x86/kernel/cpu/vmware.c for the backdoor, which only hypervisors of
 * VMware's kind have.
 */
#include "guest/devices.h"
#include "kernel/base/string.h"

#define PORT_80         0x80
#define PORT_92         0x92
#define P92_RESET       BIT(0)
#define P92_A20         BIT(1)
#define KBC_DATA        0x60
#define KBC             0x64
#define KBC_OBF         BIT(0)
#define KBC_IBF         BIT(1)
#define KBC_READ_P2     0xd0
#define KBC_WRITE_P2    0xd1
#define KBC_A20_OFF     0xdd
#define KBC_A20_ON      0xdf
#define P2_A20          BIT(1)
#define P2_OFF          0xcd            /* all other outputs up, no reset */
#define P2_ON           (P2_OFF | P2_A20)

#define LOW             0x00007000u     /* memory that nobody uses */
#define HIGH            (LOW + MB(1))
#define NOBODYS_PORT    0x0d00
#define NOBODYS_MEMORY  0xd0000000u
#define PIC1_DATA       (PIC1 + 1)

#define BACKDOOR        0x5658
#define BACKDOOR_MAGIC  0x564d5868u
#define GETVERSION      10
#define GETHZ           45
#define MESSAGE         30
#define LEAF_HYPERVISOR 0x40000000u
#define HYPERVISOR      BIT(31)         /* CPUID.1:ECX */

struct registers {
    uint32_t eax, ebx, ecx, edx;
};

static uint32_t *
word_at(uint32_t address)
{
    __asm__("" : "+r"(address));
    return (uint32_t *)address;
}

/* --- A20 -------------------------------------------------------------------*/

/* Are HIGH and LOW two places? */
static bool
is_a20_on(void)
{
    *word_at(LOW) = 0x11111111;
    *word_at(HIGH) = 0x22222222;
    __asm__ volatile("" ::: "memory");
    return *word_at(LOW) == 0x11111111;
}

static void
kbc_wait(void)
{
    for (uint32_t n = 0; n < PATIENCE; n++)
        if ((in8(KBC) & KBC_IBF) == 0)
            return;
}

static void
kbc_command(uint8_t value)
{
    kbc_wait();
    out8(KBC, value);
    kbc_wait();
}

static void
kbc_write_p2(uint8_t value)
{
    kbc_command(KBC_WRITE_P2);
    out8(KBC_DATA, value);
    kbc_wait();
}

static uint8_t
kbc_read_p2(void)
{
    kbc_command(KBC_READ_P2);
    for (uint32_t n = 0; n < PATIENCE && !(in8(KBC) & KBC_OBF); n++)
        cpu_pause();
    return in8(KBC_DATA);
}

static void
check_a20(void)
{
    uint8_t port_92 = in8(PORT_92) & (uint8_t)~P92_RESET;

    out8(PORT_92, port_92 | P92_A20);
    check("92h: A20 on", is_a20_on(), true);
    check("92h: it reads back", in8(PORT_92) & P92_A20, P92_A20);
    out8(PORT_92, port_92 & (uint8_t)~P92_A20);
    check("92h: A20 off", is_a20_on(), false);
    check("92h: it reads back off", in8(PORT_92) & P92_A20, 0);
    check("A20 off: what is low is as it was", *word_at(LOW), 0x22222222);
    out8(PORT_92, port_92 | P92_A20);
    check("92h: A20 on again", is_a20_on(), true);
    kbc_write_p2(P2_OFF);
    check("8042: A20 off", is_a20_on(), false);
    check("8042: it reads back off", kbc_read_p2() & P2_A20, 0);
    kbc_write_p2(P2_ON);
    check("8042: A20 on", is_a20_on(), true);
    check("8042: it reads back", kbc_read_p2() & P2_A20, P2_A20);
    kbc_command(KBC_A20_OFF);
    check("8042: off by one command", is_a20_on(), false);
    kbc_command(KBC_A20_ON);
    check("8042: on by one command", is_a20_on(), true);
    out8(PORT_92, port_92 | P92_A20);
}

/* --- What nobody claims ----------------------------------------------------*/

static void
check_ports(void)
{
    out8(PORT_80, 0x5a);
    check("port 80h reads back", in8(PORT_80), 0x5a);
    out8(NOBODYS_PORT, 0);
    out16(NOBODYS_PORT, 0);
    out32(NOBODYS_PORT, 0);
    check("nobody's port: a byte", in8(NOBODYS_PORT), UINT8_MAX);
    check("nobody's port: a word", in16(NOBODYS_PORT), UINT16_MAX);
    check("nobody's port: a doubleword", in32(NOBODYS_PORT), UINT32_MAX);
    check("nobody's port: misaligned", in32(NOBODYS_PORT + 1), UINT32_MAX);
    out8(PIC1_DATA, 0xa5);
    check("a word of a byte's: the rest is nobody's", in16(PIC1_DATA),
          0xff00 | 0xa5);
    out16(PIC1_DATA, 0x125a);
    check("a word to a byte", in8(PIC1_DATA), 0x5a);
    out8(PIC1_DATA, UINT8_MAX);
}

static void
check_memory(void)
{
    uint32_t *nobodys = word_at(NOBODYS_MEMORY);

    *nobodys = 0x12345678;
    __asm__ volatile("" ::: "memory");
    check("nobody's memory", *nobodys, UINT32_MAX);
    check("nobody's memory: a byte", *((uint8_t *)nobodys + 1), UINT8_MAX);
}

/* --- The backdoor ----------------------------------------------------------*/

static struct registers
call(uint32_t magic, uint32_t command)
{
    struct registers r = { magic, UINT32_MAX, command, BACKDOOR };

    __asm__ volatile("inl %%dx, %%eax"
                     : "+a"(r.eax), "+b"(r.ebx), "+c"(r.ecx), "+d"(r.edx));
    return r;
}

static bool
has_backdoor(void)
{
    struct cpuid_regs r;
    char name[12];

    cpuid(1, 0, &r);
    if ((r.ecx & HYPERVISOR) == 0)
        return false;
    cpuid(LEAF_HYPERVISOR, 0, &r);
    memcpy(name, &r.ebx, 4);
    memcpy(name + 4, &r.ecx, 4);
    memcpy(name + 8, &r.edx, 4);
    return memcmp(name, "VMwareVMware", sizeof(name)) == 0;
}

static void
check_backdoor(void)
{
    struct registers r = call(BACKDOOR_MAGIC, GETVERSION);

    check("backdoor: a version", r.eax != UINT32_MAX, true);
    check("backdoor: the magic", r.ebx, BACKDOOR_MAGIC);
    r = call(BACKDOOR_MAGIC, GETHZ);
    check("backdoor: a frequency", r.eax > 1000 || r.ebx > 0, true);
    check("backdoor: below 2^63 Hz", r.ebx < BIT(31), true);
    r = call(BACKDOOR_MAGIC, MESSAGE);
    check("backdoor: no messages", r.eax, UINT32_MAX);
    check("backdoor: what is refused changes nothing", r.ecx, MESSAGE);
    r = call(0, GETVERSION);
    check("backdoor: without the magic, nobody's port", r.eax, UINT32_MAX);
    check("backdoor: without the magic, no answer", r.ebx, UINT32_MAX);
    check("backdoor: a byte is nobody's", in8(BACKDOOR), UINT8_MAX);
}

TOPIC(board)
{
    check_a20();
    check_ports();
    check_memory();
    if (has_backdoor())
        check_backdoor();
    else
        skip("backdoor");
}
