// SPDX-License-Identifier: GPL-2.0-only
// What allocations leave behind.

import { slab_leaks, slab_live } from '#linux/slab.js';
import { nr_free_pages } from '#mm/page_alloc.js';

/** What is left of allocations made since; the result of the second call must be empty. */
export function leakCheck(): () => string[] {
	const before = slab_live();
	const pages = nr_free_pages();
	return () => {
		const out = slab_leaks(before);
		const lost = pages - nr_free_pages();
		if (lost !== 0) out.push(`${lost} pages`);
		return out;
	};
}
