# vms.mk - the archive of VMs that the ISO carries, build/vms.cpio.
#
# iso/vms holds their .vmx files; the images are Debian's, fetched, and the
# tests of tests/guest.

VMS_IMAGES := $(foreach f,linux-686 linux-686-pae initramfs.cpio, \
                debian/$f=$(B)/guests/$f) \
              mach/gnumach=$(B)/guests/gnumach \
              guesttest/all.elf=$(B)/gen/all.elf

$(B)/gen/all.elf: $(B)/guest/all.elf
	$(Q)$(into) $(OBJCOPY) --strip-all $<

$(B)/vms.cpio: $(wildcard iso/vms/*/*.vmx) iso/vms.mk scripts/vms.py \
    $(B)/guests/.linux $(B)/guests/.mach $(B)/gen/all.elf \
    | build/.have-build
	$(call say,VMS,$@)
	$(Q)$(PYTHON) -B scripts/vms.py $@ iso/vms $(VMS_IMAGES)
