# SPDX-License-Identifier: GPL-2.0-only
# make run: boot the board, decode a picture, show it.   make test: all that a change is asked for (KTAP=1).
#
#   make run       PICTURE= OUT= DTB= MEM=2G CMDLINE="dma_debug=on" DMASAN=1 (the sanitiser watches) V=1
#   make golden    GOLDEN= (where the vectors are) V=1
#   make bench     ONLY= (part of a name, here and below) NATIVE=1 (C beside it: needs gcc)
#   make fuzz      ONLY= SEED= SECONDS=
#   make check     DRIVER= (a name, or the folder of one) ONLY= SEED= KTAP=1
#   make chaos     DRIVER= SEED= (the first) SEEDS= (how many) ONLY= (decisions to keep) SHRINK=1
#   make fail-nth  DRIVER=
#   make bugs      ONLY= SEED=
#   make new       NAME= DIR=
#   make docs (out/docs: a page for each file of the kernel half)
#   make linux-map (the part of Documentation/linux-map.md that the sources say)
#   make c         DRIVER= (a file, a folder, or a name) OUT= (out/c)
#   make c-golden  (the allocator of addresses and the like as C, against Linux)
#   make c-check   DRIVER= C= (the folder of the C files) CKIT= (of what make c-fetch brings)
#   make pack-test (what others get by npm pack and npm install)
#   make page      (out/page/index.html: the machine in a browser)   make page-test: in Debian's Chromium, or CHROMIUM=
#   make build     PAGE_SHIFT=14: pages of 16 KiB. As a tree of Linux, build/ holds one kernel: what make was told last.

GOLDEN ?= tests/golden/vectors

# What a variable says reaches the program as it was written, by the environment: neither make nor the shell expands it.
TEXTS := PICTURE OUT DTB MEM CMDLINE GOLDEN ONLY SEED SECONDS NAME DIR DRIVER KTAP SEEDS SHRINK PAGE_SHIFT C CKIT CHROMIUM
as_it_is = override $1 := $$(value $1)
$(foreach v,$(TEXTS),$(if $(filter undefined,$(origin $v)),,$(eval $(call as_it_is,$v))$(eval export $v)))

UNREAD := $(foreach v,$(.VARIABLES),$(if $(filter command,$(origin $v)),$(filter-out $(TEXTS) V DMASAN NATIVE NODE BIN SHELL MAKE%,$v)))
ifneq ($(strip $(UNREAD)),)
$(error nobody reads the variable $(strip $(UNREAD)); there are $(TEXTS) V DMASAN NATIVE)
endif

DTS_DIR := arch/arm64/boot/dts
DTBS    := $(patsubst %.dts,%.dtb,$(wildcard $(DTS_DIR)/*/*.dts))
NODE    := node --enable-source-maps
BIN     := node_modules/.bin

.PHONY: run test mocha test-16k build lint linux-map docs pack-test page page-test format examples golden bench fuzz check chaos fail-nth bugs new c c-golden c-renew c-check c-fetch dtbs clean

# One file of all the modules of build/tools/run/main.js.
PROGRAM := build/bundle/run.js
# It is over in a second: what V8 optimises and collects beside it costs more than it gives.
RUN_FLAGS := --interrupt-budget=400000 --single-threaded-gc
run: $(PROGRAM)
	@$(NODE) $(RUN_FLAGS) $(PROGRAM) $(if $(V),-v) $(if $(DMASAN),--dmasan)

# The tests, and beside them one by one the rest, which keeps a core busy. A machine's memory goes back to the system when
# it is garbage, as glibc sees to when it is told from which size on: by itself it keeps ever larger pieces.
test test-16k: export MALLOC_MMAP_THRESHOLD_ := 1048576
test: build
	$(MAKE) --no-print-directory --jobs=$(if $(KTAP),1,2) mocha lint examples golden

# A process for each core: a file at a time in each, none with a limit in time.
mocha: build
	$(BIN)/mocha --parallel --jobs $(shell nproc 2>/dev/null || echo 2) $(if $(KTAP),--reporter build/tests/ktap-reporter.js)

# The IOMMU and DMA folders in a kernel with pages of 16 KiB. The rest, the captured steps above all, is of 4 KiB.
FOLDERS_16K := drivers/iommu kernel/dma
test-16k:
	$(MAKE) --no-print-directory PAGE_SHIFT=14 build
	$(BIN)/mocha --no-config --require build/tests/setup.js --enable-source-maps --timeout 0 --parallel \
		--jobs $(shell nproc 2>/dev/null || echo 2) $(FOLDERS_16K:%='build/tests/%/*.test.js')

# Folders too: a file that is gone, or came with an old date, is a change. build/.stamp is as old as what it was made of.
SOURCES := $(filter-out build/ node_modules/ out/ Documentation/,$(wildcard */)) tsconfig.json package.json
CHANGED = $(shell find $(SOURCES) -cnewer build/.stamp 2>&1 | head -n 1)

# The page size that the sources say, or that what is built has.
page_shift = $(shell sed -n 's/.*CONFIG_PAGE_SHIFT[^=]*= \([0-9]*\);.*/\1/p' $1 2>/dev/null)
KCONFIG    := include/linux/kconfig
OTHER       = $(filter-out x$(call page_shift,build/$(KCONFIG).js),x$(or $(PAGE_SHIFT),$(call page_shift,$(KCONFIG).ts)))

$(PROGRAM): build/.stamp node_modules/.package-lock.json
	@node tools/build.mjs bundle
build/.stamp: build
	@:

build: node_modules/.package-lock.json
	$(if $(CHANGED)$(OTHER),@node tools/build.mjs,@:)

lint: build
	$(BIN)/biome check --error-on-warnings .
	$(NODE) build/tools/lint/imports.js
	$(NODE) build/tools/lint/api.js
	$(NODE) build/tools/lint/subset.js
	$(NODE) build/tools/docs/map-main.js --check
	$(BIN)/tsc -p tools/page/browser

# The table of files and their twins in Documentation/linux-map.md, from the heads of the files.
linux-map: build
	@$(NODE) build/tools/docs/map-main.js

# Pages from the comments of the kernel half: out/docs/index.html.
docs: build
	@$(NODE) build/tools/docs/main.js

# One file, which a browser opens.
page: build
	@$(NODE) build/tools/linux-iommu.js page --static out/page

page-test: build
	$(BIN)/mocha --no-config --enable-source-maps --timeout 0 build/tests/page/page.browser.js

# What npm pack makes, installed elsewhere: needs npm's registry, or its cache.
pack-test: build
	@$(BIN)/mocha --no-config --timeout 0 build/tests/pack/installed.js

# Each prints something; one process for all of them, which loads the kernel once.
EXAMPLES := $(filter-out examples/bench.ts,$(wildcard examples/*.ts))
examples: build
	@$(NODE) --input-type=module --eval "for (const path of process.argv.slice(1)) { \
		console.log('== ' + path); await import('./build/' + path.replace(/ts$$/, 'js')); }" $(EXAMPLES)

golden: build
	@$(NODE) build/tests/golden/main.js $(if $(V),-v) -- "$$GOLDEN"

# A path through the kernel is many small functions: V8 inlines more of them when it is let, as pays in a long run.
bench: build
	@$(NODE) --max-inlined-bytecode-size-cumulative=2000 build/tools/bench/main.js --only="$$ONLY" $(if $(NATIVE),--native)

fuzz: build
	@$(NODE) build/tests/fuzz/main.js

# Whether an IOMMU driver does what it has to.
check: build
	@$(NODE) build/tools/linux-iommu.js check --only="$$ONLY" --seed="$$SEED" $(if $(KTAP),--ktap) -- "$$DRIVER"

# Clients that do everything right, on hardware that does what it may: a thousand seeds, or SEEDS, from SEED on.
# SHRINK=1: of what fails, the fewest decisions of the hardware's that still do.
chaos: build
	@$(NODE) build/tools/linux-iommu.js chaos --only="$$ONLY" --seed="$$SEED" --seeds="$$SEEDS" $(if $(SHRINK),--shrink) -- "$$DRIVER"

# Each step of a life with an IOMMU, from the boot on, with its first, second, third … failure.
fail-nth: build
	@$(NODE) build/tools/linux-iommu.js fail-nth -- "$$DRIVER"

# Faults that are put into the built code, one at a time, and what finds each: a table, also in out/bugs.txt.
bugs: build
	@$(NODE) build/tests/bugs/main.js

# Kernel C from what is in the kernel subset: Documentation/kernel-subset.md.
c: build
	@$(NODE) build/tools/linux-iommu.js c --out="$$OUT" -- "$$DRIVER"

# Files without a kernel under them, as C in programs of their own: the captured steps, and random ones. Needs gcc.
# The C of the three drivers that tests/tools/c compares, anew.
c-renew: build
	@$(NODE) build/tools/linux-iommu.js c -- edu-iommu rockchip-iommu sun50i-iommu
	@cp out/c/drivers/iommu/*-iommu.c tests/tools/c/golden/

c-golden: build
	@$(NODE) build/tests/c/main.js

# A folder of your own for a new IOMMU, in DIR (beside this one).
new: build
	@$(NODE) build/tools/linux-iommu.js new -- "$${DIR:-..}/$${NAME:?expected a name, NAME=my-iommu}"

# The C that make c wrote, as modules of an unmodified kernel: tools/c-kit/README.md. c-fetch downloads that kernel.
c-check: build
	@$(NODE) build/tools/c-kit/main.js --c="$$C" --kit="$$CKIT" --only="$$DRIVER"
c-fetch:
	@CKIT="$${CKIT:-out/c-kit}" tools/c-kit/kit.sh fetch

# The .dtb files are committed, so that nothing but this target needs dtc.
dtbs: $(DTBS)
$(DTS_DIR)/%.dtb: $(DTS_DIR)/%.dts $(wildcard $(DTS_DIR)/*/*.dtsi)
	dtc -I dts -O dtb -i $(@D) -o $@ $<

node_modules/.package-lock.json: package-lock.json
	@node tools/build.mjs install

format: node_modules/.package-lock.json
	$(BIN)/biome check --write --error-on-warnings .

clean:
	rm -rf build .build out
