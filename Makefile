# SPDX-License-Identifier: GPL-2.0-only
# make run: boot the board, decode a picture, show it.   make test: all that a change is asked for.
# PICTURE, OUT, DTB, MEM, CMDLINE choose the picture, the result, the board, its memory, and kernel parameters:
# make run MEM=2G CMDLINE="dma_debug=on"

PICTURE ?= examples/picture.jpg
OUT     ?= out/frame.png
DTB     ?= arch/arm64/boot/dts/allwinner/sun50i-h6-orangepi-3.dtb
MEM     ?=
CMDLINE ?=
GOLDEN  ?= tests/golden/vectors

DTS_DIR := arch/arm64/boot/dts/allwinner
DTBS    := $(patsubst %.dts,%.dtb,$(wildcard $(DTS_DIR)/*.dts))
NODE    := node --enable-source-maps
BIN     := node_modules/.bin

.PHONY: run test build lint format examples golden bench fuzz dtbs clean

run: build
	@$(NODE) build/tools/run/main.js --picture "$(PICTURE)" --out "$(OUT)" --dtb "$(DTB)" \
		$(if $(MEM),--mem "$(MEM)") $(if $(CMDLINE),--append "$(CMDLINE)")

test: build lint
	$(BIN)/mocha
	$(MAKE) --no-print-directory examples
	$(NODE) build/tests/golden/main.js $(GOLDEN)

# Folders too: a file that is gone, or came with an old date, is a change. build/.stamp is as old as what it was made of.
SOURCES := $(filter-out build/ node_modules/ out/ Documentation/,$(wildcard */)) tsconfig.json package.json
CHANGED = $(shell find $(SOURCES) -cnewer build/.stamp 2>&1 | head -n 1)

build: node_modules/.package-lock.json
	$(if $(CHANGED),@node tools/build.mjs,@:)

lint: build
	$(BIN)/biome check --error-on-warnings .
	$(NODE) build/tools/lint/imports.js
	$(NODE) build/tools/lint/api.js

# Each prints something and exits 0.
examples: build
	@set -e; for e in $(filter-out bench,$(basename $(notdir $(wildcard examples/*.ts)))); do \
		echo "== examples/$$e.ts"; $(NODE) build/examples/$$e.js; done

golden: build
	@$(NODE) build/tests/golden/main.js $(if $(V),-v) "$(GOLDEN)"

# ONLY=text: the cases whose name has it.
bench: build
	@$(NODE) build/tools/bench/main.js --only="$(ONLY)"

# SEED=, SECONDS=, ONLY=text: the fuzzers whose name has it.
fuzz: build
	@$(NODE) build/tests/fuzz/main.js

# The .dtb files are committed, so that nothing but this target needs dtc.
dtbs: $(DTBS)
$(DTS_DIR)/%.dtb: $(DTS_DIR)/%.dts $(wildcard $(DTS_DIR)/*.dtsi)
	dtc -I dts -O dtb -i $(DTS_DIR) -o $@ $<

node_modules/.package-lock.json: package-lock.json
	@node tools/build.mjs install

format: build
	$(BIN)/biome check --write --error-on-warnings .

clean:
	rm -rf build .build out
