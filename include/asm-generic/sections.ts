// SPDX-License-Identifier: GPL-2.0-only
// Where the kernel's own image lies.
// Linux 6.12: include/asm-generic/sections.h
// Left out: the borders of single sections. No code and no constant is in this machine's RAM, so that the image has
// a place and nothing in it.
import { boot_data } from '#linux/init.js';
import type { bool, phys_addr_t, size_t } from '#linux/types.js';

/** The image's first byte and the one behind its last (_stext, _etext and so on); arm64_memblock_init() sets it. */
export const kernel_image = boot_data(() => ({ start: 0 as phys_addr_t, end: 0 as phys_addr_t }));

/** Whether @size bytes from @addr have one between @begin and @end (include/asm-generic/sections.h: memory_intersects()). */
export function memory_intersects(
	begin: phys_addr_t,
	end: phys_addr_t,
	addr: phys_addr_t,
	size: size_t,
): bool {
	return addr < end && addr + size > begin;
}
