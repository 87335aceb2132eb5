# SPDX-License-Identifier: GPL-2.0-only
# make run: boot the board, decode a picture, show it.   make test: all that a change is asked for.
# PICTURE, OUT, DTB, MEM choose the picture, the result, the board and its memory: make run MEM=2G

PICTURE ?= examples/picture.jpg
OUT     ?= out/frame.png
DTB     ?= arch/arm64/boot/dts/allwinner/sun50i-h6-orangepi-3.dtb
MEM     ?=
GOLDEN  ?= tests/golden/vectors

DTS_DIR := arch/arm64/boot/dts/allwinner
DTBS    := $(patsubst %.dts,%.dtb,$(wildcard $(DTS_DIR)/*.dts))
NODE    := node --enable-source-maps

.PHONY: run test build lint golden dtbs clean

run: build
	@$(NODE) build/tools/run/main.js --picture "$(PICTURE)" --out "$(OUT)" --dtb "$(DTB)" $(if $(MEM),--mem "$(MEM)")

test: build lint
	npx mocha
	$(NODE) build/tests/golden/main.js $(GOLDEN)

build: node_modules/.package-lock.json
	@npx tsc

lint: build
	npx biome check --error-on-warnings .
	$(NODE) build/tools/lint/imports.js

golden: build
	@$(NODE) build/tests/golden/main.js $(if $(V),-v) "$(GOLDEN)"

# The .dtb files are committed, so that nothing but this target needs dtc.
dtbs: $(DTBS)
$(DTS_DIR)/%.dtb: $(DTS_DIR)/%.dts $(wildcard $(DTS_DIR)/*.dtsi)
	dtc -I dts -O dtb -i $(DTS_DIR) -o $@ $<

node_modules/.package-lock.json: package.json package-lock.json
	@npm ci --no-audit --no-fund --loglevel=error
	@touch $@

clean:
	rm -rf build out
