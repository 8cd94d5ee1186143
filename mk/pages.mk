# mk/pages.mk - a kernel with larger pages, for tests: preloaded into programs whose pages are then of REFARENA_PAGE_BYTES.
# A sanitizer has calls of the same names.
# SPDX-License-Identifier: MIT

LARGER_PAGES := $(BUILD)/tests/larger_pages.so

$(LARGER_PAGES): tests/larger_pages.c $(BUILD)/flags
	$(MAKE_FOLDER)
	$(SAY)$(CC) $(STD) $(CFLAGS) $(WARN) $(COMMON) -fPIC -shared $< -o $@
