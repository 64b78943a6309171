# guest.mk - bare-metal test programs: Multiboot kernels of a topic each.
#
#   build/guest/NAME.elf          the topic of tests/guest/topics/NAME.c
#   build/guest/all.elf           all of them, one after the other
#   build/guest/all.iso           the same behind GRUB, for Bochs

GUEST_TOPICS := $(basename $(notdir $(wildcard tests/guest/topics/*.c)))
GUEST_RUNTIME := $(wildcard tests/guest/*.[cS]) \
             $(addprefix kernel/base/,format.c string.c str.c)
GUEST_OBJ := $(GUEST_RUNTIME:%=$(B)/guest/%.o)
GUEST_TOPIC_OBJ := $(GUEST_TOPICS:%=$(B)/guest/tests/guest/topics/%.c.o)
GUEST_CC := $(CC) $(CFLAGS) -Itests -Wno-missing-field-initializers
GUEST_LINK := $(CC) $(LDFLAGS) -T tests/guest/guest.ld

$(B)/guest/%.o: % Makefile tests/guest/guest.mk | build/.have-build
	$(call say,GUEST,$<)
	$(Q)$(into) $(GUEST_CC) $(if $(filter %.S,$<),-D__ASSEMBLY__) $(DEPS) \
	    -c $< -o

GUEST_ELF := $(GUEST_TOPICS:%=$(B)/guest/%.elf)
$(GUEST_ELF): $(B)/guest/%.elf: $(B)/guest/tests/guest/topics/%.c.o \
    $(GUEST_OBJ) tests/guest/guest.ld
	$(Q)$(into) $(GUEST_LINK) $(filter %.o,$^) -lgcc -o

$(B)/guest/all.elf: $(GUEST_TOPIC_OBJ) $(GUEST_OBJ) tests/guest/guest.ld
	$(Q)$(into) $(GUEST_LINK) $(filter %.o,$^) -lgcc -o

$(B)/guest/all.iso: $(B)/guest/all.elf tests/guest/grub.cfg iso/mkiso.sh \
    | build/.have-iso
	$(call say,ISO,$@)
	$(Q)iso/mkiso.sh $< tests/guest/grub.cfg $@ "$(OBJCOPY)"

GUEST_FILES := $(GUEST_ELF) $(B)/guest/all.iso
.PHONY: guest
guest: $(GUEST_FILES)
boot-test test: $(GUEST_FILES)

# Guests that attack their monitor: VMs only.
HOSTILE_ELF := $(patsubst tests/hostile/%.c,$(B)/guest/hostile-%.elf,\
                 $(wildcard tests/hostile/*.c))
$(HOSTILE_ELF): $(B)/guest/hostile-%.elf: $(B)/guest/tests/hostile/%.c.o \
    $(GUEST_OBJ) tests/guest/guest.ld
	$(Q)$(into) $(GUEST_LINK) $(filter %.o,$^) -lgcc -o

# The same as VMs: an archive, and with Socle on a CD.
GUEST_VMS := $(patsubst $(B)/guest/%.elf,%,$(GUEST_ELF) $(HOSTILE_ELF))
$(B)/guest/vms.cpio: $(GUEST_ELF) $(HOSTILE_ELF) scripts/vms.py \
    tests/guest/guest.mk
	$(call say,VMS,$@)
	$(Q)vms=$$(mktemp -d) && trap 'rm -rf $$vms' EXIT && \
	for name in $(GUEST_VMS); do dir=$$vms/$$name; mkdir $$dir && \
	    $(OBJCOPY) --strip-all $(B)/guest/$$name.elf $$dir/kernel && \
	    printf 'memsize = "32"\nboot.kernel = "kernel"\n' \
	        >$$dir/$$name.vmx || exit; done; \
	$(PYTHON) -B scripts/vms.py $@ $$vms

$(B)/guest/vms.iso: $(B)/vmkernel.elf $(B)/guest/vms.cpio iso/grub.cfg \
    iso/mkiso.sh | build/.have-iso
	$(call say,ISO,$@)
	$(Q)iso/mkiso.sh $< iso/grub.cfg $@ "$(OBJCOPY)" $(B)/guest/vms.cpio

boot-test test: $(B)/guest/vms.cpio $(B)/guest/vms.iso
