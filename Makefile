# refarena: build, test, measure. `make help` lists the verbs.
# Registries (allocators.def, collectors.def, workloads.def) are read here, so that adding a backend or
# a workload is one file plus one line.
# SPDX-License-Identifier: MIT

SHELL    := /bin/bash
MAKEFLAGS += --no-builtin-rules
PYTHON   := /usr/bin/python3
# as many jobs as there are cores and memory, whatever a container leaves of them
CORES     = $(shell /usr/bin/python3 -c 'import sys; sys.path.insert(0, "scripts"); import limits; print(limits.jobs(700 << 20))' 2>/dev/null || echo 1)
# unless `make -j8` has said how many
parallel  = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(CORES))
SANITIZE :=
# SANITIZE=address or thread: the same program, watched, in a build folder of its own; valgrind: one whose pools
# memcheck sees through
BUILD    := build$(SANITIZE:%=/%)
FRAGMENTS := $(wildcard mk/*.mk)
# whether a variable says yes: CI=false does not
on        = $(filter-out 0 no off false,$1)
WERROR   := $(if $(call on,$(CI)),-Werror)

# what is watched is not raced: it is compiled faster, and its reports need no more than lines
OPTIMISE := $(if $(filter address thread,$(SANITIZE)),-O1 -g1,-O2 -g)
CFLAGS   := $(OPTIMISE)
CXXFLAGS := $(OPTIMISE)
WARN     := -Wall -Wextra $(WERROR)
watch-address := -fsanitize=address,undefined -fno-sanitize-recover=all -DREFARENA_SANITIZED
watch-thread  := -fsanitize=thread -DREFARENA_SANITIZED
watch-valgrind := -DREFARENA_VALGRIND
COMMON   := -D_GNU_SOURCE -MMD -MP -pthread -fno-builtin-malloc -fno-builtin-free -fno-builtin-calloc -fno-builtin-realloc \
            -fno-omit-frame-pointer -I. $(watch-$(SANITIZE))
version   = $(shell command -v $(firstword $1) >/dev/null && $1 --version | head -n 1 | tr -d "'")
# valgrind 3.19, of Debian 12, does not read clang's DWARF 5
COMMON   += $(if $(findstring clang,$(call version,$(CC))),-gdwarf-4)
STD      := -std=c11
LIBS     := -lbenchmark -ljansson -lzstd -ldl -lm -lstdc++

# --- what there is ---------------------------------------------------------------------------------
row        = $(subst :, ,$(filter $1:%,$(ROWS)))
ROWS      := $(subst _immortal:collectors/loads,:collectors/loads,$(shell sed -nE \
    -e 's|^COUNTING\(([a-z_]+), *([a-z_]+), *([a-z_]+), *([a-z_]+), *([a-z_]+)\).*|\1:collectors/refcounted:collectors/weak:collectors/spin:collectors/park:collectors/counts/\2:collectors/loads/\3:collectors/cycles/\4:collectors/threads/\5|p' \
    -e 's|^TRACING\(([a-z_]+), *([a-z_]+), *([a-z_]+)\).*|\1:collectors/tracing/\2:collectors/spin:collectors/threads/\3|p' collectors/collectors.def))
# a row that needs a library is left out where that is missing
LIBS_boehm := $(shell pkg-config --libs bdw-gc 2>/dev/null)
ROWS      := $(if $(LIBS_boehm),$(ROWS),$(filter-out boehm:%,$(ROWS)))
COLLECTORS_ALL := $(foreach r,$(ROWS),$(firstword $(subst :, ,$r)))
BLOCKS    := $(shell sed -nE 's|^BLOCKS\((.*)\)|\1|p' workloads/workloads.def)
OBJECTS   := $(shell sed -nE 's|^OBJECTS\((.*)\)|\1|p' workloads/workloads.def)

# sources compiled once; those compiled once for each collector
ALLOCATOR_C := $(filter-out allocators/recorder.c allocators/malloc.c allocators/large.c, \
                 $(wildcard allocators/*.c allocators/pymalloc/*.c allocators/magazine/*.c))
SHARED_C    := workloads/memory.c workloads/kernel.c workloads/packed.c workloads/object_graph.c
HARNESS_C   := $(wildcard harness/*.c) $(SHARED_C) collectors/pause.c
BLOCKS_C    := $(BLOCKS:%=workloads/blocks/%.c) $(filter-out $(BLOCKS:%=workloads/blocks/%.c),$(wildcard workloads/blocks/*.c))
OBJECTS_C   := $(wildcard workloads/objects/*.c) workloads/linked_objects.c
LIBRARIES   := pymalloc magazine bump debug-pymalloc
shared-by   = $(patsubst %.c,$(BUILD)/once/%.o,$1)
COLLECTOR_C := collectors/common.c collectors/heap_limit.c collectors/chunks.c collectors/chunk_walk.c collectors/explain.c
row-sources = $(wildcard $(addsuffix .c,$(wordlist 2,14,$(call row,$1))) \
                         $(addsuffix _*.c,$(filter collectors/cycles/% collectors/tracing/%,$(call row,$1)))) $(COLLECTOR_C)
row-objects = $(patsubst %.c,$(BUILD)/$1/%.o,$(call row-sources,$1) $2)
FRAME       := $(call shared-by,$(ALLOCATOR_C) $(HARNESS_C)) $(BUILD)/once/harness/gbench.o
EXECUTABLES := $(COLLECTORS_ALL:%=$(BUILD)/bin/%) $(BUILD)/bin/blocks

# tests: one executable a file; those of collectors once for each collector,
# and with the workloads only where they are used. Under ThreadSanitizer only what threads share, on rows with threads.
# Under AddressSanitizer the rows in which each file of a choice, with and without immortality, comes up at least once; the
# rows left out repeat their parts in other company (tick_gil, whose threads TSan sees, counts' operations, and immortality
# on counts that are locked or atomic); and the workloads, the same code on every row, on a counting, a parallel and a tracing one
ROW_TESTS     := $(if $(filter thread,$(SANITIZE)),chunks immortals threads tracing,$(filter-out heap,$(patsubst tests/collectors/%.c,%,$(wildcard tests/collectors/*.c))))
ROWS_TESTED   := $(if $(filter thread,$(SANITIZE)),$(foreach r,$(ROWS),$(if $(filter %/gil %/tick_gil %/stop_the_world %/none,$(subst :, ,$r)),$r)),$(ROWS))
ROWS_TESTED   := $(if $(filter address,$(SANITIZE)),$(filter-out census:% tick_gil:% locked_%_immortal:% parked_%_immortal:% atomic_immortal:%,$(ROWS)),$(ROWS_TESTED))
WITH_WORKLOADS := $(patsubst tests/collectors/%.c,%,$(shell grep -l 'workloads/' tests/collectors/*.c))
UNWATCHED     := $(if $(filter address,$(SANITIZE)),$(WITH_WORKLOADS))
# what a test is of must be in the row: its program would skip itself
IMMORTAL_ROWS := $(shell sed -nE 's|^COUNTING.([a-z_]+), *[a-z_]+_immortal,.*|\1|p' collectors/collectors.def)
unfit         = $(if $(filter marksweep,$1),,chunks) $(if $(filter $(IMMORTAL_ROWS),$1),,immortals) \
                $(if $(filter %/cycles/generational,$(call row,$1)),,generations) $(if $(filter collectors/tracing/%,$(call row,$1)),limits,tracing)
row-tests     = $(patsubst %,$(BUILD)/tests/$1/%,$(filter-out $(call unfit,$1) $(if $(filter cyclic biased marksweep,$1),,$(UNWATCHED)),$(ROW_TESTS)))
TEST_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/allocators/*.c tests/workloads/*.c)) \
                 $(foreach r,$(ROWS_TESTED),$(call row-tests,$(firstword $(subst :, ,$r)))) $(BUILD)/tests/harness_fake

# --- verbs -----------------------------------------------------------------------------------------
PROGRAMS   := 100000
SEED       := 1
COLLECTOR  := cyclic
SECONDS    := 60
MATRIX     := default
WORKLOADS  :=
COLLECTORS :=
ALLOCATORS :=
PRECISION  :=
DEPTH      := usual
PART       := all
LARGEST    :=
ROUNDS     := 5
CLAIM      :=
ONLY       :=
TIMES      := 10
SUITE      := bookworm
WHO        :=
THOROUGH   :=
RUNS       := 5
RUN        := results/latest
OUT        := results
A          :=
B          :=
FAIL_ON    :=
AGAINST    :=

# The value of the variable of this name as one word of the shell, whatever is in it: $(call quote,RUN). And any text.
quote  = $(call quoted,$(value $1))
quoted = '$(subst ','\'',$1)'

# What may be given: to the verbs, the compiler, deps.sh and the scripts; then what programs take from the environment, and what
# is set above. A variable on the command line that nobody reads is a mistake, and was a silent one (`make bench MATRX=quick`).
READ    := PROGRAMS SEED COLLECTOR SECONDS MATRIX WORKLOADS COLLECTORS ALLOCATORS ALLOCATOR PRECISION DEPTH PART LARGEST ROUNDS CLAIM \
           ONLY THOROUGH RUNS RUN OUT A B FAIL_ON AGAINST TIMES SUITE WHO \
           CC CXX CFLAGS CXXFLAGS SANITIZE V CI DEPS RESUME PYTHON CORES NO_COLOR FRESH_CACHE FRESH_FOLDER FRESH_STALE FRESH_OUT
TAKEN   := PATH HOME TMPDIR TERM COLUMNS LANG LC_% TZ %_proxy PKG_CONFIG_% PYTHON% REFARENA_% %SAN_OPTIONS LD_% GIT_% DEBIAN_% \
           BUILD WERROR WARN STD LIBS OPTIMISE COMMON CROSS_%
GIVEN   := $(foreach v,$(.VARIABLES),$(if $(findstring command line,$(origin $v)),$(filter-out -*-%,$v)))
UNKNOWN := $(firstword $(filter-out $(READ) $(TAKEN),$(GIVEN)))
nearest  = $(shell /usr/bin/python3 -c 'import difflib, sys; print(*difflib.get_close_matches(sys.argv[1].upper(), sys.argv[2:], 1, 0.6))' $(call quoted,$1) $(READ) 2>/dev/null)
$(if $(UNKNOWN),$(error unknown variable $(UNKNOWN)=: $(or $(addprefix did you mean ,$(addsuffix =?,$(call nearest,$(UNKNOWN)))),known are $(READ))))

# what may have some values alone: an unknown one would be taken for another in silence
allowed = $(if $(filter-out $2,$($1)),$(error $1=$($1): known are $2))
$(call allowed,SANITIZE,address thread valgrind)
$(call allowed,WHO,user)

# what help lists, and the verbs' own
.PHONY: $(shell sed -nE 's/^([a-z-]+):.* \#\# .*/\1/p' Makefile $(FRAGMENTS)) test-list ALWAYS
.DEFAULT_GOAL := all

all: $(EXECUTABLES) $(if $(SANITIZE),,$(BUILD)/lib/refarena-recorder.so $(LIBRARIES:%=$(BUILD)/lib/refarena-%.so)) ## build everything (SANITIZE=address|thread: watched)

help: ## this list
	@sed -nE 's/^([a-z-]+):.* ## (.*)/  make \1\t\2/p' Makefile $(FRAGMENTS) | expand -t 26

bench-flags = --matrix $(call quote,MATRIX) --workloads $(call quote,WORKLOADS) --collectors $(call quote,COLLECTORS) \
              --allocators $(call quote,ALLOCATORS) --precision $(call quote,PRECISION) --largest $(call quoted,$(or $(value LARGEST),0))
bench: deps-bench ## run a matrix, plot it, print the table: MATRIX=quick|default|full|classics|objects WORKLOADS= COLLECTORS= ALLOCATORS= PRECISION=2% RESUME=no
	@$(PYTHON) scripts/run.py --check $(bench-flags)
	@$(MAKE) --no-print-directory $(parallel) all
	@$(PYTHON) scripts/run.py $(bench-flags)

bench-allocators: deps-bench ## our allocators beside CPython's own and the real ones, and which of our aims they reach: ALLOCATORS= RESUME=no
	@$(MAKE) --no-print-directory bench DEPS=no MATRIX=allocators && $(PYTHON) scripts/bars.py

bench-collectors: deps-bench ## what each collector costs: counts, collections beside CPython's and libgc's, headers, pauses: DEPTH=quick|usual|thorough PART=counts|graphs|pauses RESUME=no
	@$(PYTHON) scripts/bench_collectors.py --check --depth $(call quote,DEPTH) --part $(call quote,PART)
	@$(MAKE) --no-print-directory $(parallel) all
	@$(PYTHON) scripts/bench_collectors.py --depth $(call quote,DEPTH) --part $(call quote,PART)

sizes: deps-bench ## cost against size, from 10^3 to 10^7 objects, with the power by which it grows: LARGEST=100000 (quick) RESUME=no
	@$(MAKE) --no-print-directory bench DEPS=no MATRIX=sizes

aa: deps-bench ## one configuration against itself, 100 times on recorded data and 100 times here: how often is there a false alarm?
	@$(MAKE) --no-print-directory bench DEPS=no MATRIX=aa && $(PYTHON) scripts/aa.py results/reference results/latest

bench-programs: deps-bench ## python3, sqlite3, cc1 and perl, whole, on every malloc: time and peak memory: ALLOCATORS= ROUNDS=5 OUT=results
	@$(PYTHON) scripts/bench_programs.py --check --repetitions $(call quote,ROUNDS)
	@$(MAKE) --no-print-directory $(parallel) $(LIBRARIES:%=$(BUILD)/lib/refarena-%.so)
	@$(PYTHON) scripts/bench_programs.py --lib $(BUILD)/lib --allocators $(call quote,ALLOCATORS) --repetitions $(call quote,ROUNDS) --out $(call quote,OUT)

nominals: deps-bench ## what each workload does to memory, as a table: workloads/nominals.md
	@$(MAKE) --no-print-directory $(parallel) $(addprefix $(BUILD)/bin/,blocks census gil cyclic racy leak)
	@$(PYTHON) scripts/nominals.py --bin $(BUILD)/bin

claims: deps-bench ## what is said of Python's memory and the GIL, put to the test: CLAIM=id THOROUGH=yes PYTHON=/path,/path RESUME=no
	@/usr/bin/python3 scripts/claims.py --check --claim $(call quote,CLAIM) --python $(call quote,PYTHON)
	@$(MAKE) --no-print-directory $(parallel) all
	@/usr/bin/python3 scripts/claims.py --claim $(call quote,CLAIM) --python $(call quote,PYTHON) $(if $(call on,$(THOROUGH)),--thorough)

claims-soak: deps-bench ## the same five times over: no verdict may contradict another: RUNS=5 PYTHON=/path
	@/usr/bin/python3 scripts/claims_soak.py --check --runs $(call quote,RUNS)
	@/usr/bin/python3 scripts/claims.py --check --python $(call quote,PYTHON)
	@$(MAKE) --no-print-directory $(parallel) all
	@/usr/bin/python3 scripts/claims_soak.py --runs $(call quote,RUNS) -- --python $(call quote,PYTHON)

claims-reference: ## show a finished run of `make claims` in README, claims/README and results/reference-claims: RUN=results/latest
	@$(PYTHON) scripts/claims_reference.py --run $(call quote,RUN)

occupancy: deps-bench ## draw how full the pools of pymalloc are while blocks die in no order: results/occupancy.png
	@$(MAKE) --no-print-directory $(parallel) $(BUILD)/bin/blocks
	@cd results && ../$(BUILD)/bin/blocks batch count=260000 order=random --allocator=pymalloc --units=1 --rounds=1 --map=occupancy.map >/dev/null
	@cd results && for fmt in png svg; do gnuplot -e "set loadpath '../scripts/plots'; fmt='$$fmt'; out='occupancy'" ../scripts/plots/occupancy.gp || exit; done
	@echo 'results/occupancy.png'

beside-cpython: deps-bench ## memory over time of autograd and views, beside CPython and NumPy doing the same: results/beside_cpython.png, or OUT=
	@$(MAKE) --no-print-directory $(parallel) $(BUILD)/bin/refcount $(BUILD)/bin/cyclic
	@$(PYTHON) scripts/beside_cpython.py --results $(call quote,OUT)

plots: ## draw again without measuring: RUN=results/x
	@$(PYTHON) scripts/plots.py --run $(call quote,RUN)

report: ## one page that shows a run, with nothing but itself: RUN=results/x OUT=page.html
	@$(PYTHON) scripts/report.py $(call quote,RUN) $(if $(filter-out results,$(OUT)),--out $(call quote,OUT))

instructions: deps-test ## instructions of an operation, to the instruction, beside the run's times: RUN=results/x AGAINST=results/y WORKLOADS=
	@$(PYTHON) scripts/instructions.py $(call quote,RUN) --against $(call quote,AGAINST) --check
	@$(MAKE) --no-print-directory $(parallel) all
	@$(PYTHON) scripts/instructions.py $(call quote,RUN) --against $(call quote,AGAINST) --workloads $(call quote,WORKLOADS)

attribution: deps-bench ## what each layer of a collector costs, and what they cost together: WORKLOADS=calls
	@$(MAKE) --no-print-directory bench DEPS=no MATRIX=attribution WORKLOADS=$(call quoted,$(or $(value WORKLOADS),calls)) && $(PYTHON) scripts/attribution.py && $(PYTHON) scripts/report.py

spacetime: deps-bench ## time against memory: tracers with 1.1 to 6 times their smallest heap, counting with thresholds from often to seldom
	@$(MAKE) --no-print-directory bench DEPS=no MATRIX=spacetime && $(PYTHON) scripts/spacetime.py && $(PYTHON) scripts/report.py

heap: deps-bench ## what lies in the heap: garbage that floats and for how long, how objects grow old, how full pools are
	@$(MAKE) --no-print-directory bench DEPS=no MATRIX=heap WORKLOADS=$(call quote,WORKLOADS) && $(PYTHON) scripts/heap.py

latency: deps-bench ## how long those wait who come while memory is managed: a server in an open loop, simple and metered latency
	@$(MAKE) --no-print-directory bench DEPS=no MATRIX=latency && $(PYTHON) scripts/latency.py && $(PYTHON) scripts/report.py

doctor: ## is this machine fit to measure on, and what would make it fitter?
	@$(PYTHON) scripts/doctor.py

test-report: ## the page in headless Chromium: no error, sorting and filtering, every figure, nothing too wide
	@scripts/deps.sh report
	@$(PYTHON) -m unittest discover -s tests/browser -p 'test_*.py'

compare: ## what became slower or faster: A=results/x B=results/y, run::configuration, or JSON of Google Benchmark; FAIL_ON=slower:5%
	@$(if $(and $(A),$(B)),,echo 'make compare: say what with what: A=results/x B=results/y' >&2; exit 2;) $(PYTHON) scripts/compare.py $(call quote,A) $(call quote,B) --fail-on $(call quote,FAIL_ON)

reference: ## show a finished run in README and results/reference (or reference-<matrix>): RUN=results/latest
	@$(PYTHON) scripts/reference.py --run $(call quote,RUN)

test: deps-test ## build and run all tests: allocators, collectors, workloads, harness, runner; under sanitizers too: ONLY=pattern
	@$(PYTHON) tests/run.py --only $(call quote,ONLY)

check: deps-test ## a short look, in a minute or so: five rows, nothing sanitized: ONLY=pattern
	@$(PYTHON) tests/run.py --check --only $(call quote,ONLY)

deps-repeat: ## what `make test-repeat` needs
	@scripts/deps.sh repeat

test-repeat: deps-repeat ## tests ten times beside a load of all cores (stress-ng): TIMES=10 ONLY=pattern
	@$(PYTHON) tests/run.py --times $(call quote,TIMES) --load --only $(call quote,ONLY)

test-fresh: ## README's two commands on a clean clone in a minimal Debian: SUITE=bookworm|trixie|sid WHO=user (without sudo)
	@scripts/deps.sh fresh
	@scripts/fresh.sh $(if $(WHO),--user) $(call quote,SUITE) 'make bench MATRIX=quick && make test'

test-compilers: ## build and test with gcc 12, 14, 16 and clang 14, 19, 21, each in the Debian that has it; an hour: ONLY=pattern
	@scripts/deps.sh fresh
	@ONLY=$(call quote,ONLY) scripts/compilers.sh

test-list:
	@printf '%s\n' $(TEST_PROGRAMS)

cases: $(COLLECTORS_ALL:%=$(BUILD)/bin/%) $(foreach c,$(COLLECTORS_ALL),$(addprefix $(BUILD)/tests/$c/,counts cycles generations)) ## the semantic cases against the collectors: results/cases.md
	@$(PYTHON) scripts/cases.py

soak: $(COLLECTORS_ALL:%=$(BUILD)/tests/%/model) ## 100,000 random programs on every collector and on a model of it: PROGRAMS= SEED=
	@printf '%s\n' $(COLLECTORS_ALL) | REFARENA_SEED=$(call quote,SEED) xargs -P$(CORES) -I{} $(BUILD)/tests/{}/model --soak $(call quote,PROGRAMS)

fuzz: $(BUILD)/fuzz/$(COLLECTOR) ## the same with programs that libFuzzer writes (clang): COLLECTOR=cyclic SECONDS=60
	@mkdir -p $<.corpus
	@$< -max_total_time=$(call quote,SECONDS) -max_len=1025 -print_final_stats=1 -artifact_prefix=$<. $<.corpus

fuzz-allocators: $(BUILD)/fuzz-allocators ## requests that libFuzzer writes, on an allocator and on a model: ALLOCATOR=pymalloc SECONDS=60
	@mkdir -p $<.corpus
	@REFARENA_ALLOCATOR=$(call quoted,$(or $(value ALLOCATOR),pymalloc)) $< -max_total_time=$(call quote,SECONDS) -max_len=2048 -print_final_stats=1 -artifact_prefix=$<. $<.corpus

programs: ## python3, sqlite3, gcc, perl and git on our own allocators as malloc: do they say what they say on glibc?
	@$(MAKE) --no-print-directory $(LIBRARIES:%=$(BUILD)/lib/refarena-%.so)
	@$(PYTHON) scripts/programs.py --lib $(BUILD)/lib

bytecode: ## compile workloads/programs/ for the interpreter (CPython 3.11), and count references per bytecode
	@$(PYTHON) scripts/cpython/bytecode.py --write --compare

recordings: deps-recordings ## record the traces of real programs afresh
	@$(MAKE) --no-print-directory all
	@scripts/recordings.sh

deps: ## install what is missing of everything (DEPS=no skips)
	@scripts/deps.sh all
deps-bench: ## what `make bench` needs
	@scripts/deps.sh bench
deps-recordings: ## what `make recordings` needs
	@scripts/deps.sh recordings
deps-test: ## what `make test` needs
	@scripts/deps.sh test

build-cost: ## seconds to compile one workload for one collector
	@touch workloads/objects/autograd.c; time -p $(MAKE) --no-print-directory -s $(BUILD)/cyclic/workloads/objects/autograd.o

clean: ## remove everything that was built
	rm -rf build

# --- how things are made ---------------------------------------------------------------------------
.SECONDEXPANSION:
.SECONDARY:
MAKE_FOLDER = @mkdir -p $(@D)
SAY = @$(if $(call on,$(V)),set -x;,echo '  $(@:$(BUILD)/%=%)';)
first = $(firstword $(subst /, ,$1))
rest  = $(patsubst $(call first,$1)/%,%,$1)

# what is compiled with other flags, or by another compiler, is compiled anew
FLAGS = $(strip $(CC) $(call version,$(CC)) $(CXX) $(call version,$(CXX)) $(STD) $(CFLAGS) $(CXXFLAGS) $(WARN) $(COMMON))
$(BUILD)/flags: ALWAYS
	@{ mkdir -p $(@D) && [ -w $(@D) ]; } 2>/dev/null || { echo 'make: $(@D)/ cannot be written: give another folder by BUILD=' >&2; exit 2; }
	@flags=$(call quoted,$(FLAGS)); echo "$$flags" | cmp -s - $@ || echo "$$flags" > $@

$(BUILD)/once/%.o: %.c $(BUILD)/flags
	$(MAKE_FOLDER)
	$(SAY)$(CC) $(STD) $(CFLAGS) $(WARN) $(COMMON) $(BUILD_FACTS) -c $< -o $@

# what the executables say of themselves; a stamp is written when what it says changes
COMMIT := $(shell git rev-parse --short=12 HEAD 2>/dev/null)$(shell git diff --quiet HEAD -- 2>/dev/null || echo +)
$(BUILD)/once/harness/provenance.o: BUILD_FACTS = -DREFARENA_FLAGS='"$(strip $(STD) $(CFLAGS) $(COMMON))"' -DREFARENA_COMMIT='"$(COMMIT)"'
$(BUILD)/once/harness/provenance.o: $(BUILD)/commit
$(BUILD)/commit $(BUILD)/callgrind: ALWAYS | $(BUILD)/flags
	$(MAKE_FOLDER)
	@echo '$(STAMP)' | cmp -s - $@ || echo '$(STAMP)' > $@
$(BUILD)/commit: STAMP = $(COMMIT)
# valgrind may be installed after the first build: its macros must then come in
$(BUILD)/callgrind: STAMP = $(wildcard /usr/include/valgrind/callgrind.h)
$(BUILD)/once/harness/session.o: $(BUILD)/callgrind

$(BUILD)/once/%.o: %.cc $(BUILD)/flags
	$(MAKE_FOLDER)
	$(SAY)$(CXX) -std=c++17 $(CXXFLAGS) $(WARN) $(COMMON) -c $< -o $@

# a collector's row as a header, included first in all that is compiled for it
$(BUILD)/rows/%.h: collectors/collectors.def | $(BUILD)/flags
	$(MAKE_FOLDER)
	@sed -nE \
	  -e 's|^COUNTING\($*, *([a-z_]+), *([a-z_]+), *([a-z_]+), *([a-z_]+)\).*|#define COLLECTOR_NAME "$*"\n#define COLLECTOR_HEADER "refcounted.h"\n#define ROW_COUNTS "\1"\n#define COUNTS_HEADER "counts/\1.h"\n#define ROW_LOADS "\2"\n#define LOADS_HEADER "loads/\2.h"\n#define ROW_CYCLES "\3"\n#define CYCLES_HEADER "cycles/\3.h"\n#define ROW_THREADS "\4"\n#define THREADS_HEADER "threads/\4.h"|p' \
	  -e 's|^TRACING\($*, *([a-z_]+), *([a-z_]+)\).*|#define COLLECTOR_NAME "$*"\n#define COLLECTOR_HEADER "tracing/\1.h"\n#define ROW_CYCLES "\1"\n#define ROW_THREADS "\2"\n#define THREADS_HEADER "threads/\2.h"|p' $< | sed -E 's|counts/(.*)_immortal.h"|counts/\1.h"\n#define ROW_IMMORTAL|' > $@

# everything that depends on the collector's layout: $(BUILD)/<collector>/<source>.o
$(BUILD)/%.o: $$(call rest,$$*).c $(BUILD)/rows/$$(call first,$$*).h $(BUILD)/flags
	$(MAKE_FOLDER)
	$(SAY)$(CC) $(STD) $(CFLAGS) $(WARN) $(COMMON) -Icollectors -include $(BUILD)/rows/$(call first,$*).h -c $< -o $@

$(BUILD)/bin/blocks: $(FRAME) $(call shared-by,$(BLOCKS_C) workloads/linked_blocks.c)
	$(MAKE_FOLDER)
	$(SAY)$(CC) $(CFLAGS) $(COMMON) $^ $(LIBS) -o $@

$(BUILD)/bin/%: $(FRAME) $$(call row-objects,$$*,$(OBJECTS_C))
	$(MAKE_FOLDER)
	$(SAY)$(CC) $(CFLAGS) $(COMMON) $^ $(LIBS) $(LIBS_$*) -o $@

$(BUILD)/tests/allocators/%: $(call shared-by,$(ALLOCATOR_C) tests/support.c) $(BUILD)/once/tests/allocators/%.o
	$(MAKE_FOLDER)
	$(SAY)$(CC) $(CFLAGS) $(COMMON) $^ -lcmocka -ldl -o $@

$(BUILD)/tests/workloads/%: $(call shared-by,$(ALLOCATOR_C) $(BLOCKS_C) $(SHARED_C) workloads/linked_blocks.c tests/support.c) $(BUILD)/once/tests/workloads/%.o
	$(MAKE_FOLDER)
	$(SAY)$(CC) $(CFLAGS) $(COMMON) $^ -lcmocka -lzstd -ldl -o $@

$(BUILD)/tests/harness_fake: $(FRAME) $(call shared-by,$(wildcard tests/harness/*.c))
	$(MAKE_FOLDER)
	$(SAY)$(CC) $(CFLAGS) $(COMMON) $^ $(LIBS) -o $@

row-test-objects = $(call row-objects,$(call first,$1),$(if $(filter $(WITH_WORKLOADS),$(call rest,$1)),$(OBJECTS_C)) tests/collectors/heap.c tests/collectors/$(call rest,$1).c)
$(BUILD)/tests/%: $(call shared-by,$(ALLOCATOR_C) $(SHARED_C) collectors/pause.c tests/support.c) $$(call row-test-objects,$$*)
	$(MAKE_FOLDER)
	$(SAY)$(CC) $(CFLAGS) $(COMMON) $^ -lcmocka -lzstd -ldl -lm $(LIBS_$(call first,$*)) -o $@

# random programs on a collector and on a model of it
MODEL_C := $(filter-out tests/model/driver.c tests/model/compare.c,$(wildcard tests/model/*.c))
row-model = $(call shared-by,$(MODEL_C)) $(BUILD)/$1/tests/model/driver.o $(BUILD)/$1/tests/model/compare.o
$(COLLECTORS_ALL:%=$(BUILD)/tests/%/model): $(BUILD)/tests/%/model: $$(call row-model,$$*)

NEEDS_CLANG = @command -v clang >/dev/null || { \
	echo 'make fuzz: clang and its libFuzzer are missing; install clang and libclang-rt-14-dev, or of your version' >&2; exit 2; }
FUZZ := -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -DREFARENA_SANITIZED
$(BUILD)/fuzz/%: tests/fuzz/programs.c collectors/pause.c $(wildcard tests/model/*.c) $(ALLOCATOR_C) $(BUILD)/rows/%.h $$(call row-sources,$$*)
	$(if $(call row,$*),,$(error there is no collector '$*': COLLECTOR= one of $(COLLECTORS_ALL)))
	$(NEEDS_CLANG)
	$(MAKE_FOLDER)
	$(SAY)clang $(STD) -O1 -g $(WARN) $(filter-out -M%,$(COMMON)) $(FUZZ) -Icollectors -include $(BUILD)/rows/$*.h $(filter %.c,$^) -ldl $(LIBS_$*) -o $@

$(BUILD)/fuzz-allocators: tests/fuzz/allocators.c tests/support.c $(filter-out allocators/system.c,$(ALLOCATOR_C)) allocators/large.c
	$(NEEDS_CLANG)
	$(MAKE_FOLDER)
	$(SAY)clang $(STD) -O1 -g $(WARN) $(filter-out -M%,$(COMMON)) $(FUZZ) $^ -lcmocka -ldl -o $@

$(BUILD)/lib/refarena-recorder.so: allocators/recorder.c $(BUILD)/flags
	$(MAKE_FOLDER)
	$(SAY)$(CC) $(STD) $(CFLAGS) $(WARN) $(COMMON) -fPIC -shared $< -lzstd -ldl -o $@

# our own allocators as malloc: position-independent, and nothing visible but malloc and its kin
PIC := -fPIC -fvisibility=hidden -ftls-model=initial-exec
$(BUILD)/pic/%.o: %.c $(BUILD)/flags
	$(MAKE_FOLDER)
	$(SAY)$(CC) $(STD) $(CFLAGS) $(WARN) $(COMMON) $(PIC) -c $< -o $@

$(BUILD)/pic/malloc/%.o: allocators/malloc.c $(BUILD)/flags
	$(MAKE_FOLDER)
	$(SAY)$(CC) $(STD) $(CFLAGS) $(WARN) $(COMMON) $(PIC) -DMALLOC_OF='"$(subst debug-,debug:,$*)"' -c $< -o $@

$(BUILD)/lib/refarena-%.so: $(BUILD)/pic/malloc/%.o $(patsubst %.c,$(BUILD)/pic/%.o,$(filter-out allocators/system.c,$(ALLOCATOR_C)) allocators/large.c)
	$(MAKE_FOLDER)
	$(SAY)$(CC) $(CFLAGS) $(COMMON) -shared $^ -ldl -o $@

include $(FRAGMENTS)

# each with a rule of its own, that does nothing: else make would try to link it by a pattern
MADE := $(shell find build -name '*.d' 2>/dev/null)
$(MADE): ;
-include $(MADE)
