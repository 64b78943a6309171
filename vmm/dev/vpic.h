/*
 * vpic.h - the two 8259A interrupt controllers of a PC, with the edge/level
 * registers of the 82371 (PIIX4).
 *
 * Data sheets: Intel 8259A (order 231468), 82371AB 3.4 and 4.2 for ELCR and
 * what differs: ICW1's LTIM is replaced by the ELCR, and only 8086 mode exists.
 */
#ifndef VMM_DEV_VPIC_H
#define VMM_DEV_VPIC_H

#include "vmm/dev/pio_bus.h"
#include "vmm/dev/vdev.h"

#define VPIC_CHIPS      2u

/* Every register has a bit per line, unless it says otherwise. */
struct vpic_chip {
    uint8_t input;              /* the lines as they are */
    uint8_t irr;                /* requests: latched edges, and levels */
    uint8_t isr;                /* in service */
    uint8_t imr;                /* masked */
    uint8_t elcr;               /* level-triggered */
    uint8_t vector;             /* of line 0 */
    uint8_t lowest;             /* number of the line of lowest priority */
    uint8_t init;               /* which ICWs the data port expects */
    uint8_t mode;               /* enum vpic_mode */
};

struct vpic {
    struct vpic_chip chip[VPIC_CHIPS];  /* master, slave */
};

extern const struct vdev_type vpic_type;

/* Claims the ports 20h, A0h and 4D0h. */
void vpic_init(struct vpic *pic, struct pio_bus *bus);

/* LINE is 0 to 15; 2 is the cascade and has no pin. */
void vpic_set_line(struct vpic *pic, unsigned line, bool is_up);

/* Is a request of LINE waiting for its acknowledge? */
bool vpic_is_requested(const struct vpic *pic, unsigned line);

/* INTR: would an acknowledge now give an interrupt? */
bool vpic_is_pending(const struct vpic *pic);

/*
 * INTA: the vector.  Without a request it is that of line 7: spurious, and not
 * in service.  (Line 15's needs a request that vanishes between the two bus
 * cycles of an acknowledge, which are one here; polling the slave shows it.)
 */
uint8_t vpic_acknowledge(struct vpic *pic);

#endif
