// SPDX-License-Identifier: GPL-2.0-only
// The kernel's address of a shared buffer.
// Linux 6.12: include/linux/iosys-map.h
// Left out: addresses in I/O memory, and the copy and load helpers that hide the difference.
import type { bool, void_ptr } from '#linux/types.js';

export class iosys_map {
	vaddr: void_ptr | null = null;
	is_iomem: bool = false;
}

/** Point @map at system memory (include/linux/iosys-map.h: iosys_map_set_vaddr()). */
export function iosys_map_set_vaddr(map: iosys_map, vaddr: void_ptr | null): void {
	map.vaddr = vaddr;
	map.is_iomem = false;
}

/** Whether @map points nowhere (include/linux/iosys-map.h: iosys_map_is_null()). */
export function iosys_map_is_null(map: iosys_map): bool {
	return map.vaddr === null;
}

/** Whether @map points somewhere (include/linux/iosys-map.h: iosys_map_is_set()). */
export function iosys_map_is_set(map: iosys_map): bool {
	return !iosys_map_is_null(map);
}

/** Have @map point nowhere (include/linux/iosys-map.h: iosys_map_clear()). */
export function iosys_map_clear(map: iosys_map): void {
	map.vaddr = null;
	map.is_iomem = false;
}
