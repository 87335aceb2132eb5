// SPDX-License-Identifier: GPL-2.0-only
// Page flags and page types.
// Linux 6.12: include/linux/page-flags.h
// Left out: the flags of the page cache and of user memory.
import type { page } from '#linux/mm_types.js';
import type { bool, int, u32 } from '#linux/types.js';

export const PG_locked = 0;
export const PG_head = 6;
export const PG_reserved = 13;
export const PG_private = 14;

/** Kinds of pages that nobody maps; they stand in the top byte of page_type. */
export const PGTY_buddy = 0xf0;
export const PGTY_offline = 0xf1;
export const PGTY_table = 0xf2;
export const PGTY_slab = 0xf5;
const PGTY_NONE = 0xffff_ffff;

function test(page: page, bit: int): bool {
	return (page.flags & (1 << bit)) !== 0;
}

function set(page: page, bit: int): void {
	page.flags = (page.flags | (1 << bit)) >>> 0;
}

function clear(page: page, bit: int): void {
	page.flags = (page.flags & ~(1 << bit)) >>> 0;
}

function page_type_is(page: page, type: u32): bool {
	return page.page_type >>> 24 === type;
}

/** Whether @page has a type, and so is nothing that a user may map (include/linux/page-flags.h: page_has_type()). */
export const page_has_type = (page: page): bool => page.page_type !== PGTY_NONE;

/** The page is none of the allocator's: boot memory, firmware, a hole (PG_reserved). */
export const PageReserved = (page: page): bool => test(page, PG_reserved);
export const __SetPageReserved = (page: page): void => set(page, PG_reserved);
export const SetPageReserved = (page: page): void => set(page, PG_reserved);
export const __ClearPageReserved = (page: page): void => clear(page, PG_reserved);
export const ClearPageReserved = (page: page): void => clear(page, PG_reserved);

/** The first page of a compound one (PG_head). */
export const PageHead = (page: page): bool => test(page, PG_head);
export const __SetPageHead = (page: page): void => set(page, PG_head);
export const __ClearPageHead = (page: page): void => clear(page, PG_head);
export const PageTail = (page: page): bool => page.compound_head !== null;
export const PageCompound = (page: page): bool => PageHead(page) || PageTail(page);

export const PagePrivate = (page: page): bool => test(page, PG_private);
export const SetPagePrivate = (page: page): void => set(page, PG_private);
export const ClearPagePrivate = (page: page): void => clear(page, PG_private);

/** The first page of a free block; page->private is the block's order. */
export const PageBuddy = (page: page): bool => page_type_is(page, PGTY_buddy);

/** @page is the head of a free block (include/linux/page-flags.h: __SetPageBuddy()). */
export function __SetPageBuddy(page: page): void {
	page.page_type = (PGTY_buddy << 24) >>> 0;
}

/** @page is no longer the head of a free block (include/linux/page-flags.h: __ClearPageBuddy()). */
export function __ClearPageBuddy(page: page): void {
	page.page_type = PGTY_NONE;
}

/** The page holds slab objects. */
export const PageSlab = (page: page): bool => page_type_is(page, PGTY_slab);

/** @page is the slab allocator's (include/linux/page-flags.h: __SetPageSlab()). */
export function __SetPageSlab(page: page): void {
	page.page_type = (PGTY_slab << 24) >>> 0;
}

/** @page is no longer the slab allocator's (include/linux/page-flags.h: __ClearPageSlab()). */
export function __ClearPageSlab(page: page): void {
	page.page_type = PGTY_NONE;
}

/** The first page of the compound page that @page is part of, or @page itself. */
export function compound_head(page: page): page {
	return page.compound_head ?? page;
}
