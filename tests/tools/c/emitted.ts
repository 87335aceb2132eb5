// SPDX-License-Identifier: GPL-2.0-only
// Small sources of the kernel subset, and what becomes of them.
import { type Emitted, emit, textOf } from '#tools/c/emit.js';
import { Project, Source } from '#tools/c/source.js';
import { PROJECT } from '#tools/project.js';

/** What each source begins with; its own lines are counted from 1 on behind it. */
const HEAD = [
	'// SPDX-License-Identifier: GPL-2.0-only',
	'// An example.',
	"import { bytes, phys_to_virt_words, words } from '#asm/memory.js';",
	"import { FIELD_GET, FIELD_PREP } from '#linux/bitfield.js';",
	"import { BIT, GENMASK } from '#linux/bits.js';",
	"import { dev_err, dev_info } from '#linux/dev_printk.js';",
	"import type { device } from '#linux/device.js';",
	"import { EINVAL, ENOMEM } from '#linux/errno.js';",
	"import { GFP_KERNEL } from '#linux/gfp.js';",
	"import { boot_data } from '#linux/init.js';",
	"import { readl, writel } from '#linux/io.js';",
	"import { list_del, list_for_each_entry, list_head } from '#linux/list.js';",
	"import { spinlock_t } from '#linux/spinlock.js';",
	"import { of_device_id } from '#linux/mod_devicetable.js';",
	"import { and64, or64, shl64, shr64 } from '#linux/math64.js';",
	"import { builtin_platform_driver, type platform_device, platform_driver } from '#linux/platform_device.js';",
	"import { kfree, kzalloc } from '#linux/slab.js';",
	"import { type __iomem, type bool, type dma_addr_t, type int, type phys_addr_t, ref, type s64, type size_t, type u8, type u16, type u32, type u64, type unsigned_int, type unsigned_long } from '#linux/types.js';",
	'',
].join('\n');
const LINES = HEAD.split('\n').length - 1;

const project = new Project(PROJECT);

const emitted = (text: string): Emitted =>
	emit(project, new Source('drivers/iommu/example.ts', `${HEAD}${text}`, project));

/** @text as C, without the lines before its first item and behind its last; what is outside the subset is thrown. */
export function c(text: string): string {
	const { lines, refusals } = emitted(text);
	if (refusals.length > 0) throw refusals[0]!;
	return textOf(lines)
		.replace(/^(?:\/\/ SPDX.*\n|\/\* An example\. \*\/\n|#include .*\n|\n)*/, '')
		.replace(/\n+MODULE_DESCRIPTION[\s\S]*$/, '\n');
}

/** The lines of @text in C that @pattern fits. */
export const linesOf = (text: string, pattern: RegExp): string[] =>
	c(text)
		.split('\n')
		.filter((l) => pattern.test(l))
		.map((l) => l.trim());

/** What of @text is outside the subset: `line: sentence`. */
export const refused = (text: string): string[] =>
	emitted(text).refusals.map((r) => `${r.line - LINES}: ${r.sentence}`);

/** The lines of C, each with the line of @text that it comes from. */
export const mapped = (text: string): { text: string; from: number }[] =>
	emitted(text).lines.map((l) => ({ text: l.text, from: l.from - LINES }));
