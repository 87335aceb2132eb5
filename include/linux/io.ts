// SPDX-License-Identifier: GPL-2.0-only
// Access to device registers.
// Linux 6.12: include/linux/io.h
//
// Left out: port I/O, write-combining and encrypted mappings. devm_ioremap() and its kin are lib/devres.ts.
export * from '#asm/io.js';
