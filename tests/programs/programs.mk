# programs.mk - the programs that btrun runs, and their tests; part of the
# Makefile.

# What btrun's speed is measured with: programs like any other.
PROGRAM_SRC := $(wildcard tests/bench/programs/*.c)
PROGRAMS := $(patsubst tests/bench/%.c,$(B)/%,\
              $(filter-out %/program.c,$(PROGRAM_SRC)))
$(B)/programs/%: tests/bench/programs/%.c tests/bench/programs/program.c \
    tests/bench/programs/program.h tests/programs/programs.mk | \
    build/.have-build
	$(call say,PROGRAM,$@)
	$(Q)$(into) $(HOSTCC) -m32 -march=i686 -std=gnu11 -O2 -static -no-pie \
	    -fno-pie -fno-tree-loop-distribute-patterns $(WARN) -I. \
	    $(filter %.c,$^) -o

# Debian's programs for i386 with their libraries; after cmocka, since both
# use the same folder.
$(B)/i386/.programs: scripts/fetch_i386.sh scripts/packages | \
    $(B)/i386/.done
	$(call say,FETCH,programs for i386)
	$(Q)scripts/fetch_i386.sh $(B)/i386 \
	    $(shell sed -n 's/^i386-programs *//p' scripts/packages)
	@touch $@

.PHONY: programs btrun-test btrun-long
programs: $(PROGRAMS)
BTRUN_FILES := $(B)/btrun $(PROGRAMS) $(B)/i386/.programs
btrun-test: $(BTRUN_FILES) | build/.have-test
	$(Q)$(PYTHON) tests/run.py programs $(B)

# The same with tens of megabytes under --stress, too.
btrun-long: $(BTRUN_FILES) | build/.have-test
	$(Q)$(PYTHON) tests/run.py programs --long $(B)

test: $(BTRUN_FILES)
bench: $(B)/i386/.programs $(PROGRAMS)
