// SPDX-License-Identifier: GPL-2.0-only
// Packets: a linear part, and fragments that are parts of pages.
// Linux 6.12: include/linux/skbuff.h; the few functions of net/core/skbuff.c that stand here have no other home yet
//
// Left out: clones and shared data, protocol headers, frag lists, queues, checksums, page pools.
import { dma_map_page } from '#kernel/dma/mapping.js';
import type { device } from '#linux/device.js';
import type { dma_data_direction } from '#linux/dma-direction.js';
import type { page } from '#linux/mm.js';
import type { net_device } from '#linux/netdevice.js';
import { kfree, kmalloc, kzalloc } from '#linux/slab.js';
import type { dma_addr_t, gfp_t, int, size_t, u8, unsigned_int, void_ptr } from '#linux/types.js';
import { put_page } from '#mm/page_alloc.js';

export const MAX_SKB_FRAGS = 17;

/** A part of a page; the packet holds a reference to the page. */
export class skb_frag_t {
	page: page | null = null;
	len: unsigned_int = 0;
	offset: unsigned_int = 0;
}

export class skb_shared_info {
	nr_frags: u8 = 0;
	frags: skb_frag_t[] = [];
}

export class sk_buff {
	dev: net_device | null = null;
	/** All bytes, and those of them in fragments. */
	len: unsigned_int = 0;
	data_len: unsigned_int = 0;
	/** The linear part's memory; where its data begins and ends in it. */
	head: void_ptr = new Uint8Array(0);
	data: unsigned_int = 0;
	tail: unsigned_int = 0;
	/** In Linux at the end of the linear part's memory. */
	shinfo: skb_shared_info = new skb_shared_info();
}

/** Linux: include/linux/skbuff.h: skb_shinfo() */
export function skb_shinfo(skb: sk_buff): skb_shared_info {
	return skb.shinfo;
}

/** The bytes of the linear part (include/linux/skbuff.h: skb_headlen()). */
export function skb_headlen(skb: sk_buff): unsigned_int {
	return skb.len - skb.data_len;
}

/** C's `skb->data`: the linear part from its first byte to the end of its memory. */
export function skb_data(skb: sk_buff): void_ptr {
	return skb.head.subarray(skb.data);
}

/** A packet with room for @size bytes, empty, or null (net/core/skbuff.c: alloc_skb()). */
export function alloc_skb(size: unsigned_int, priority: gfp_t): sk_buff | null {
	const skb = kzalloc(sk_buff, priority);
	if (skb === null) return null;
	const head = kmalloc(size, priority);
	if (head === null) {
		kfree(skb);
		return null;
	}
	skb.head = head;
	return skb;
}

/** A packet that @dev will receive into (include/linux/skbuff.h: netdev_alloc_skb()). */
export function netdev_alloc_skb(dev: net_device, length: unsigned_int, gfp: gfp_t): sk_buff | null {
	const skb = alloc_skb(length, gfp);
	if (skb !== null) skb.dev = dev;
	return skb;
}

/** Drop the packet, its linear part, and its references to pages (net/core/skbuff.c: kfree_skb()). */
export function kfree_skb(skb: sk_buff | null): void {
	if (skb === null) return;
	for (let i = 0; i < skb.shinfo.nr_frags; i++) put_page(skb.shinfo.frags[i].page as page);
	kfree(skb.head);
	kfree(skb);
}

/** kfree_skb() of a packet that was dropped, and of one that went well (include/linux/netdevice.h). */
export const dev_kfree_skb_any = kfree_skb;
export const dev_consume_skb_any = kfree_skb;

/** Headroom of @len bytes in an empty packet (include/linux/skbuff.h: skb_reserve()). */
export function skb_reserve(skb: sk_buff, len: int): void {
	skb.data += len;
	skb.tail += len;
}

/** @len more bytes at the end of the linear part: where they are (net/core/skbuff.c: skb_put()). */
export function skb_put(skb: sk_buff, len: unsigned_int): void_ptr {
	const tmp = skb.head.subarray(skb.tail, skb.tail + len);
	skb.tail += len;
	skb.len += len;
	return tmp;
}

/** Copy @data to the end of the linear part (include/linux/skbuff.h: skb_put_data()). */
export function skb_put_data(skb: sk_buff, data: void_ptr): void_ptr {
	const tmp = skb_put(skb, data.length);
	tmp.set(data);
	return tmp;
}

/** @size bytes of @page as fragment @i; the packet takes over the caller's reference (net/core/skbuff.c: skb_add_rx_frag()). */
export function skb_add_rx_frag(skb: sk_buff, i: int, page: page, off: int, size: int): void {
	const frag = new skb_frag_t();
	frag.page = page;
	frag.offset = off;
	frag.len = size;
	skb.shinfo.frags[i] = frag;
	skb.shinfo.nr_frags = i + 1;
	skb.len += size;
	skb.data_len += size;
}

/** Linux: include/linux/skbuff.h: skb_frag_size() */
export function skb_frag_size(frag: skb_frag_t): unsigned_int {
	return frag.len;
}

/** Map a part of a fragment (include/linux/skbuff.h: skb_frag_dma_map()). */
export function skb_frag_dma_map(
	dev: device,
	frag: skb_frag_t,
	offset: size_t,
	size: size_t,
	dir: dma_data_direction,
): dma_addr_t {
	return dma_map_page(dev, frag.page as page, frag.offset + offset, size, dir);
}
