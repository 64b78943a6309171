# lockstep.mk - builds lockstep: translator, interpreter and CPU side by side.
#
#   build/lockstep                a fixed set of programs, as `make unit` runs it
#   make lockstep COUNT=100000    more of them, from SEED on
#
# A 32-bit program far above where its guests are.

LOCKSTEP_SRC := $(wildcard tests/lockstep/*.[cS] bt/*.c vmm/interp/*.c) \
                vmm/vcpu.c kernel/base/format.c kernel/base/str.c
LOCKSTEP_FLAGS := -m32 -std=gnu11 -g $(WARN) $(HOST_INC) -D_GNU_SOURCE \
                -DDEBUG -fno-strict-aliasing -fno-pie
$(B)/host-lockstep/%.o: % Makefile tests/lockstep/lockstep.mk \
    | $(B)/.have-build
	$(call say,CC32,$<)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(LOCKSTEP_FLAGS) -O1 -freg-struct-return -MMD -MP \
	    -c $< -o $@

$(B)/lockstep: $(LOCKSTEP_SRC:%=$(B)/host-lockstep/%.o)
	$(Q)$(HOSTCC) -m32 -static -no-pie -Wl,-Ttext-segment=0x70000000 \
	    $^ -o $@

UNIT_BIN += $(B)/lockstep
all: $(B)/lockstep

COUNT   ?= 20000
SEED    ?= 1
.PHONY: lockstep
lockstep: $(B)/lockstep
	$(Q)$< --seed $(SEED) --count $(COUNT)
