# mk/cross.mk - the tree for aarch64, by Debian's cross compiler, and its tests under qemu-user.
#
# Another machine has an unsigned char, other atomic instructions, and may have larger pages. The rows have one of each kind
# of what that concerns: no threads (cyclic), one lock that is handed over (gil), an atomic instruction for each count and
# locked fields (atomic), counts with an owner and delayed frees (biased), no counts and its own pages (marksweep).
# SPDX-License-Identifier: MIT

CROSS_TRIPLET := aarch64-linux-gnu
CROSS_BUILD   := build/aarch64
CROSS_ROWS    := cyclic gil atomic biased marksweep
CROSS_TESTS   := counts cycles threads
# the libraries that pkg-config finds must be those of the other machine
CROSS_SETTINGS := BUILD=$(CROSS_BUILD) CC=$(CROSS_TRIPLET)-gcc CXX=$(CROSS_TRIPLET)-g++
CROSS_LIBRARIES := PKG_CONFIG_PATH= PKG_CONFIG_LIBDIR=/usr/lib/$(CROSS_TRIPLET)/pkgconfig:/usr/share/pkgconfig

.PHONY: cross-builds

test-cross: deps-cross ## build for aarch64; its contract tests, and counts, cycles and threads of five collectors, under qemu-user
	@$(CROSS_LIBRARIES) $(MAKE) --no-print-directory $(parallel) $(CROSS_SETTINGS) cross-builds
	@$(PYTHON) tests/cross.py $(CROSS_BUILD) $(CROSS_ROWS)

deps-cross: ## what `make test-cross` needs
	@scripts/deps.sh cross

# in a make whose BUILD is CROSS_BUILD
cross-builds: $(CROSS_ROWS:%=$(BUILD)/bin/%) $(BUILD)/bin/blocks $(BUILD)/lib/refarena-recorder.so $(LIBRARIES:%=$(BUILD)/lib/refarena-%.so) \
              $(patsubst %.c,$(BUILD)/%,$(wildcard tests/allocators/*.c)) \
              $(foreach row,$(CROSS_ROWS),$(CROSS_TESTS:%=$(BUILD)/tests/$(row)/%))
